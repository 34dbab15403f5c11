package telemetry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestClientOwnsItsLines sends headers that speak of the connection, as OTEL_EXPORTER_OTLP_HEADERS may name them.
func TestClientOwnsItsLines(t *testing.T) {
	sent := make(chan string, 1)
	address := rawServer(t, func(conn net.Conn) {
		head := make([]byte, 4<<10)
		n, _ := conn.Read(head)
		sent <- string(head[:n])
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "X-Kept"} {
		request.Header.Set(name, "x")
	}
	response, err := newClient(nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	want := "POST / HTTP/1.1\r\nHost: " + strings.TrimPrefix(address, "http://") + "\r\nX-Kept: x\r\nContent-Length: 4\r\n\r\nbody"
	if got := <-sent; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestClientClosesWithoutWaiting closes a client while its request hangs.
func TestClientClosesWithoutWaiting(t *testing.T) {
	asked := make(chan struct{})
	address := rawServer(t, func(conn net.Conn) {
		close(asked)
		_, _ = io.Copy(io.Discard, conn)
	})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client, ended := newClient(nil), make(chan error)
	go func() {
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		ended <- err
	}()
	<-asked
	client.CloseIdleConnections() // hangs where it waits for the request
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestClientBoundsResponses(t *testing.T) {
	for size, fits := range map[int]bool{maxResponse: true, maxResponse + 1: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), size)) }))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(nil)
		response, err := client.Do(request)
		if (err == nil) != fits {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err == nil {
			_ = response.Body.Close()
		}
		client.CloseIdleConnections()
		server.Close()
	}
}
