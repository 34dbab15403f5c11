package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/golam-cli/golam/internal/httpevent"
	"github.com/golam-cli/golam/internal/local"
)

// server is the one address that everything is served at:
//
//	/2015-03-31/functions/..., /2021-11-15/functions/...   the Invoke API
//	/lambda-url/<function>/...                             HTTP requests for a function
//	<function>.localhost/...                               the same, as if the function had a host of its own
//	X-Amz-Target: AWSEvents.PutEvents                      the event bus
//	/v1/traces                                             spans
//	/_golam/                                               what other golams ask
type server struct {
	session *Session
	host    string // as configured
	url     string
	moved   bool // the default address was taken

	http  *http.Server
	ended chan struct{}
}

func listen(s *Session, address string) (*server, error) {
	var config net.ListenConfig
	wanted := address
	if wanted == "" {
		wanted = DefaultAddress
	}
	host, port, err := net.SplitHostPort(wanted)
	if err != nil {
		return nil, misuse("--address %q: use host:port, such as %s", address, DefaultAddress)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	srv := &server{session: s, host: host, ended: make(chan struct{})}
	listener, err := config.Listen(s.ctx, "tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) && address == "" {
		srv.moved = true
		listener, err = config.Listen(s.ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program: choose another --address, or leave it out for a free port", wanted)
	case err != nil:
		return nil, fmt.Errorf("serve at %s: %w", wanted, err)
	}
	srv.url = "http://" + listener.Addr().String()
	srv.http = &http.Server{
		Handler: srv.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(s.ctx) },
	}
	go func() {
		defer close(srv.ended)
		_ = srv.http.Serve(listener)
	}()
	return srv, nil
}

// close lets answers under way get through.
func (s *server) close() {
	const atMost = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	_ = s.http.Shutdown(ctx)
	_ = s.http.Close()
	<-s.ended
}

const urlPrefix = "/lambda-url/"

// functionURL is where HTTP requests reach a function.
func (s *server) functionURL(name string) string { return s.url + urlPrefix + name + "/" }

func (s *server) handler() http.Handler {
	session := s.session
	invokeAPI := session.lambda.InvokeAPI()
	mux := http.NewServeMux()
	invoke := func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.PathValue("name"), ":")
		if err := session.ready(r.Context(), name); err != nil {
			refuse(w, err)
			return
		}
		invokeAPI.ServeHTTP(w, r)
	}
	mux.HandleFunc("/2015-03-31/functions/{name}/invocations", invoke)
	mux.HandleFunc("/2021-11-15/functions/{name}/response-streaming-invocations", invoke)
	mux.HandleFunc(urlPrefix+"{name}/{path...}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		s.serveFunction(w, r, name, strings.TrimPrefix(r.URL.EscapedPath(), urlPrefix+url.PathEscape(name)))
	})
	mux.Handle("/v1/traces", session.traces)
	mux.HandleFunc("GET /_golam/{$}", s.status)
	mux.HandleFunc("POST /_golam/settle", func(w http.ResponseWriter, r *http.Request) {
		if err := session.Settle(r.Context()); err != nil {
			refuse(w, err)
			return
		}
		s.status(w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSEvents.") {
			session.bus.ServeHTTP(w, r)
			return
		}
		refuse(w, &local.RequestError{
			StatusCode: http.StatusNotFound, Type: "UnknownOperationException",
			Message: "nothing is served at " + r.URL.Path + ": HTTP requests for a function go to " + urlPrefix + "<function>/",
		})
	})
	return s.protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, found := strings.CutSuffix(hostname(r.Host), ".localhost"); found {
			s.serveFunction(w, r, name, r.URL.EscapedPath())
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

func (s *server) serveFunction(w http.ResponseWriter, r *http.Request, name, path string) {
	if path == "" {
		path = "/"
	}
	httpevent.Serve(w, r, path, func(ctx context.Context, in local.Invocation) (local.Result, error) {
		return s.session.Invoke(ctx, name, in)
	})
}

// protect keeps pages of the web away from functions: by a name of their own that leads here (DNS rebinding), and by forms and scripts. A
// page that is served on this machine itself may ask.
func (s *server) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.local(hostname(r.Host)) {
			refuse(w, &local.RequestError{
				StatusCode: http.StatusForbidden, Type: "AccessDeniedException",
				Message: "the Host header names neither an address nor localhost: use " + s.url,
			})
			return
		}
		origin := r.Header.Get("Origin")
		if origin != "" {
			from, err := url.Parse(origin)
			if err != nil || !s.ownPage(from.Hostname()) {
				refuse(w, &local.RequestError{
					StatusCode: http.StatusForbidden, Type: "AccessDeniedException", Message: "a page of another site may not ask",
				})
				return
			}
		} else if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuse(w, &local.RequestError{
				StatusCode: http.StatusForbidden, Type: "AccessDeniedException", Message: "a page of another site may not ask",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local tells whether a name cannot be anyone's who is not on this machine. An address in a Host header is one that was asked for.
func (s *server) local(name string) bool {
	name = strings.ToLower(name)
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil || name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.EqualFold(name, s.host)
}

// ownPage is stricter about addresses: those of other machines have pages too.
func (s *server) ownPage(name string) bool {
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return s.local(name) && (err != nil || address.IsLoopback())
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// refuse answers in the form of Lambda's errors.
func refuse(w http.ResponseWriter, err error) {
	refusal, ok := errors.AsType[*local.RequestError](err)
	if !ok {
		refusal = &local.RequestError{StatusCode: http.StatusServiceUnavailable, Type: "ServiceUnavailableException", Message: err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", refusal.Type)
	w.WriteHeader(refusal.StatusCode)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "message": refusal.Message})
}

// status is what /_golam/ answers.
type status struct {
	Root      string          `json:"root"`
	Problem   string          `json:"problem,omitempty"`
	Functions []FunctionState `json:"functions"`
}

func (s *server) status(w http.ResponseWriter, _ *http.Request) {
	s.session.mu.Lock()
	now := status{Root: s.session.live.Root(), Problem: s.session.problem, Functions: s.session.functionStates()}
	s.session.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(now)
}
