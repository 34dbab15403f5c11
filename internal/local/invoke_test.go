package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestInvokeOfficial(t *testing.T) {
	l := one(t, official, "describe", func(c *Config, f *Function) {
		c.Region, c.Account = "eu-central-1", "111122223333"
		f.Env = map[string]string{"TABLE": "users", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
		f.MemorySize = 256
		f.Timeout = 4 * time.Second
	})
	before := time.Now()
	r := l.invokeWith(Invocation{
		Payload:       []byte(`{"a":9007199254740993}`),
		ClientContext: []byte("{\"custom\":\n{\"k\":\"vé\"}}"),
		Identity:      CognitoIdentity{ID: "id-1", PoolID: "pool-1"},
		TraceID:       "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
		Report:        true,
	})
	after := time.Now()

	var got struct {
		Event    json.RawMessage
		Deadline time.Time
		Context  struct {
			AwsRequestID       string
			InvokedFunctionArn string
			Identity           struct{ CognitoIdentityID, CognitoIdentityPoolID string }
			ClientContext      struct{ Custom map[string]string }
		}
		TraceID     string
		Environment []string
		Dir         string
	}
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatalf("%v: %s", err, r.Payload)
	}
	if string(got.Event) != `{"a":9007199254740993}` {
		t.Errorf("event %s", got.Event)
	}
	const slack = time.Millisecond // the header has whole milliseconds
	if got.Deadline.Before(before.Add(4*time.Second-slack)) || got.Deadline.After(after.Add(4*time.Second)) {
		t.Errorf("deadline %s, invoked between %s and %s", got.Deadline, before, after)
	}
	if got.Context.AwsRequestID != r.RequestID || !regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`).MatchString(r.RequestID) {
		t.Errorf("request id %q for the function, %q for the caller", got.Context.AwsRequestID, r.RequestID)
	}
	if got.Context.InvokedFunctionArn != "arn:aws:lambda:eu-central-1:111122223333:function:fn" {
		t.Errorf("ARN %s", got.Context.InvokedFunctionArn)
	}
	if got.Context.Identity.CognitoIdentityID != "id-1" || got.Context.Identity.CognitoIdentityPoolID != "pool-1" {
		t.Errorf("identity %+v", got.Context.Identity)
	}
	if got.Context.ClientContext.Custom["k"] != "vé" {
		t.Errorf("client context %+v", got.Context.ClientContext)
	}
	if !strings.HasPrefix(got.TraceID, "Root=1-5759e988") || r.TraceID != got.TraceID {
		t.Errorf("trace %q for the function, %q for the caller", got.TraceID, r.TraceID)
	}

	dir := l.functions["fn"].Dir
	if got.Dir != dir {
		t.Errorf("working directory %s, want %s", got.Dir, dir)
	}
	environment := map[string]string{}
	for _, v := range got.Environment {
		key, value, _ := strings.Cut(v, "=")
		environment[key] = value
	}
	delete(environment, "GOLAM_TEST")
	delete(environment, "_X_AMZN_TRACE_ID") // aws-lambda-go sets it itself
	if api := environment["AWS_LAMBDA_RUNTIME_API"]; !regexp.MustCompile(`^127\.0\.0\.1:\d+$`).MatchString(api) {
		t.Errorf("runtime API at %q", api)
	}
	delete(environment, "AWS_LAMBDA_RUNTIME_API")
	want := map[string]string{
		"_HANDLER":                        "describe",
		"AWS_DEFAULT_REGION":              "eu-central-1",
		"AWS_EC2_METADATA_DISABLED":       "true",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_FUNCTION_NAME":        "fn",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/fn",
		"AWS_LAMBDA_LOG_STREAM_NAME":      r.LogStream,
		"AWS_REGION":                      "eu-central-1",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                dir,
		"LANG":                            "en_US.UTF-8",
		"LD_LIBRARY_PATH":                 "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + dir + ":" + dir + "/lib:/opt/lib",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TABLE":                           "users",
		"TZ":                              ":UTC",
	}
	if diff := cmp.Diff(want, environment); diff != "" {
		t.Errorf("environment variables (-want +got):\n%s", diff)
	}
}

func TestColdAndWarm(t *testing.T) {
	l := one(t, official, "echo")
	cold := l.invoke(`{"n":1}`)
	requirePayload(t, cold, `{"n":1}`)
	if !cold.Cold || cold.InitDuration <= 0 || cold.Duration <= 0 {
		t.Errorf("first result: %+v", cold)
	}
	warm := l.invoke(`{"n":2}`)
	requirePayload(t, warm, `{"n":2}`)
	if warm.Cold || warm.InitDuration != 0 || warm.LogStream != cold.LogStream || warm.RequestID == cold.RequestID {
		t.Errorf("second result: %+v", warm)
	}
	r := warm.Report
	if r.Duration < warm.Duration || r.BilledDuration < r.Duration || r.BilledDuration%time.Millisecond != 0 || r.ErrorType != "" {
		t.Errorf("second report: %+v", r)
	}

	want := []string{
		`^in the init phase$`,
		`^START RequestId: ID1 Version: \$LATEST$`,
		`^END RequestId: ID1$`,
		`^REPORT RequestId: ID1\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t(Max Memory Used: \d+ MB\t)?` +
			`Init Duration: \d+\.\d\d ms\t$`,
		`^START RequestId: ID2 Version: \$LATEST$`,
		`^END RequestId: ID2$`,
		`^REPORT RequestId: ID2\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t(Max Memory Used: \d+ MB\t)?$`,
	}
	log := strings.NewReplacer(cold.RequestID, "ID1", warm.RequestID, "ID2").Replace(l.log())
	lines := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
	if !slices.EqualFunc(lines, want, func(line, pattern string) bool { return regexp.MustCompile(pattern).MatchString(line) }) {
		t.Errorf("log:\n%s\nwant:\n%s", log, strings.Join(want, "\n"))
	}
	for i, line := range l.logLines() {
		id := []string{"", cold.RequestID, cold.RequestID, cold.RequestID, warm.RequestID, warm.RequestID, warm.RequestID}[i]
		if line.Function != "fn" || line.LogStream != cold.LogStream || line.RequestID != id || line.Platform != (i > 0) {
			t.Errorf("line %d: %+v", i, line)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	tests := []struct {
		name, bootstrap, handler string
		errorType, message       string
		reported                 string // error type of the report: the process ended
		log                      []string
	}{
		{"returned error", official, "fail", "errorString", "no luck", "", nil},
		{
			"exit 0 before next", raw, "exit0", "Runtime.ExitError",
			"RequestId: ID Error: Runtime exited without providing a reason", "Runtime.ExitError",
			[]string{"Phase: init\tStatus: error\tError Type: Runtime.ExitError", "Phase: invoke\tStatus: error\tError Type: Runtime.ExitError"},
		},
		{
			"exit 1 before next", raw, "exit1", "Runtime.ExitError",
			"RequestId: ID Error: Runtime exited with error: exit status 1", "Runtime.ExitError",
			[]string{"giving up\n"},
		},
		{
			"init error", raw, "init-error", "Config.Missing", "no table", "Config.Missing",
			[]string{"Phase: init\tStatus: error\tError Type: Config.Missing"},
		},
		{
			"exit in an invocation", raw, "exit-in-invocation", "Runtime.ExitError",
			"RequestId: ID Error: Runtime exited with error: exit status 5", "Runtime.ExitError",
			[]string{"Status: error\tError Type: Runtime.ExitError\n", "Error: Runtime exited with error: exit status 5\nRuntime.ExitError\nEND "},
		},
		{
			"signal", raw, "signal-itself", "Runtime.ExitError",
			"RequestId: ID Error: Runtime exited with error: signal: killed", "Runtime.ExitError", nil,
		},
		{
			"7 MB", official, "big", "Function.ResponseSizeTooLarge",
			"Response payload size exceeded maximum allowed payload size (6291556 bytes).", "Runtime.ExitError",
			[]string{"unexpected status code: 413"},
		},
		{"reader breaks", official, "broken-reader", "errorString", "the source dried up", "", nil},
		{
			"streaming", raw, "streaming", "Runtime.StreamingNotSupported",
			"the function streams its response: invoke it through a function URL or with InvokeWithResponseStream", "",
			[]string{"streaming: 501"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := one(t, tt.bootstrap, tt.handler)
			for range 2 { // what crashed is replaced
				r := l.invoke("")
				requireFailure(t, r, tt.errorType, strings.ReplaceAll(tt.message, "ID", r.RequestID))
				if r.Report.ErrorType != tt.reported {
					t.Errorf("the phase ended with %q, want %q", r.Report.ErrorType, tt.reported)
				}
			}
			l.requireLog(tt.log...)
		})
	}
}

func TestPanic(t *testing.T) {
	l := one(t, official, "panic")
	r := l.invoke("{}")
	var body struct {
		ErrorType, ErrorMessage string
		StackTrace              []any
	}
	if err := json.Unmarshal(r.Payload, &body); err != nil {
		t.Fatal(err)
	}
	if r.FunctionError != "Unhandled" || body.ErrorMessage != "at the disco" || len(body.StackTrace) == 0 {
		t.Errorf("result %+v, payload %s", r, r.Payload)
	}
	if r.Report.ErrorType != "Runtime.ExitError" {
		t.Errorf("the process ended with %q", r.Report.ErrorType)
	}
}

func TestTimeout(t *testing.T) {
	l := one(t, raw, "hang-once", timeout(500*time.Millisecond))
	r := l.invoke("1")
	requireFailure(t, r, "Sandbox.Timedout", "RequestId: "+r.RequestID+" Error: Task timed out after 0.50 seconds")
	if r.Report.ErrorType != "Sandbox.Timedout" || r.Duration < 500*time.Millisecond {
		t.Errorf("report %+v after %s", r.Report, r.Duration)
	}
	l.requireLog(r.RequestID+" Task timed out after 0.50 seconds\nEND RequestId: "+r.RequestID+"\n", "\tStatus: timeout\n")
	next := l.invoke("2")
	requirePayload(t, next, "2")
	if !next.Cold || next.LogStream == r.LogStream {
		t.Errorf("after a timeout: %+v", next)
	}
}

func TestInitTimeout(t *testing.T) {
	l := one(t, raw, "init-hang", initTimeout(100*time.Millisecond), timeout(200*time.Millisecond))
	r := l.invoke("{}")
	requireFailure(t, r, "Sandbox.Timedout", "RequestId: "+r.RequestID+" Error: Task timed out after 0.20 seconds")
	l.requireLog("Phase: init\tStatus: timeout\n", "Phase: invoke\tStatus: timeout\n", "START RequestId: "+r.RequestID, "\tStatus: timeout\n")
}

func TestInitSucceedsAtSecondTry(t *testing.T) {
	l := one(t, raw, "init-twice")
	r := l.invoke("1")
	requirePayload(t, r, "1")
	if !r.Cold || r.InitDuration != 0 {
		t.Errorf("result %+v", r)
	}
	l.requireLog("Phase: init\tStatus: error\tError Type: Runtime.ExitError\n")
	if warm := l.invoke("2"); warm.Cold || warm.LogStream != r.LogStream {
		t.Errorf("second result %+v", warm)
	}
}

func TestRequestErrors(t *testing.T) {
	l := one(t, official, "echo")
	tests := []struct {
		name     string
		function string
		in       Invocation
		status   int
		code     string
	}{
		{"unknown function", "other", Invocation{}, 404, "ResourceNotFoundException"},
		{"payload over 6 MiB", "fn", Invocation{Payload: []byte(`"` + strings.Repeat("x", 6<<20) + `"`)}, 413, "RequestEntityTooLargeException"},
		{"payload not JSON", "fn", Invocation{Payload: []byte("{")}, 400, "InvalidRequestContentException"},
		{"client context not an object", "fn", Invocation{ClientContext: []byte("[]")}, 400, "InvalidRequestContentException"},
		{"client context not JSON", "fn", Invocation{ClientContext: []byte("{]")}, 400, "InvalidRequestContentException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := l.Invoke(t.Context(), tt.function, tt.in)
			var refusal *RequestError
			if !errors.As(err, &refusal) || refusal.StatusCode != tt.status || refusal.Type != tt.code {
				t.Errorf("got %v, want %d %s", err, tt.status, tt.code)
			}
		})
	}
}

func TestCallerGoesAway(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := l.Invoke(ctx, "fn", Invocation{})
		done <- err
	}()
	<-g.arrived
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	g.open()
	l.requireLog("REPORT ") // the function went on
}

func TestCloseAbortsInvocations(t *testing.T) {
	for _, handler := range []string{"hang", "init-hang"} {
		t.Run(handler, func(t *testing.T) {
			l := one(t, raw, handler, timeout(time.Minute), initTimeout(time.Minute))
			done := make(chan error)
			go func() {
				_, err := l.Invoke(t.Context(), "fn", Invocation{})
				done <- err
			}()
			l.requireLog("hanging")
			if err := l.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-done; !errors.Is(err, ErrClosed) {
				t.Errorf("got %v", err)
			}
			if _, err := l.Invoke(t.Context(), "fn", Invocation{}); !errors.Is(err, ErrClosed) {
				t.Errorf("after close: %v", err)
			}
		})
	}
}

// The header of a client context is printable ASCII and says the same.
func FuzzClientContext(f *testing.F) {
	for _, seed := range []string{`{"custom":{"k":"v\u00e9 \\u00e9 é 𝄞"}}`, "{\"a\u007fb\":[1e3,\"\xff\"]}", "{\n}"} {
		f.Add([]byte(seed))
	}
	l, err := Start(f.Context(), Config{Functions: []Function{{Name: "fn", Bootstrap: raw}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close(context.Background()) })
	f.Fuzz(func(t *testing.T, text []byte) {
		inv, err := l.newInvocation("fn", Invocation{ClientContext: text})
		if err != nil || len(text) == 0 {
			return
		}
		for _, b := range inv.clientContext {
			if b < ' ' || b > '~' {
				t.Fatalf("%q", inv.clientContext)
			}
		}
		var got, want map[string]any
		if err := errors.Join(json.Unmarshal(inv.clientContext, &got), json.Unmarshal(text, &want)); err == nil && !cmp.Equal(got, want) {
			t.Errorf("%q became %q", text, inv.clientContext)
		}
	})
}

func TestEntrypointError(t *testing.T) {
	for _, tt := range []struct {
		op, path string
		want     bool
	}{
		{"fork/exec", "/bootstrap", true},
		{"chdir", "/folder", true},
		{"open", "/sys/fs/cgroup/cpu.max", false},
		{"mkdir", "/sys/fs/cgroup/golam", false},
	} {
		err := fmt.Errorf("starting: %w", &fs.PathError{Op: tt.op, Path: tt.path, Err: syscall.EACCES})
		if got := entrypointError(err); got != tt.want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
