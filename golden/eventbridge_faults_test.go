//go:build linux

package golden_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/golam-cli/golam/internal/authority"
	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/local"
)

// fullVariable makes the fault tests run as many invocations as the documentation speaks of, instead of a tenth.
const fullVariable = "GOLAM_FULL"

// fault is one thing that can be wrong with EventBridge, and what becomes of the event.
type fault struct {
	name string
	// handler answers PutEvents; without one, nobody listens.
	handler http.HandlerFunc
	// certificate makes it HTTPS.
	certificate *tls.Certificate
	env         map[string]string
	edit        *edit         // of the project before it is built
	timeout     time.Duration // of the function, 4 s if it is 0
	payload     func(event []byte) []byte
	healthy     bool

	published, failed, dropped int    // for each invocation
	requests                   int    // that reach the endpoint
	reason                     string // alternatives, for different clients, have | between them
	refuses                    bool
}

// explains tells that a reason which is logged is the one to expect.
func (f fault) explains(reason string) bool {
	return slices.ContainsFunc(strings.Split(f.reason, "|"), func(part string) bool { return strings.Contains(reason, part) })
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func wait(duration time.Duration, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a client that hangs up only after the body
		select {
		case <-time.After(duration):
			then(w, r)
		case <-r.Context().Done():
		}
	}
}

func faults(t *testing.T) []fault {
	t.Helper()
	const never = time.Hour
	const deadline = "context deadline exceeded"
	taken := status(http.StatusOK, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
	ours, stranger := newAuthority(t), newAuthority(t)
	roots := func(a *authority.Authority) map[string]string {
		file := filepath.Join(t.TempDir(), "roots.pem")
		if err := os.WriteFile(file, a.PEM(), 0o600); err != nil {
			t.Fatal(err)
		}
		return map[string]string{"SSL_CERT_FILE": file, "SSL_CERT_DIR": filepath.Dir(file)}
	}
	soon := time.Now().Add(time.Hour)
	return []fault{
		{name: "healthy", handler: taken, healthy: true, published: 1, requests: 1},
		{name: "hangs up after each answer", handler: hangUp, published: 1, requests: 1},
		{name: "slow", handler: wait(50*time.Millisecond, taken), published: 1, requests: 1},
		{name: "very slow", handler: wait(600*time.Millisecond, taken), failed: 1, requests: 2, reason: deadline},
		{name: "hangs", handler: wait(never, nil), failed: 1, requests: 2, reason: deadline},
		{name: "refused", failed: 1, reason: "connection refused"},
		{name: "500", handler: status(500, `{"__type":"InternalException","message":"sorry"}`), failed: 1, requests: 2, reason: "InternalException"},
		{name: "429", handler: status(429, `{"__type":"ThrottlingException","message":"slow down"}`), failed: 1, requests: 2, reason: "ThrottlingException"},
		{name: "408", handler: status(408, `{"__type":"RequestTimeoutException"}`), failed: 1, requests: 2, reason: "RequestTimeoutException"},
		{
			name: "failed entry", handler: status(200, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"sorry"}]}`),
			failed: 1, requests: 2, reason: "refused by the bus: InternalFailure",
		},
		{name: "half an answer", handler: cut, failed: 1, requests: 2, reason: "deserialization failed|the answer ends early"},
		{name: "no entry in the answer", handler: status(200, `{"FailedEntryCount":0,"Entries":[]}`), failed: 1, requests: 1, reason: "the bus answers for 0 of 1 events"},
		{name: "not JSON", handler: status(200, `<html>hello</html>`), failed: 1, requests: 1, reason: "deserialization failed|the answer is not JSON"},
		{
			name: "no such bus", handler: status(400, `{"__type":"ResourceNotFoundException","message":"Event bus tokens does not exist."}`),
			failed: 1, requests: 1, reason: "ResourceNotFoundException",
		},
		{name: "no bus", handler: taken, env: map[string]string{"EVENT_BUS_NAME": ""}, dropped: 1, reason: "no bus: set EVENT_BUS_NAME"},
		{name: "no credentials", handler: taken, env: map[string]string{"AWS_ACCESS_KEY_ID": ""}, failed: 1, reason: "no credentials"},
		{
			name: "expired credentials", handler: status(400, `{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}`),
			failed: 1, requests: 1, reason: "ExpiredTokenException",
		},
		{
			name: "Amazon's authority", handler: taken, certificate: sign(t, ours, "localhost", soon), env: roots(stranger),
			edit: &edit{file: "internal/platform/awsroots/roots.pem", new: string(ours.PEM())}, published: 1, requests: 1,
		},
		{name: "the system's authority", handler: taken, certificate: sign(t, ours, "localhost", soon), env: roots(ours), published: 1, requests: 1},
		{name: "unknown authority", handler: taken, certificate: sign(t, ours, "localhost", soon), env: roots(stranger), failed: 1, reason: "signed by unknown authority"},
		{name: "another host's certificate", handler: taken, certificate: sign(t, ours, "elsewhere.example", soon), env: roots(ours), failed: 1, reason: "elsewhere.example"},
		{name: "expired certificate", handler: taken, certificate: sign(t, ours, "localhost", time.Now().Add(-time.Hour)), env: roots(ours), failed: 1, reason: "expired"},
		{name: "deadline 300 ms away", handler: taken, timeout: 300 * time.Millisecond, dropped: 1, reason: "no time left before the deadline"},
		{name: "hangs before the deadline", handler: wait(never, nil), timeout: time.Second, failed: 1, requests: 1, reason: deadline},
		{
			name: "large", handler: taken, published: 1, requests: 1,
			payload: func(event []byte) []byte {
				return bytes.Replace(event, []byte(`"clientId": "`), []byte(`"clientId": "`+strings.Repeat("x", 1_000_000)), 1)
			},
		},
		{
			name: "too large", handler: taken, dropped: 1, reason: "and EventBridge takes 1048576",
			payload: func(event []byte) []byte {
				return bytes.Replace(event, []byte(`"clientId": "`), []byte(`"clientId": "`+strings.Repeat("x", 1<<20)), 1)
			},
		},
		{
			name: "failing closed", handler: status(500, `{"__type":"InternalException"}`), failed: 1, requests: 2, reason: "InternalException",
			edit: &edit{file: "cmd/token-customizer/main.go", old: "Logger: logger}", new: "Logger: logger, OnFailure: publisher.Refuse}"}, refuses: true,
		},
	}
}

// cut promises more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 100\r\n\r\n{\"FailedEntryCount\":0,\"Entr")
	_ = conn.Close()
}

// hangUp answers and closes the connection, without a word of it in the answer.
func hangUp(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	const taken = `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: "+strconv.Itoa(len(taken))+"\r\n\r\n"+taken)
	_ = conn.Close()
}

// TestEventBridgeFaults shows that a sign-in gets its token in time whatever EventBridge does, that one line of the log says what became of
// the event, that nothing is sent more often or later than it should be, and that nothing is left in the process: GOLAM_FULL=1 makes
// 10,000 invocations of the healthy one and 100 of each fault, otherwise it is a tenth.
func TestEventBridgeFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions and takes some seconds")
	}
	event, err := os.ReadFile("../internal/invoke/examples/cognito/v2-authentication.json")
	if err != nil {
		t.Fatal(err)
	}
	healthy, broken := 1_000, 10
	if os.Getenv(fullVariable) != "" {
		healthy, broken = 10_000, 100
	}
	table := faults(t)
	var invocations atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, project := range publishing {
			standard := bootstrapOf(t, projectOf(t, project))
			for _, fault := range table {
				t.Run(project+"/"+fault.name, func(t *testing.T) {
					t.Parallel()
					n := broken
					if fault.healthy {
						n = healthy
					}
					fault.try(t, project, standard, event, n)
					invocations.Add(int64(n))
				})
			}
		}
	})
	counts.Report(t, "%d states of EventBridge, %d sign-ins: each token in time, each event accounted for, nothing left behind", len(table), invocations.Load())
}

