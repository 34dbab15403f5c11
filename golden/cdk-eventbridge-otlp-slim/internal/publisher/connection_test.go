package publisher

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// TestConnectionIsOpenedEarly counts the connections of several requests, the first of which comes while the connection is being made.
func TestConnectionIsOpenedEarly(t *testing.T) {
	var connections, requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			requests.Add(1)
		}
		_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", roots)
	endpoint(t, nil)
	t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", server.URL)

	bus := newEventBridge()
	for range 3 {
		codes, err := bus.put(t.Context(), []entry{{busName: "tokens", detail: `{}`, time: time.Now()}})
		if err != nil || len(codes) != 1 || codes[0] != "" {
			t.Fatalf("got %q, %v", codes, err)
		}
	}
	// Amazon's authorities do not know the server, so the first connection is given up for one that trusts the system's.
	if connections.Load() != 2 || requests.Load() != 3 {
		t.Errorf("%d connections for %d requests", connections.Load(), requests.Load())
	}
	bus.used = bus.used.Add(-idleTimeout)
	if _, err := bus.put(t.Context(), []entry{{busName: "tokens", detail: `{}`, time: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	if connections.Load() != 4 {
		t.Errorf("%d connections after one was idle for too long", connections.Load())
	}
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct{ region, endpoint, want string }{
		{"eu-west-1", "", "https://events.eu-west-1.amazonaws.com"},
		{"cn-north-1", "", "https://events.cn-north-1.amazonaws.com.cn"},
		{"eu-west-1", "http://127.0.0.1:1/path", "http://127.0.0.1:1/path"},
	} {
		t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", test.endpoint)
		if got := endpointOf(test.region).String(); got != test.want {
			t.Errorf("%s, %q: got %s, want %s", test.region, test.endpoint, got, test.want)
		}
	}
	for _, endpoint := range []string{"ftp://127.0.0.1", "127.0.0.1:1", "://", "events"} {
		t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", endpoint)
		if _, err := newEventBridge().put(t.Context(), []entry{{}}); err == nil {
			t.Errorf("%s is an endpoint", endpoint)
		}
	}
}
