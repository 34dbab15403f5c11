package local

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// endpoint is where the process of an execution environment finds its APIs.
type endpoint struct {
	address string // for AWS_LAMBDA_RUNTIME_API
	close   func()
}

// newEndpoint serves the handler at an address of its own or below a path of the shared one.
func (l *Lambda) newEndpoint(handler http.Handler) (*endpoint, error) {
	if l.shared != nil {
		return l.shared.add(handler), nil
	}
	s, err := serve("127.0.0.1:0", handler)
	if err != nil {
		return nil, err
	}
	return &endpoint{address: s.address, close: s.close}, nil
}

// server is an HTTP server at work.
type server struct {
	address string // host:port
	http    *http.Server
	ended   chan struct{}
}

func serve(address string, handler http.Handler) (*server, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &server{
		address: listener.Addr().String(),
		http: &http.Server{
			Handler:           handler,
			ConnContext:       withConn,
			ReadHeaderTimeout: 10 * time.Second,
			// What clients do wrong is their business.
			ErrorLog: log.New(io.Discard, "", 0),
		},
		ended: make(chan struct{}),
	}
	go func() {
		defer close(s.ended)
		_ = s.http.Serve(timedListener{listener})
	}()
	return s, nil
}

// close frees the port and ends all connections.
func (s *server) close() {
	_ = s.http.Close()
	<-s.ended
}

// shutdown lets requests under way end before it closes.
func (s *server) shutdown() {
	const atMost = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	_ = s.http.Shutdown(ctx)
	s.close()
}

// sharedAPI serves the APIs of all execution environments from one port. The first element of a path tells them apart.
type sharedAPI struct {
	server *server

	mu       sync.Mutex
	handlers map[string]http.Handler
}

func newSharedAPI() (*sharedAPI, error) {
	s := &sharedAPI{handlers: make(map[string]http.Handler)}
	var err error
	s.server, err = serve("127.0.0.1:0", s)
	return s, err
}

func (s *sharedAPI) add(handler http.Handler) *endpoint {
	key := randomHex(16)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[key] = http.StripPrefix("/"+key, handler)
	return &endpoint{
		address: s.server.address + "/" + key,
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
		s.server.close()
	}
}
