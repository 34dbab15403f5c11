//go:build linux

package golden_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/ports"
)

// traceFault is one thing that can be wrong with telemetry, and what becomes of the spans.
type traceFault struct {
	name string
	// handler answers exports; without one, nobody listens until the fault is mended.
	handler     http.HandlerFunc
	certificate *tls.Certificate // makes it HTTPS
	env         map[string]string
	edits       []edit        // of the project before it is built
	timeout     time.Duration // of the function, 4 s if it is 0
	payload     func(event []byte) []byte
	healthy     bool

	// spans that each invocation makes, 1 if it is 0; and whether they arrive.
	spans   int
	arrive  bool
	mends   bool   // the fault can be mended from here
	says    string // part of the one line of the log
	message string // of that line; "telemetry dropped" if it is empty
}

// noPause makes the function try again in each invocation.
var noPause = []edit{
	{file: "internal/platform/telemetry/buffer.go", old: "longestPause = 30 * time.Second", new: "longestPause = time.Nanosecond"},
}

// manySpans is a policy whose lookup makes 999 spans.
const manySpans = `package tokencustomizer

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"

	"example.com/sam-otlp/internal/platform/pretoken"
	"example.com/sam-otlp/internal/platform/tokens"
)

const Trigger = pretoken.V2

func Policy() tokens.Policy {
	return tokens.Policy{
		Rules: []tokens.Rule{{Claims: []tokens.Claim{
			{Name: "tenant_id", From: tokens.Attribute("custom:tenant_id")}, {Name: "plan", From: tokens.Attribute("custom:plan")}, {Name: "roles", From: tokens.Groups()},
		}}},
		Lookup: tokens.Lookup{Timeout: time.Second, Claims: []string{"tier"}, Find: func(ctx context.Context, _ *pretoken.Event) (tokens.Found, error) {
			for range 998 {
				_, span := otel.Tracer("test").Start(ctx, "step")
				span.End()
			}
			return tokens.Found{}, nil
		}},
		MaxSize: 2048,
	}
}
`

