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
	"strconv"
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
//	/_golam/                                               what other golams of this user ask
type server struct {
	session *Session
	host    string // as configured
	url     string
	moved   bool // the default address was taken
	secret  string

	http  *http.Server
	ended chan struct{}
}

func listen(s *Session, address string) (*server, error) {
	var config net.ListenConfig
	host, port, err := parseAddress("--address", address, DefaultAddress)
	if err != nil {
		return nil, err
	}
	srv := &server{session: s, host: host, secret: newSecret(), ended: make(chan struct{})}
	wanted := net.JoinHostPort(host, strconv.Itoa(port))
	listener, err := config.Listen(s.ctx, "tcp", wanted)
	if err != nil && address == "" {
		// Systems differ in what they say of a port that is taken.
		if other, failed := config.Listen(s.ctx, "tcp", net.JoinHostPort(host, "0")); failed == nil {
			srv.moved, listener, err = true, other, nil
		}
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
		if err := session.ready(r.Context(), local.FunctionName(r.PathValue("name"))); err != nil {
			refuse(w, err)
			return
		}
		invokeAPI.ServeHTTP(w, r)
	}
	mux.HandleFunc("/2015-03-31/functions/{name}/invocations", invoke)
	mux.HandleFunc("/2021-11-15/functions/{name}/response-streaming-invocations", invoke)
	mux.Handle("/v1/traces", session.traces)
	mux.HandleFunc("GET "+provePath, s.prove)
	mux.HandleFunc("GET /_golam/{$}", s.ownerOnly(s.status))
	mux.HandleFunc("POST /_golam/settle", s.ownerOnly(func(w http.ResponseWriter, r *http.Request) {
		if err := session.Settle(r.Context()); err != nil {
			refuse(w, err)
			return
		}
		s.status(w, r)
	}))
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
		path := r.URL.EscapedPath()
		if host := strings.ToLower(hostname(r.Host)); strings.HasSuffix(host, ".localhost") {
			s.serveFunction(w, r, strings.TrimSuffix(host, ".localhost"), path)
			return
		}
		// Not by the mux, which would redirect paths that it does not find clean.
		if rest, found := strings.CutPrefix(path, urlPrefix); found && rest != "" {
			escaped, _, _ := strings.Cut(rest, "/")
			if name, err := url.PathUnescape(escaped); err == nil {
				s.serveFunction(w, r, name, strings.TrimPrefix(rest, escaped))
				return
			}
		}
		mux.ServeHTTP(w, r)
	}))
}

func (s *server) serveFunction(w http.ResponseWriter, r *http.Request, name, path string) {
	if path == "" {
		path = "/"
	}
	httpevent.Serve(w, r, path, func(ctx context.Context, in local.Invocation) (local.Result, error) {
		return s.session.invokeHost(ctx, name, in)
	})
}

// protect keeps pages of the web away from functions: by a name of their own that leads here (DNS rebinding), and by forms, images and scripts. A
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
		} else if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !followed(r) {
			refuse(w, &local.RequestError{
				StatusCode: http.StatusForbidden, Type: "AccessDeniedException", Message: "a page of another site may not ask",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// followed tells that somebody has followed a link, which leads to a page of its own: no image, script or frame of another site's page.
func followed(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
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
