package local

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/golam-cli/golam/internal/localhttp"
	"github.com/golam-cli/golam/internal/quotas"
)

// endpoint is where the process of an execution environment finds its APIs.
type endpoint struct {
	address string // for AWS_LAMBDA_RUNTIME_API
	close   func()
}

// newEndpoint serves the handler at an address of its own or below a path of the shared one. Nobody but the function can use it; if bare is
// set, the address is host:port even where only a path could keep others away.
func (l *Lambda) newEndpoint(handler http.Handler, bare bool) (*endpoint, error) {
	if l.shared != nil {
		return l.shared.add(handler), nil
	}
	const connections = 100 // of the runtime and its extensions
	path := ""
	if !l.tellsPeers && !bare {
		path = "/" + randomHex(16)
		handler = http.StripPrefix(path, handler)
	}
	s, err := l.serveAPI(handler, connections)
	if err != nil {
		return nil, err
	}
	return &endpoint{address: s.Address + path, close: s.Close}, nil
}

// serveAPI serves the Runtime API and the Extensions API of an execution environment, or of all, to processes of this user alone if the
// system can tell. Requests take as long as the function does: the invocation's timeout ends them.
func (l *Lambda) serveAPI(handler http.Handler, connections int) (*localhttp.Server, error) {
	const longest = quotas.MaxTimeout + 5*time.Minute
	return listen("127.0.0.1:0", l.tellsPeers, localhttp.Options{
		Handler: handler, Budget: l.bodies, Connections: connections, HeaderBytes: http.DefaultMaxHeaderBytes,
		Stall: longest, BodyTime: longest, Idle: longest,
		Refuse: func(w http.ResponseWriter, status int, message string) {
			writeError(w, status, "AccessDenied", message)
		},
	})
}

// listen serves at an address, for processes of this user alone if that is asked for.
func listen(address string, ownOnly bool, options localhttp.Options) (*localhttp.Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	if ownOnly {
		listener = ownPeers{listener, os.Geteuid()}
	}
	options.ConnContext = withConn
	return localhttp.Serve(context.Background(), timedListener{listener}, options), nil
}

// sharedAPI serves the APIs of all execution environments from one port. The first element of a path tells them apart.
type sharedAPI struct {
	server *localhttp.Server

	mu       sync.Mutex
	handlers map[string]http.Handler
}

func (l *Lambda) newSharedAPI() (*sharedAPI, error) {
	s := &sharedAPI{handlers: make(map[string]http.Handler)}
	const connections = 10000
	var err error
	s.server, err = l.serveAPI(s, connections)
	return s, err
}

func (s *sharedAPI) add(handler http.Handler) *endpoint {
	key := randomHex(16)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[key] = http.StripPrefix("/"+key, handler)
	return &endpoint{
		address: s.server.Address + "/" + key,
		close: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.handlers, key)
		},
	}
}

func (s *sharedAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	handler := s.handlers[key]
	s.mu.Unlock()
	if handler == nil {
		http.NotFound(w, r)
		return
	}
	handler.ServeHTTP(w, r)
}

// close is fine with a nil receiver.
func (s *sharedAPI) close() {
	if s != nil {
		s.server.Close()
	}
}