func traceFaults(t *testing.T) []traceFault {
	t.Helper()
	const never = 20 * time.Second
	taken := status(http.StatusOK, "{}")
	ours := newAuthority(t)
	secretFrom := func(manager http.HandlerFunc) map[string]string {
		server := httptest.NewServer(manager)
		t.Cleanup(server.Close)
		return map[string]string{
			"OTLP_HEADERS_SECRET_ARN":          "arn:aws:secretsmanager:us-east-1:123456789012:secret:otlp",
			"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL,
		}
	}
	secret := func(code int, body string) map[string]string { return secretFrom(status(code, body)) }
	trusted := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(trusted, ours.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	redirect := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}
	many := edit{file: "internal/tokencustomizer/policy.go", new: manySpans}
	noExtension := edit{file: "internal/platform/telemetry/extension.go", old: "/2020-01-01/extension/", new: "/2020-01-01/none/"}
	several := edit{file: "internal/platform/telemetry/telemetry.go", old: "oneAtATime(env.getenv)", new: "false"}
	const early = "telemetry is sent before the answer"
	large := func(event []byte) []byte {
		return bytes.Replace(event, []byte(`"clientMetadata": {`), []byte(`"clientMetadata": {"large":"`+strings.Repeat("x", 1<<20)+`",`), 1)
	}
	return []traceFault{
		{name: "healthy", handler: taken, healthy: true, arrive: true},
		{name: "slow", handler: wait(50*time.Millisecond, taken), arrive: true},
		{name: "refused", mends: true, says: "connection refused"},
		{name: "hangs", handler: wait(never, taken), mends: true, says: "does not answer in time"},
		{name: "503", handler: status(503, ""), mends: true, says: "503"},
		{name: "429", handler: status(429, ""), mends: true, says: "429"},
		{name: "half an answer", handler: cut, mends: true, says: "ends early"},
		{name: "redirect", handler: redirect, mends: true, says: "redirects to"},
		{name: "unknown authority", handler: taken, certificate: sign(t, ours, "localhost", time.Now().Add(time.Hour)), says: "unknown authority"},
		{
			name: "authority of one's own", handler: taken, certificate: sign(t, ours, "localhost", time.Now().Add(time.Hour)), arrive: true,
			env: map[string]string{"SSL_CERT_FILE": trusted, "SSL_CERT_DIR": filepath.Dir(trusted)},
		},
		{
			name: "wrong URL", handler: taken, env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
			says: "OTEL_EXPORTER_OTLP_ENDPOINT", message: `"telemetry"`,
		},
		{
			name: "wrong header", handler: taken, env: map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=1,wrong"}, arrive: true,
			says: "OTEL_EXPORTER_OTLP_HEADERS has no name=value as its element 2", message: `"telemetry"`,
		},
		{name: "secret missing", handler: taken, env: secret(400, `{"__type":"ResourceNotFoundException"}`), says: "ResourceNotFoundException"},
		{name: "secret hangs", handler: taken, env: secretFrom(wait(never, taken)), says: "the secret with the headers"},
		{name: "secret", handler: taken, env: secret(200, `{"SecretString":"api-key=abc"}`), arrive: true},
		{name: "no extensions", handler: taken, edits: []edit{noExtension}, arrive: true, says: "404", message: early},
		{name: "more than one at a time", handler: taken, edits: []edit{several}, arrive: true, says: "several", message: early},
		{name: "deadline 300 ms away", handler: taken, timeout: 300 * time.Millisecond, arrive: true},
		{name: "event of 1 MB", handler: taken, payload: large, arrive: true},
		{name: "1,000 spans", handler: taken, edits: []edit{many}, spans: 1000, arrive: true},
		{name: "1,000 spans and 503", handler: status(503, ""), edits: []edit{many}, spans: 1000, mends: true, says: "503"},
		{name: "deadline and hangs", handler: wait(never, taken), timeout: 300 * time.Millisecond, mends: true, says: "does not answer in time"},
		{name: "no extensions and hangs", handler: wait(never, taken), edits: []edit{noExtension}, mends: true, says: "does not answer in time"},
		{name: "1 MB and half an answer", handler: cut, payload: large, mends: true, says: "ends early"},
		{name: "secret missing and hangs", handler: wait(never, taken), env: secret(500, ""), says: "500"},
	}
}

// TestTelemetryFaults shows that a sign-in gets its token whatever becomes of the spans, that no answer turns into a timeout afterwards,
// that spans are sent or counted as dropped, that one line of the log says so, and that nothing is left in the process: GOLAM_FULL=1 makes
// 10,000 invocations of the healthy one and 100 of each fault, otherwise it is a tenth.
func TestTelemetryFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions and takes some seconds")
	}
	healthy, broken := 1_000, 10
	if os.Getenv(fullVariable) != "" {
		healthy, broken = 10_000, 100
	}
	table := traceFaults(t)
	var invocations, spans atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, project := range exporting {
			impatient := edited(t, project, noPause)
			for _, fault := range table {
				t.Run(project+"/"+fault.name, func(t *testing.T) {
					t.Parallel()
					n := broken
					if fault.healthy {
						n = healthy
					}
					bootstrap := impatient
					if fault.edits != nil {
						bootstrap = edited(t, project, append(slices.Clone(noPause), fault.edits...))
					}
					fault.try(t, bootstrap, sampleEvent(t), n, &spans)
					invocations.Add(int64(n))
				})
			}
		}
	})
	counts.Report(t, "%d states of telemetry, %d sign-ins with %d spans: each token at once, each span sent or counted, nothing left behind",
		len(table), invocations.Load(), spans.Load())
}

// exporting are the golden projects whose telemetry is tried, one for each HTTP client.
var exporting = []string{"sam-otlp", "sam-otlp-slim"}

// edited builds the function of a golden project with edits.
func edited(t *testing.T, project string, edits []edit) string {
	t.Helper()
	folder := projectOf(t, project)
	for _, edit := range edits {
		edit.new = strings.ReplaceAll(edit.new, "example.com/sam-otlp/", "example.com/"+project+"/")
		edit.apply(t, folder)
	}
	return bootstrapOf(t, folder)
}

