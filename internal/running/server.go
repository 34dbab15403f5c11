package running

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
)

// Prefix is what the paths of all requests for a [Server] begin with.
const Prefix = "/_golam/"

const (
	statusPath = Prefix
	settlePath = Prefix + "settle"
	provePath  = Prefix + "prove"
)

const bearer = "Bearer "

// Server answers what other golams of the same user ask a golam watch.
type Server struct {
	mux    *http.ServeMux
	secret string
}

// NewServer makes a server for a golam watch. Settle returns when what has been saved is served: the named function, or all functions if
// the name is empty.
func NewServer(status func() Status, settle func(ctx context.Context, function string) error) *Server {
	s := &Server{mux: http.NewServeMux(), secret: newSecret()}
	tell := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(status())
	}
	s.mux.HandleFunc("GET "+provePath, s.prove)
	s.mux.HandleFunc("GET "+statusPath+"{$}", s.ownerOnly(func(w http.ResponseWriter, _ *http.Request) { tell(w) }))
	s.mux.HandleFunc("POST "+settlePath, s.ownerOnly(func(w http.ResponseWriter, r *http.Request) {
		if err := settle(r.Context(), r.URL.Query().Get("function")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		tell(w)
	}))
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// prove answers the challenge of another golam.
func (s *Server) prove(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(proofHeader, proof(s.secret, r.Header.Get(challengeHeader)))
	w.WriteHeader(http.StatusNoContent)
}

// ownerOnly accepts only requests that carry the secret.
func (s *Server) ownerOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given, found := strings.CutPrefix(r.Header.Get("Authorization"), bearer)
		if !found || subtle.ConstantTimeCompare([]byte(given), []byte(s.secret)) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}
