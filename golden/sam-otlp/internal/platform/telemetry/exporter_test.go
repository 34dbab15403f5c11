package telemetry

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// collector is an endpoint that gives each batch to take, as JSON, and answers with the status that take returns.
func collector(t *testing.T, take func(path string, body []byte) (status int)) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		content, err := io.ReadAll(body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s with %v: %v", r.Method, r.Header, err)
		}
		w.WriteHeader(take(r.URL.Path, content))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// span is a span that was not sent.
func span(t *testing.T) []sdktrace.ReadOnlySpan {
	t.Helper()
	tracing, recorder, _ := newTestTelemetry(t)
	makeSpans(t, tracing, 1)
	_ = tracing.buffer.ForceFlush(t.Context())
	return recorder.all()
}

func newTestExporter(address string) *exporter {
	config := settings{timeout: patience, gzip: true, headers: http.Header{"Api-Key": {"abc"}}}
	return newExporter(destination{endpoint: address + tracesPath}, config)
}

func TestExport(t *testing.T) {
	var paths []string
	exporter := newTestExporter(collector(t, func(path string, _ []byte) int {
		paths = append(paths, path)
		return http.StatusAccepted
	}))
	for range 3 {
		if err := exporter.ExportSpans(t.Context(), span(t)); err != nil {
			t.Error(err)
		}
	}
	if len(paths) != 3 || paths[0] != "/v1/traces" {
		t.Errorf("posted to %q", paths)
	}
	if err := exporter.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// rawServer answers each connection in its own way, and is closed at the end.
func rawServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			}()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

// answer is a server that gives the status and the body.
func answer(t *testing.T, header http.Header, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// refusing returns an address that refuses connections until the test ends. A socket that is bound but does not listen keeps its port: the
// port of a closed listener could already belong to another test.
func refusing(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strconv.Itoa(address.(*syscall.SockaddrInet4).Port)
}

// faults lists ways in which a collector fails, each with the reason in the log.
func faults(t *testing.T) map[string]struct{ address, says string } {
	t.Helper()
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	status := func(code int) string { return answer(t, nil, code, "") }
	return map[string]struct{ address, says string }{
		"refused":           {"http://" + refusing(t), "connection refused"},
		"hangs":             {rawServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }), "not answer in time"},
		"hangs up":          {rawServer(t, func(net.Conn) {}), ""},
		"half an answer":    {answer(t, http.Header{"Content-Length": {"100"}}, 200, "{"), "ends early"},
		"no HTTP":           {rawServer(t, speakSSH), "malformed"},
		"unknown authority": {unknown.URL, "failed to verify certificate"},
		"redirect":          {answer(t, http.Header{"Location": {"/elsewhere"}}, 307, ""), "redirects to"},
		"wrong path":        {status(404), "404"},
		"wrong key":         {status(401), "401"},
		"busy":              {status(429), "429"},
		"broken":            {status(503), "503"},
		"wrong host":        {"http://name.invalid", ""},
		"wrong URL":         {"http://user:secret@127.0.0.1:99999", ""},
		"rejected":          {answer(t, nil, 200, `{"partialSuccess":{"rejectedSpans":"2"}}`), "rejects 2 spans"},
	}
}

func speakSSH(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1<<10))
	_, _ = io.WriteString(conn, "SSH-2.0\r\n\r\n")
}

// rounds is how often each fault is tried.
const rounds = 10

// TestFaults expects every fault to end in time, with an error that has the reason but no secret, and without leaking goroutines.
func TestFaults(t *testing.T) {
	spans := span(t)
	for name, fault := range faults(t) {
		t.Run(name, func(t *testing.T) {
			exporter := newTestExporter(fault.address)
			export := func() error {
				limit := patience
				if name == "hangs" || name == "wrong host" {
					limit = 20 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				return exporter.ExportSpans(ctx, spans)
			}
			before := runtime.NumGoroutine()
			for range rounds {
				err := export()
				if err == nil || !strings.Contains(err.Error(), fault.says) || strings.Contains(err.Error(), "secret") {
					t.Fatalf("error %v", err)
				}
			}
			exporter.client.CloseIdleConnections()
			for start := time.Now(); runtime.NumGoroutine() > before+2; runtime.Gosched() {
				if time.Since(start) > patience {
					t.Fatalf("%d goroutines have become %d", before, runtime.NumGoroutine())
				}
			}
		})
	}
}

func TestAnswersThatAreFine(t *testing.T) {
	for _, body := range []string{"", "{}", `{"partialSuccess":{}}`, `{"partialSuccess":{"rejectedSpans":0}}`, `{"partialSuccess":{"rejectedSpans":"0"}}`, "not JSON"} {
		if err := newTestExporter(answer(t, nil, 200, body)).ExportSpans(t.Context(), span(t)); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999": time.Hour, "Wed, 21 Oct 2026 07:28:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}); got != want {
			t.Errorf("%q is %s, not %s", value, got, want)
		}
	}
}

// TestDeadConnection sends on a connection that the collector has closed meanwhile, as it does while an execution environment is frozen.
func TestDeadConnection(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	defer server.Close()
	exporter := newTestExporter(server.URL)
	for range 5 {
		if err := exporter.ExportSpans(t.Context(), span(t)); err != nil {
			t.Fatal(err)
		}
		server.CloseClientConnections()
	}
	if requests != 5 {
		t.Errorf("%d requests", requests)
	}
}

// TestRequestTimeout sends a batch to a server that said 408 to the idle connection: before the batch came, or when it came.
func TestRequestTimeout(t *testing.T) {
	const (
		taken   = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
		timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 5\r\n\r\nsorry"
	)
	for name, answers := range map[string][]string{
		"while idle":                  {taken + timeout},
		"while idle, without an end":  {taken + "HTTP/1.1 408 Request Timeout\r\n\r\n"},
		"as the answer":               {taken, timeout},
		"as the answer, and stays on": {taken, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"},
		"on a new connection":         {timeout},
	} {
		t.Run(name, func(t *testing.T) {
			first := make(chan []string, 1) // the answers on the first connection
			first <- answers
			exporter := newTestExporter(rawServer(t, func(conn net.Conn) {
				var script []string
				select {
				case script = <-first:
				default:
				}
				in := bufio.NewReader(conn)
				for i := 0; script == nil || i < len(script); i++ {
					request, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, request.Body); err != nil {
						return
					}
					answer := taken
					if script != nil {
						answer = script[i]
					}
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			}))
			for i := range 3 {
				if err := exporter.ExportSpans(t.Context(), span(t)); err != nil {
					t.Errorf("batch %d: %v", i+1, err)
				}
			}
		})
	}
}