func (f fault) try(t *testing.T, project, bootstrap string, event []byte, n int) {
	t.Helper()
	if f.edit != nil {
		folder := projectOf(t, project)
		f.edit.apply(t, folder)
		bootstrap = bootstrapOf(t, folder)
	}
	endpoint, requests := f.serve(t)
	mark := fmt.Sprintf("GOLAM_FAULT=%s-%d", strings.ReplaceAll(f.name, " ", "-"), time.Now().UnixNano())
	env := map[string]string{
		"AWS_ENDPOINT_URL_EVENTBRIDGE": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test",
		"EVENT_BUS_NAME": "tokens", "AWS_LAMBDA_LOG_FORMAT": "JSON", "GOTRACEBACK": "all",
	}
	maps.Copy(env, f.env)
	name, value, _ := strings.Cut(mark, "=")
	env[name] = value
	function := local.Function{Name: "f", Bootstrap: bootstrap, MemorySize: 256, Timeout: 4 * time.Second, Concurrency: 1, Env: env}
	if f.timeout > 0 {
		function.Timeout = f.timeout
	}
	if f.payload != nil {
		event = f.payload(event)
	}
	var lines logLines
	lambda, err := local.Start(t.Context(), local.Config{Functions: []local.Function{function}, Log: lines.add})
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop := func() {
		once.Do(func() {
			if err := lambda.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	defer stop()

	const warm = 5 // invocations until everything is open that stays so
	var files int
	durations := make([]time.Duration, n)
	ids := map[string]bool{}
	for i := range n {
		// With its report, since an invocation that comes before the phase of the last one is over would be a second environment's.
		result, err := lambda.Invoke(t.Context(), "f", local.Invocation{Payload: event, Report: true})
		if err != nil {
			t.Fatal(err)
		}
		durations[i] = result.Duration
		ids[result.RequestID] = true
		f.check(t, event, result)
		if t.Failed() {
			t.FailNow()
		}
		if i+1 == warm {
			files = len(openFiles(t, mark))
		}
	}
	const passing = 2 // a connection that is being closed or opened
	if got := len(openFiles(t, mark)); got > files+passing {
		t.Errorf("%d files are open after %d invocations, and were %d after %d", got, n, files, warm)
	}
	end(t, mark)
	stop()
	lines.check(t, f, ids)
	// On a busy machine an answer can come too late for the publisher, which then asks again. Such an invocation takes that long.
	late := 0
	for _, duration := range durations {
		if f.requests == 1 && duration >= attemptTimeout {
			late++
		}
	}
	if got, want := requests.Load(), int64(n*f.requests); got < want || got > want+int64(late) {
		t.Errorf("%d requests reached the endpoint, want %d, and %d of the invocations may have made one more", got, want, late)
	}
	slices.Sort(durations)
	t.Logf("%s: %d invocations, median %.1f ms, worst %.1f ms", f.name, n, milliseconds(durations[n/2]), milliseconds(durations[n-1]))
}

// attemptTimeout is how long a publisher waits for an answer before it asks again.
const attemptTimeout = 500 * time.Millisecond

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// serve starts the endpoint and counts what reaches it.
func (f fault) serve(t *testing.T) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	if f.handler == nil {
		return "http://" + refusing(t), requests
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		f.handler(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail as they should
	t.Cleanup(server.Close)
	if f.certificate == nil {
		server.Start()
		return server.URL, requests
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*f.certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1), requests
}

// check wants the token, or the refusal if the function fails closed.
func (f fault) check(t *testing.T, event []byte, result local.Result) {
	t.Helper()
	if f.refuses {
		if result.FunctionError == "" || !bytes.Contains(result.Payload, []byte("sign-in is not available right now")) {
			t.Errorf("the sign-in is not refused: %s", result.Payload)
		}
		return
	}
	if result.FunctionError != "" || result.Report.ErrorType != "" {
		t.Errorf("no token: %s %s", result.Payload, result.Report.ErrorType)
		return
	}
	outcome, err := cognito.Apply(event, result.Payload)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range outcome.Findings {
		if finding.Severity == cognito.Error { // an event that is too large gives large tokens too
			t.Error(finding)
		}
	}
	checkTokens(t, outcome, event)
}

// logLines are what a function printed.
type logLines struct {
	mu    sync.Mutex
	lines [][]byte
}

func (l *logLines) add(line local.Line) {
	if line.Platform {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line.Text)
}

// check wants one line about the event of each invocation, and few goroutines in the stacks that the process printed at its end.
func (l *logLines) check(t *testing.T, f fault, ids map[string]bool) {
	t.Helper()
	const mostGoroutines = 15
	goroutines := 0
	for _, line := range l.lines {
		if bytes.HasPrefix(line, []byte("goroutine ")) {
			goroutines++
		}
		var entry struct {
			RequestID                                    string `json:"requestId"`
			Level, Message, Reason                       string
			EventsPublished, EventsFailed, EventsDropped *int
		}
		if err := json.Unmarshal(line, &entry); err != nil || entry.EventsPublished == nil {
			continue
		}
		level, message := "INFO", "event published"
		if f.published == 0 {
			level, message = "WARN", "event not published"
		}
		if !ids[entry.RequestID] || entry.Level != level || entry.Message != message || !f.explains(entry.Reason) || (f.reason == "") != (entry.Reason == "") ||
			*entry.EventsPublished != f.published || *entry.EventsFailed != f.failed || *entry.EventsDropped != f.dropped {
			t.Fatalf("logged: %s", line)
		}
		delete(ids, entry.RequestID)
	}
	if len(ids) > 0 {
		t.Errorf("of %d invocations nothing is logged", len(ids))
	}
	if goroutines == 0 || goroutines > mostGoroutines {
		t.Errorf("the process ended with %d goroutines, want 1 to %d", goroutines, mostGoroutines)
	}
}

// processOf finds the one process that has the environment variable.
func processOf(t *testing.T, mark string) int {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(entry)
		if err != nil || !bytes.Contains(content, []byte(mark+"\x00")) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(entry, "/proc/%d/environ", &pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatalf("no process has %s", mark)
	return 0
}

func openFiles(t *testing.T, mark string) []os.DirEntry {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", processOf(t, mark)))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// end makes the process print the stacks of its goroutines, and waits for its end.
func end(t *testing.T, mark string) {
	t.Helper()
	process, err := unix.PidfdOpen(processOf(t, mark), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	if err := unix.PidfdSendSignal(process, unix.SIGQUIT, nil, 0); err != nil {
		t.Fatal(err)
	}
	const patience = 30_000 // milliseconds
	for {
		switch n, err := unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, patience); {
		case err == unix.EINTR:
			continue
		case err != nil || n == 0:
			t.Fatalf("the process does not end: %v", err)
		}
		return
	}
}

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	made, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func sign(t *testing.T, by *authority.Authority, host string, until time.Time) *tls.Certificate {
	t.Helper()
	certificate, err := by.Sign(host, until)
	if err != nil {
		t.Fatal(err)
	}
	return &certificate
}
