package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/golam-cli/golam/internal/httpevent"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/localhttp"
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
	url     string
	moved   bool // the default address was taken
	http    *localhttp.Server
	secret  string
}

func listen(s *Session, address string) (*server, error) {
	var config net.ListenConfig
	host, port, err := parseAddress("--address", address, DefaultAddress)
	if err != nil {
		return nil, err
	}
	srv := &server{session: s, secret: newSecret()}
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
	srv.http = localhttp.Serve(s.ctx, listener, localhttp.Options{
		Handler: srv.handler(), Host: host, Pages: true, Whole: maxBody,
		Refuse: func(w http.ResponseWriter, status int, message string) {
			kind := "ServiceUnavailableException"
			switch status {
			case http.StatusForbidden:
				kind = "AccessDeniedException"
			case http.StatusRequestTimeout:
				kind = "InvalidRequestContentException"
			}
			refuse(w, &local.RequestError{StatusCode: status, Type: kind, Message: message})
		},
	})
	srv.url = srv.http.URL
	return srv, nil
}

// maxBody is the largest body that anything here takes, in bytes: that of a request with spans.
const maxBody = 16 << 20

func (s *server) close() { s.http.Shutdown() }

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
		if err := session.Settle(r.Context(), r.URL.Query().Get("function")); err != nil {
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
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	})
}

func (s *server) serveFunction(w http.ResponseWriter, r *http.Request, name, path string) {
	if path == "" {
		path = "/"
	}
	function, format, err := s.session.byHost(r.Context(), name)
	if err != nil {
		httpevent.Refuse(w, err)
		return
	}
	httpevent.Serve(w, r, path, format, func(ctx context.Context, in local.Invocation) (local.Result, error) {
		return s.session.Invoke(ctx, function, in)
	})
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
