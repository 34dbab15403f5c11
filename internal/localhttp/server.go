// Package localhttp is how golam listens for HTTP on this machine. Every server that golam starts is a [Server].
//
// What belongs here: who may send requests (pages of other sites may not), how long a request may take, and how much memory and how many
// connections all of them together may use. What does not: what is served.
package localhttp

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Options say what a [Server] serves, and to whom. Zero values of the limits are sensible defaults.
type Options struct {
	Handler http.Handler
	// Host is the name or address that the user asked to listen at. Requests may name it in their Host header.
	Host string
	// Pages lets pages that this machine serves send requests. Without it, no browser may.
	Pages bool
	// Refuse answers a request that does not reach the handler, in the form of the API that is served.
	Refuse func(w http.ResponseWriter, status int, message string)
	// Whole reads the body of each request before the handler runs, up to this many bytes and one more, which tells the handler that the
	// body is too large. Handlers then get a body that does not block. Zero leaves the reading to the handler, see [ReadBody].
	Whole int64
	// Budget bounds the bytes of bodies that are being read at the same time. Servers may share one.
	Budget *Budget
	// Stall is how long a request or a response may make no progress, and BodyTime how long a body may take as a whole.
	Stall, BodyTime time.Duration
	// Idle is how long a connection may wait for its next request.
	Idle time.Duration
	// ConnContext is that of [http.Server]. It may be nil.
	ConnContext func(ctx context.Context, conn net.Conn) context.Context
	// Connections is how many there may be. Beyond it, the one that has been idle the longest is closed.
	Connections int
	// HeaderBytes is the largest size of a request's headers.
	HeaderBytes int
}

// Defaults of [Options].
const (
	headerTime         = 10 * time.Second
	defaultStall       = 10 * time.Second
	defaultBodyTime    = 2 * time.Minute
	defaultIdle        = 2 * time.Minute // clients give up after 90 s: Go's own, and the SDKs'
	defaultConnections = 1000
	defaultHeaderBytes = 64 << 10
	defaultBudget      = 64 << 20
)

func (o Options) complete() Options {
	setDefault(&o.Stall, defaultStall)
	setDefault(&o.BodyTime, defaultBodyTime)
	setDefault(&o.Idle, defaultIdle)
	setDefault(&o.Connections, defaultConnections)
	setDefault(&o.HeaderBytes, defaultHeaderBytes)
	if o.Budget == nil {
		o.Budget = NewBudget(defaultBudget)
	}
	if o.Refuse == nil {
		o.Refuse = func(w http.ResponseWriter, status int, message string) { http.Error(w, message, status) }
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Server is an HTTP server at work.
type Server struct {
	// Address is host:port, where it listens.
	Address string
	// URL is its base URL, for programs on this machine.
	URL string

	http  *http.Server
	ended chan struct{}
}

// Serve serves requests that come in through a listener until it is closed. Requests get contexts that end with their connection or with
// the server, not with ctx, which gives them its values.
func Serve(ctx context.Context, listener net.Listener, options Options) *Server {
	options = options.complete()
	s := &Server{Address: listener.Addr().String(), URL: baseURL(listener.Addr()), ended: make(chan struct{})}
	s.http = &http.Server{
		Handler:           newGuard(options, s.URL).protect(options.limit(options.Handler)),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       options.Idle,
		MaxHeaderBytes:    options.HeaderBytes,
		ConnContext:       options.ConnContext,
		ConnState:         newConnections(options.Connections).changed,
		ErrorLog:          log.New(io.Discard, "", 0), // mistakes of clients
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), budgetKey{}, options.Budget)
		},
	}
	go func() {
		defer close(s.ended)
		_ = s.http.Serve(listener)
	}()
	return s
}

// baseURL is an address that programs of this machine reach the server at, also if it listens at every address.
func baseURL(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return "http://" + address.String()
	}
	ip := tcp.AddrPort().Addr().Unmap()
	if ip.IsUnspecified() {
		// A listener at every address, of either kind, takes IPv4 too.
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return "http://" + netip.AddrPortFrom(ip, tcp.AddrPort().Port()).String()
}

// Close frees the port and ends all connections.
func (s *Server) Close() {
	_ = s.http.Close()
	<-s.ended
}

// Shutdown gives requests under way a moment to end, and closes the server.
func (s *Server) Shutdown() {
	const atMost = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	_ = s.http.Shutdown(ctx)
	s.Close()
}
