package publisher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/netstream"
)

// counter serves EventBridge over TLS and counts connections and requests.
type counter struct {
	*httptest.Server
	connections, requests atomic.Int32
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			c.requests.Add(1)
		}
		_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
	}))
	c.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.connections.Add(1)
		}
	}
	c.StartTLS()
	t.Cleanup(c.Close)
	endpoint(t, nil)
	t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", c.URL)
	return c
}

// dial connects to the server, whose certificate it trusts.
func (c *counter) dial(ctx context.Context, network, address string) (*netstream.Stream, error) {
	roots := x509.NewCertPool()
	roots.AddCert(c.Certificate())
	return netstream.DialTLS(ctx, network, address, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
}

func putOne(ctx context.Context, t *testing.T, bus *eventBridge) {
	t.Helper()
	codes, err := bus.put(ctx, []entry{{busName: "tokens", detail: `{}`, time: time.Now()}})
	if err != nil || len(codes) != 1 || codes[0] != "" {
		t.Fatalf("got %q, %v", codes, err)
	}
}

func (c *counter) want(t *testing.T, connections, requests int32) {
	t.Helper()
	if c.connections.Load() != connections || c.requests.Load() != requests {
		t.Errorf("%d connections for %d requests, want %d for %d", c.connections.Load(), c.requests.Load(), connections, requests)
	}
}

// TestConnectionIsOpenedEarly counts the connections of several requests, the first of which comes while the connection is being made.
func TestConnectionIsOpenedEarly(t *testing.T) {
	server := newCounter(t)
	bus := newEventBridgeBy(server.dial, defaultTimeout)
	for range 3 {
		putOne(t.Context(), t, bus)
	}
	server.want(t, 1, 3)
	bus.used = bus.used.Add(-idleTimeout)
	putOne(t.Context(), t, bus)
	server.want(t, 2, 4) // one was idle for too long
	server.CloseClientConnections()
	putOne(t.Context(), t, bus) // in the same attempt
	server.want(t, 3, 5)
	if bus.used != bus.used.Round(0) {
		t.Error("the time of the last use is on the monotonic clock, which may stand still")
	}
}

// watched records whether it was closed.
type watched struct {
	net.Conn
	closed bool
}

func (w *watched) Close() error {
	w.closed = true
	return w.Conn.Close()
}

func TestEarlyConnectionThatIsOld(t *testing.T) {
	server := newCounter(t)
	bus := newEventBridgeBy(server.dial, defaultTimeout)
	early := <-bus.early
	old := &watched{Conn: early.Conn}
	early.Conn, early.opened = old, now().Add(-earlyTimeout)
	again := make(chan earlyStream, 1)
	again <- early
	bus.early = again
	putOne(t.Context(), t, bus)
	server.want(t, 2, 1)
	if !old.closed {
		t.Error("it is left open")
	}
}

// TestEarlyConnectionThatEnded publishes though the server has closed the connection before the first request, which must not cost an attempt.
func TestEarlyConnectionThatEnded(t *testing.T) {
	server := newCounter(t)
	bus := newEventBridgeBy(server.dial, defaultTimeout)
	early := <-bus.early
	server.CloseClientConnections()
	for early.Quiet() { // until it has heard of that
		runtime.Gosched()
	}
	again := make(chan earlyStream, 1)
	again <- early
	bus.early = again
	putOne(t.Context(), t, bus)
	server.want(t, 2, 1)
}

// TestEarlyConnectionIsNotLost gives up an attempt that waits for the connection.
func TestEarlyConnectionIsNotLost(t *testing.T) {
	server := newCounter(t)
	open := make(chan struct{})
	bus := newEventBridgeBy(func(ctx context.Context, network, address string) (*netstream.Stream, error) {
		<-open
		return server.dial(ctx, network, address)
	}, defaultTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bus.put(ctx, []entry{{}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	close(open)
	putOne(t.Context(), t, bus)
	server.want(t, 1, 1)
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct{ region, endpoint, want string }{
		{"eu-west-1", "", "https://events.eu-west-1.amazonaws.com"},
		{"cn-north-1", "", "https://events.cn-north-1.amazonaws.com.cn"},
		{"eusc-de-east-1", "", "https://events.eusc-de-east-1.amazonaws.eu"},
		{"eu-west-1", "http://127.0.0.1:1/path", "http://127.0.0.1:1/path"},
	} {
		t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", test.endpoint)
		if got := endpointOf(test.region).String(); got != test.want {
			t.Errorf("%s, %q: got %s, want %s", test.region, test.endpoint, got, test.want)
		}
	}
	for _, endpoint := range []string{"ftp://127.0.0.1", "127.0.0.1:1", "://", "events"} {
		t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", endpoint)
		if _, err := newEventBridge(defaultTimeout).put(t.Context(), []entry{{}}); err == nil {
			t.Errorf("%s is an endpoint", endpoint)
		}
	}
}
