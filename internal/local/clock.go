package local

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Times of a function are taken at its connections: from the moment an event begins to leave until the last bytes of the answer have come.
// What golam's own HTTP server does before and after, which is a third of a short invocation, does not count as the function's.

// timedListener accepts connections that know these moments.
type timedListener struct{ net.Listener }

func (l timedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // the server looks at it
	}
	return &timedConn{Conn: conn}, nil
}

type timedConn struct {
	net.Conn
	arrived atomic.Pointer[time.Time]  // when bytes last came
	carries atomic.Pointer[invocation] // leaves with the next bytes that are written
}

func (c *timedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		now := time.Now()
		c.arrived.Store(&now)
	}
	return n, err //nolint:wrapcheck // the server looks at it
}

func (c *timedConn) Write(p []byte) (int, error) {
	if inv := c.carries.Swap(nil); inv != nil {
		now := time.Now()
		inv.left.CompareAndSwap(nil, &now) // a runtime may ask for the same event again
	}
	return c.Conn.Write(p) //nolint:wrapcheck // the server looks at it
}

type connKey struct{}

// withConn is a ConnContext of http.Server, for connOf.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// connOf gives the connection of a request, nil if it is not a timed one.
func connOf(r *http.Request) *timedConn {
	conn, _ := r.Context().Value(connKey{}).(*timedConn)
	return conn
}

// arrival is when the last bytes of a request came.
func arrival(r *http.Request) time.Time {
	if conn := connOf(r); conn != nil {
		if at := conn.arrived.Load(); at != nil {
			return *at
		}
	}
	return time.Now()
}

// leaves notes that the response to a request carries an invocation to the function.
func (inv *invocation) leaves(r *http.Request) {
	if conn := connOf(r); conn != nil {
		conn.carries.Store(inv)
	}
}

// began is when the event began to leave, or otherwise if that is not known.
func (inv *invocation) began(otherwise time.Time) time.Time {
	if at := inv.left.Load(); at != nil {
		return *at
	}
	return otherwise
}