// traceSink is an endpoint that has a fault until it is mended.
type traceSink struct {
	address string
	mended  atomic.Bool
	spans   atomic.Int64 // that it took
}

func (s *traceSink) serve(t *testing.T, f traceFault) {
	t.Helper()
	if f.handler == nil {
		s.address = "http://" + refusing(t)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = "http://" + listener.Addr().String()
	server := s.server(t, listener, f)
	if f.certificate == nil {
		server.Start()
		return
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*f.certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	s.address = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// refusing returns an address that refuses connections until something listens there by that name.
func refusing(t *testing.T) string {
	t.Helper()
	port, err := ports.Reserve()
	if err == nil {
		t.Cleanup(func() { _ = port.Close() })
		err = port.HandOver()
	}
	if err != nil {
		t.Fatal(err)
	}
	return port.Address
}

func (s *traceSink) server(t *testing.T, listener net.Listener, f traceFault) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.mended.Load() && !f.arrive {
			f.handler(w, r)
			return
		}
		count, err := countSpans(r)
		if err != nil {
			t.Error(err)
		}
		s.spans.Add(count)
		if f.handler != nil && !s.mended.Load() {
			f.handler(w, r)
		}
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail as they should
	t.Cleanup(server.Close)
	return server
}

// mend has the endpoint take spans from now on.
func (s *traceSink) mend(t *testing.T, f traceFault) {
	t.Helper()
	s.mended.Store(true)
	if f.handler == nil {
		listener, err := net.Listen("tcp", strings.TrimPrefix(s.address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		s.server(t, listener, f).Start()
	}
}

func countSpans(r *http.Request) (int64, error) {
	body, err := gzip.NewReader(r.Body)
	if err != nil {
		return 0, err
	}
	var batch exported
	if err := json.NewDecoder(body).Decode(&batch); err != nil {
		return 0, err
	}
	count := 0
	for _, resource := range batch.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			count += len(scope.Spans)
		}
	}
	return int64(count), nil
}

func (f traceFault) try(t *testing.T, bootstrap string, event []byte, n int, total *atomic.Int64) {
	t.Helper()
	var sink traceSink
	sink.serve(t, f)
	mark := fmt.Sprintf("GOLAM_TRACE_FAULT=%s-%d", strings.ReplaceAll(f.name, " ", "-"), time.Now().UnixNano())
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.address, "GOTRACEBACK": "all"}
	maps.Copy(env, f.env)
	name, value, _ := strings.Cut(mark, "=")
	env[name] = value
	if f.payload != nil {
		event = f.payload(event)
	}
	lambda, lines := serveTraced(t, bootstrap, env, func(function *local.Function) {
		if f.timeout > 0 {
			function.Timeout = f.timeout
		}
	})
	sign := func() local.Result {
		// With its report, so that the flush is over.
		result := invoke(t, lambda, local.Invocation{Payload: event, Report: true})
		if result.FunctionError != "" || result.Report.ErrorType != "" {
			t.Fatalf("no token: %s, %s", result.Payload, result.Report.ErrorType)
		}
		checkEcho(t, event, result.Payload)
		return result
	}

	const warm = 5 // invocations until everything is open that stays so
	var files int
	durations := make([]time.Duration, n)
	for i := range n {
		durations[i] = sign().Duration
		if i+1 == warm {
			files = len(openFiles(t, mark))
		}
	}
	const passing = 2 // a connection that is being closed or opened
	if got := len(openFiles(t, mark)); got > files+passing {
		t.Errorf("%d files are open after %d invocations, and were %d after %d", got, n, files, warm)
	}
	spans := max(f.spans, 1)
	want := int64(n * spans)
	total.Add(want)
	if !f.arrive {
		want = 0
	}
	if got := sink.spans.Load(); got != want {
		t.Errorf("%d spans arrived, want %d", got, want)
	}
	f.checkLog(t, lines)
	if f.mends {
		sink.mend(t, f)
		sign()
		if got := sink.spans.Load(); got != int64(spans) {
			t.Errorf("%d spans arrive when the fault is mended, want %d", got, spans)
		}
		again := lines.matching("telemetry arrives again")
		if len(again) != 1 || !strings.Contains(again[0], fmt.Sprintf(`"droppedSpans":%d`, n*spans)) {
			t.Errorf("%d spans were dropped, and the log has %q", n*spans, again)
		}
	}
	if err := unix.Kill(processOf(t, mark), unix.SIGCONT); err != nil { // it is frozen
		t.Fatal(err)
	}
	end(t, mark)
	if err := lambda.Close(t.Context()); err != nil {
		t.Error(err)
	}
	const mostGoroutines = 25
	if goroutines := len(lines.beginning("goroutine ")); goroutines == 0 || goroutines > mostGoroutines {
		t.Errorf("the process ended with %d goroutines, want 1 to %d", goroutines, mostGoroutines)
	}
	slices.Sort(durations)
	t.Logf("%s: %d invocations, median %.1f ms, worst %.1f ms", f.name, n, milliseconds(durations[n/2]), milliseconds(durations[n-1]))
}

// checkLog wants one line about what is wrong, and none where nothing is.
func (f traceFault) checkLog(t *testing.T, lines *functionLog) {
	t.Helper()
	said := lines.matching("telemetry")
	if f.says == "" {
		if len(said) != 0 {
			t.Errorf("logged %q", said)
		}
		return
	}
	message := f.message
	if message == "" {
		message = "telemetry dropped"
		said = slices.DeleteFunc(said, func(line string) bool { return strings.Contains(line, "before the answer") })
	}
	if len(said) != 1 || !strings.Contains(said[0], message) || !strings.Contains(said[0], f.says) {
		t.Errorf("logged %q, not one line with %q and %q", said, message, f.says)
	}
}

// beginning returns the lines with a prefix.
func (l *functionLog) beginning(prefix string) []string {
	return slices.DeleteFunc(l.matching(prefix), func(line string) bool { return !strings.HasPrefix(line, prefix) })
}

// TestSpansAtTheEnd wants the span of an invocation that times out, and spans that could not be sent before, to be sent between SIGTERM
// and SIGKILL.
func TestSpansAtTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	for _, project := range exporting {
		t.Run(project+"/timeout", func(t *testing.T) {
			t.Parallel()
			hangs := edited(t, project, []edit{{file: "internal/platform/tokens/handler.go", old: "start := time.Now()\n", new: "start := time.Now()\n\t<-make(chan struct{})\n"}})
			sink := newSink(t)
			lambda, _ := serveTraced(t, hangs, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"},
				func(f *local.Function) { f.Timeout = 500 * time.Millisecond })
			result := invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), TraceID: xrayHeader + ";Sampled=1"})
			if result.FunctionError == "" {
				t.Fatalf("the function answers %s", result.Payload)
			}
			_, span := sink.span(t)
			attributes := spanAttributes(result, true)
			attributes["error.type"] = encodedString("timeout")
			want := exportedSpan{TraceID: xrayTrace, ParentSpanID: xrayParent, Name: "demo", Kind: 2, Flags: 0x301}
			want.Status.Code, want.Status.Message = 2, "stopped before its answer"
			checkSpan(t, span, want, attributes)
		})
		t.Run(project+"/shutdown", func(t *testing.T) {
			t.Parallel()
			f := traceFault{handler: status(503, "")}
			var sink traceSink
			sink.serve(t, f)
			lambda, lines := serveTraced(t, bootstrapOf(t, projectOf(t, project)), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.address})
			for range 3 {
				invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), Report: true})
			}
			sink.mend(t, f)
			if err := lambda.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if got := sink.spans.Load(); got != 2 {
				t.Errorf("%d spans arrive at the end, want those two that waited for the endpoint to recover", got)
			}
			if again := lines.matching("telemetry arrives again"); len(again) != 1 || !strings.Contains(again[0], `"droppedSpans":1`) {
				t.Errorf("logged %q", again)
			}
		})
	}
}
