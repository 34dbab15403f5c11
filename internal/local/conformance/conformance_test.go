package conformance

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/local"
)

// timeout of the functions: no case but one comes near it.
const timeout = 30 * time.Second

func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("building the functions takes too long")
	}
	for _, library := range runtimes() {
		t.Run(library.name, func(t *testing.T) {
			t.Parallel()
			s := subject{library, library.build(t)}
			for _, c := range cases() {
				if library.lacks[c.needs] == "" {
					t.Run(c.name, func(t *testing.T) { c.run(t, s) })
				}
			}
		})
	}
}

// subject is a function on the runtime under test.
type subject struct {
	runtimeLibrary
	bootstrap string
}

// trial is a local Lambda with the function, named fn.
type trial struct {
	*local.Lambda
	t *testing.T

	mu    sync.Mutex
	lines []local.Line
}

// start starts a Lambda for the time of the test. The handler's name says what the function does.
func (s subject) start(t *testing.T, handler string, change ...func(*local.Config, *local.Function)) *trial {
	t.Helper()
	l := &trial{t: t}
	fn := local.Function{Name: "fn", Bootstrap: s.bootstrap, Dir: t.TempDir(), Handler: handler, Timeout: timeout, MemorySize: 1024}
	fn.BareRuntimeAPI = s.lacks[pathInAddress] != ""
	cfg := local.Config{InvokeAddress: "127.0.0.1:0", Log: l.keep}
	for _, c := range change {
		c(&cfg, &fn)
	}
	cfg.Functions = append(cfg.Functions, fn)
	var err error
	if l.Lambda, err = local.Start(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.close()
		if t.Failed() {
			t.Logf("log:\n%s", l.log())
		}
	})
	return l
}

func (l *trial) close() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		l.t.Error(err)
	}
}

func (l *trial) keep(line local.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *trial) log() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.lines {
		b.Write(line.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

// invoke invokes fn and waits for its environment to be idle again, or gone.
func (l *trial) invoke(payload string) local.Result {
	l.t.Helper()
	return l.invokeWith(local.Invocation{Payload: []byte(payload)})
}

func (l *trial) invokeWith(in local.Invocation) local.Result {
	l.t.Helper()
	in.Report = true
	result, err := l.Invoke(l.t.Context(), "fn", in)
	if err != nil {
		l.t.Fatalf("invoke: %v", err)
	}
	return result
}

const (
	invocations          = "/2015-03-31/functions/fn/invocations"
	streamingInvocations = "/2021-11-15/functions/fn/response-streaming-invocations"
)

// post invokes over HTTP, with pairs of headers.
func (l *trial) post(path, payload string, headers ...string) (*http.Response, string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.InvokeURL()+path, strings.NewReader(payload))
	if err != nil {
		l.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return res, string(body)
}

// functionError is what a function error looks like to its caller.
type functionError struct {
	ErrorType, ErrorMessage string
	StackTrace              []struct {
		Path  string
		Line  int
		Label string
	}
}

// requireFunctionError checks a function error's header, type and message.
func requireFunctionError(t *testing.T, header, payload, errorType, message string) functionError {
	t.Helper()
	var got functionError
	if err := json.Unmarshal([]byte(payload), &got); err != nil {
		t.Fatalf("payload %q: %v", payload, err)
	}
	if header != "Unhandled" || got.ErrorType != errorType || got.ErrorMessage != message {
		t.Errorf("got function error %q, payload %s, want %s: %s", header, payload, errorType, message)
	}
	return got
}

func requirePayload(t *testing.T, r local.Result, want string) {
	t.Helper()
	if r.FunctionError != "" || string(r.Payload) != want {
		t.Errorf("got function error %q, payload %.200s, want %.200s", r.FunctionError, r.Payload, want)
	}
}

// description is what the handler "describe" gets to know.
type description struct {
	Event                      json.RawMessage
	DeadlineMs                 int64
	RequestID                  string
	InvokedARN                 string
	TraceID                    string
	InstallationID             string
	Custom                     map[string]string
	IdentityID, IdentityPoolID string
	RuntimeAPI                 string
}

func describe(t *testing.T, payload string) description {
	t.Helper()
	var d description
	if err := json.Unmarshal([]byte(payload), &d); err != nil {
		t.Fatalf("payload %.200q: %v", payload, err)
	}
	return d
}
