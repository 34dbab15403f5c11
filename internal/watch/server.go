package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/localhttp"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/traces"
)

// server is the one address that everything is served at:
//
//	/2015-03-31/functions/..., /2021-11-15/functions/...   the Invoke API
//	/_golam/                                               what other golams of this user ask
//	everything else                                        the services, see [service]
type server struct {
	session *Session
	url     string
	moved   bool // the default address was taken
	http    *localhttp.Server
}

func listen(s *Session, address string) (*server, error) {
	var config net.ListenConfig
	host, port, err := parseAddress("--address", address, DefaultAddress)
	if err != nil {
		return nil, err
	}
	srv := &server{session: s}
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
		Handler: srv.handler(), Host: host, Pages: true, Whole: traces.MaxBody, // the largest body that any service takes
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

func (s *server) close() { s.http.Shutdown() }

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
	mux.Handle(running.Prefix, session.finding)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, &local.RequestError{
			StatusCode: http.StatusNotFound, Type: "UnknownOperationException",
			Message: "nothing is served at " + r.URL.Path + ": HTTP requests for a function go to " + urlPrefix + "<function>/",
		})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux comes last, because it would redirect paths that it does not find clean.
		for _, service := range session.services {
			if service.accepts(r) {
				service.ServeHTTP(w, r)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
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
