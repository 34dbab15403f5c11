package invoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
)

func TestRun(t *testing.T) {
	result, log := invokeHandler(t, "echo", Options{Event: []byte(`{"n":9007199254740993}`)})
	if string(result.Response) != `{"n":9007199254740993}` || result.FunctionError != "" || result.Outcome != nil {
		t.Errorf("result %+v", result)
	}
	if result.Function != "official" || result.RequestID == "" || !strings.HasPrefix(result.TraceID, "Root=1-") {
		t.Errorf("result %+v", result)
	}
	if result.Report == nil || result.Report.Init <= 0 || result.Report.Duration <= 0 || result.Report.Billed < 1 || result.Report.Error != "" {
		t.Errorf("report %+v", result.Report)
	}
	for _, want := range []string{"in the init phase\n", "START RequestId: " + result.RequestID, "REPORT RequestId: ", "Memory Size: 128 MB"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	if again, _ := invokeHandler(t, "echo", Options{Event: []byte("1")}); again.Built {
		t.Error("it was built again")
	}
}

// TestRunOptions asks the function what it got.
func TestRunOptions(t *testing.T) {
	const trace = "Root=1-69afa9a7-0cc56a1b46db7ae02d4da47e;Parent=53995c3f42cd8ad8;Sampled=1"
	result, log := invokeHandler(t, "describe", Options{
		Event: []byte("[1]"), ClientContext: []byte(` {"custom": {"k": "v"}}`), TraceID: trace, Timeout: 90 * time.Second, MemorySize: 512,
		Identity: local.CognitoIdentity{ID: "eu-west-1:ada", PoolID: "pool"}, Env: map[string]string{"TABLE": "orders", "AWS_REGION": "eu-west-1"},
	})
	var got struct {
		Event    json.RawMessage
		Deadline time.Time
		Context  struct {
			Identity      struct{ CognitoIdentityID, CognitoIdentityPoolID string }
			ClientContext struct{ Custom map[string]string }
		}
		TraceID     string
		Environment []string
		Dir         string
	}
	decode(t, result.Response, &got)
	root, err := filepath.EvalSymlinks(functions)
	if err == nil {
		root, err = filepath.Abs(root)
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Event) != "[1]" || got.TraceID != trace || result.TraceID != trace || got.Dir != root {
		t.Errorf("the function got %+v", got)
	}
	if left := time.Until(got.Deadline); left < 30*time.Second || left > 90*time.Second {
		t.Errorf("its deadline is in %s", left)
	}
	if got.Context.ClientContext.Custom["k"] != "v" || got.Context.Identity.CognitoIdentityID != "eu-west-1:ada" || got.Context.Identity.CognitoIdentityPoolID != "pool" {
		t.Errorf("its context is %+v", got.Context)
	}
	for _, want := range []string{"TABLE=orders", "AWS_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_NAME=official"} {
		if !slices.Contains(got.Environment, want) {
			t.Errorf("no %s in its environment", want)
		}
	}
	if slices.ContainsFunc(got.Environment, func(v string) bool { return strings.HasPrefix(v, "HOME=") }) {
		t.Error("golam's own environment reaches it")
	}
	if !strings.Contains(log, "Memory Size: 512 MB") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestRunFailures(t *testing.T) {
	tests := map[string]struct {
		failure Failure
		timeout time.Duration
	}{
		"fail":    {failure: Failure{"errorString", "no luck"}},
		"panic":   {failure: Failure{"string", "at the disco"}},
		"unknown": {failure: Failure{"Runtime.ExitError", "exit status 3"}},
		"hang":    {failure: Failure{"Sandbox.Timedout", "timed out after 0.05 seconds"}, timeout: 50 * time.Millisecond},
	}
	for handler, test := range tests {
		t.Run(handler, func(t *testing.T) {
			result, _ := invokeHandler(t, handler, Options{Event: []byte("{}"), Timeout: test.timeout})
			got := result.Failure()
			if result.FunctionError != "Unhandled" || got.Type != test.failure.Type || !strings.Contains(got.Message, test.failure.Message) {
				t.Errorf("error %q, %+v, want %+v", result.FunctionError, got, test.failure)
			}
		})
	}
}

// TestReason has a function exit without telling Lambda why, after it told its log.
func TestReason(t *testing.T) {
	result, _ := invokeHandler(t, "log-and-exit", Options{Event: []byte(`"there is no database at db.internal"`)})
	if result.Failure().Type != "Runtime.ExitError" || result.Reason != "there is no database at db.internal" {
		t.Errorf("%+v: reason %q", result.Failure(), result.Reason)
	}
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"nothing":          {nil, ""},
		"the last line":    {[]string{"START RequestId: 1 Version: $LATEST", "one", "two", "", "END RequestId: 1", "REPORT RequestId: 1\tDuration"}, "two"},
		"a panic":          {[]string{"one", "panic: out of cheese", "", "goroutine 1 [running]:", "main.main()"}, "panic: out of cheese"},
		"the second panic": {[]string{"panic: one", "goroutine 1", "panic: two", "goroutine 1"}, "panic: two"},
		"a long line":      {[]string{strings.Repeat("x", 2000)}, strings.Repeat("x", maxReason) + "..."},
		"Lambda's own":     {[]string{"one", "RequestId: 1 Error: Runtime exited with error: exit status 3", "Runtime.ExitError"}, "one"},
	} {
		t.Run(name, func(t *testing.T) {
			var passed []string
			reason := reasonOf{next: func(line local.Line) { passed = append(passed, string(line.Text)) }}
			for _, line := range test.lines {
				reason.line(local.Line{Text: []byte(line)})
			}
			if reason.text != test.want || !slices.Equal(passed, test.lines) {
				t.Errorf("reason %q, want %q; it passes on %q", reason.text, test.want, passed)
			}
		})
	}
}

// TestSlow says that it is at work if a build takes long, and only then.
func TestSlow(t *testing.T) {
	called := make(chan struct{}, 1)
	options := Options{Slow: func() { called <- struct{}{} }}
	options.slowly()()
	select {
	case <-called:
		t.Error("it is called though nothing takes long")
	default:
	}
	if testing.Short() {
		return // what follows takes seconds
	}
	done := options.slowly()
	<-called
	done()
}

func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Run(ctx, Options{
		Dir: functions, Cache: cacheFolder, Environ: os.Environ(), Event: []byte("{}"), Timeout: time.Minute,
		Env: map[string]string{"_HANDLER": "hang"},
		Log: func(line local.Line) {
			if string(line.Text) == "hanging" {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestRunTyped answers every sample event with the types of aws-lambda-go. Cognito refuses none of it; users who have groups lose them.
func TestRunTyped(t *testing.T) {
	all, err := Examples(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, example := range all {
		rest, isCognito := strings.CutPrefix(example.Name, "cognito-v")
		if !isCognito {
			continue
		}
		handler := "cognito-v2"
		if rest[0] == '1' {
			handler = "cognito-v1"
		}
		t.Run(example.Name, func(t *testing.T) {
			event, err := ReadExample(t.TempDir(), "", example.Name)
			if err != nil {
				t.Fatal(err)
			}
			result, _ := invokeHandler(t, handler, Options{Event: event})
			if result.Outcome == nil {
				t.Fatal("it is not judged")
			}
			hasGroups := bytes.Contains(event, []byte(`"admins"`))
			if result.Outcome.Refused || result.Outcome.Failed() != hasGroups || result.Outcome.OnlyLosses() != hasGroups {
				t.Errorf("the user has groups: %v; findings: %v", hasGroups, result.Outcome.Findings)
			}
		})
		judged++
	}
	if judged != 16 {
		t.Errorf("%d events, want 16", judged)
	}
}

// TestRunJudges has a function echo answers, those of a customizer and worse.
func TestRunJudges(t *testing.T) {
	event, err := examples.ReadFile("examples/cognito/v2-authentication.json")
	if err != nil {
		t.Fatal(err)
	}
	answer := func(response string) []byte {
		var members map[string]json.RawMessage
		decode(t, event, &members)
		members["response"] = json.RawMessage(response)
		changed, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	tests := map[string]struct {
		event           []byte
		failed, refused bool
	}{
		"nothing asked for": {event: event},
		"a good claim":      {event: answer(`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}}}}`)},
		"a reserved claim":  {event: answer(`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"sub":"x"}}}}`), failed: true},
		"an unreadable one": {event: answer(`{"claimsAndScopeOverrideDetails":"none"}`), failed: true, refused: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			result, _ := invokeHandler(t, "echo", Options{Event: test.event})
			if result.Outcome == nil {
				t.Fatal("it is not judged")
			}
			if result.Outcome.Failed() != test.failed || result.Outcome.Refused != test.refused {
				t.Errorf("failed %v, refused %v: %v", result.Outcome.Failed(), result.Outcome.Refused, result.Outcome.Findings)
			}
		})
	}
}

// TestRunGeneratedProject sends its own events through a project that golam generates.
func TestRunGeneratedProject(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a real function")
	}
	project := "../../golden/sam"
	found, err := Examples(project)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, example := range found {
		if example.Path == "" {
			continue
		}
		count++
		event, err := ReadExample(project, "", example.Name)
		if err != nil {
			t.Fatal(err)
		}
		log := &logs{}
		result, err := Run(t.Context(), Options{Dir: project, Cache: cacheFolder, Environ: os.Environ(), Event: event, Log: log.add})
		if err != nil {
			t.Fatal(err)
		}
		if result.Outcome == nil || len(result.Outcome.Findings) > 0 {
			t.Fatalf("%s: %s is judged as %+v", example.Name, result.Response, result.Outcome)
		}
		if claim, there := result.Outcome.AccessToken.Claim("tenant_id"); !there || claim.Mark != cognito.Added {
			t.Errorf("%s: no tenant_id", example.Name)
		}
		if !strings.Contains(log.String(), "Memory Size: 256 MB") || !strings.Contains(log.String(), `"level":"INFO"`) {
			t.Errorf("%s: the settings are not those of the template:\n%s", example.Name, log)
		}
	}
	if count != 5 {
		t.Errorf("%d events, want 5", count)
	}
}

func TestCheck(t *testing.T) {
	secret := "ada@example.com"
	object := []byte("{}")
	tests := map[string]struct {
		options Options
		want    string
	}{
		"no event":            {Options{}, "it is empty"},
		"blank":               {Options{Event: []byte(" \n")}, "the event is not JSON"},
		"no JSON":             {Options{Event: []byte("{\n  \"a\": " + secret)}, "line 2, column 8"},
		"half":                {Options{Event: []byte(`{"email": "` + secret)}, "line 1, column 26"},
		"two":                 {Options{Event: []byte("{}\n{}")}, "line 2, column 1"},
		"a byte order mark":   {Options{Event: []byte("\ufeff{}")}, "it begins with a byte order mark: save it without one"},
		"UTF-16":              {Options{Event: []byte("\xff\xfe{\x00}\x00")}, "it is UTF-16, by its byte order mark: save it as UTF-8"},
		"UTF-16, big endian":  {Options{Event: []byte("\xfe\xff\x00{\x00}")}, "it is UTF-16"},
		"too large":           {Options{Event: []byte(`"` + strings.Repeat("x", quotas.MaxPayload) + `"`)}, "6291456 bytes"},
		"client context":      {Options{Event: object, ClientContext: []byte("[]")}, "client context"},
		"half a context":      {Options{Event: object, ClientContext: []byte("{")}, "client context"},
		"trace":               {Options{Event: object, TraceID: "Root=1-2-3"}, "Root=1-69afa9a7"},
		"a header more":       {Options{Event: object, TraceID: "Root=1-69afa9a7-0cc56a1b46db7ae02d4da47e\r\nX: y"}, "trace header"},
		"timeout":             {Options{Event: object, Timeout: time.Hour}, "up to 15m0s"},
		"memory":              {Options{Event: object, MemorySize: 64}, "128 to 10240"},
		"memory for a server": {Options{Event: object, MemorySize: 256, Address: "127.0.0.1:1"}, "those of the server"},
		"variables for it":    {Options{Event: object, Env: map[string]string{"A": "b"}, Address: "127.0.0.1:1"}, "those of the server"},
		"identity for it":     {Options{Event: object, Identity: local.CognitoIdentity{ID: "x"}, Address: "127.0.0.1:1"}, "takes no identity"},
		"all of it":           {Options{Event: []byte("x"), Timeout: time.Hour, MemorySize: 64}, "up to 15m0s\na memory size of 64 MB"},
		"address":             {Options{Event: object, Address: "https://lambda.eu-west-1.amazonaws.com"}, "--address"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.options.Dir, test.options.Cache = t.TempDir(), t.TempDir()
			_, err := Run(t.Context(), test.options)
			misused(t, err, test.want)
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells what the event holds: %v", err)
			}
		})
	}
	_, err := Run(t.Context(), Options{Event: object, Dir: t.TempDir(), Cache: t.TempDir()})
	var noProject *misuse.Error
	if !errors.As(err, &noProject) {
		t.Errorf("no project: %v", err)
	}
}

func TestParseIdentity(t *testing.T) {
	got, err := ParseIdentity(`{"cognitoIdentityId": "eu-west-1:ada", "cognitoIdentityPoolId": "eu-west-1:pool"}`)
	if err != nil || got != (local.CognitoIdentity{ID: "eu-west-1:ada", PoolID: "eu-west-1:pool"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"", "ada", "{}", `{"cognitoIdentityId": 1}`, `{"cognitoIdentityPoolId": "p"}`, `{"identity": "x"}`, `{"cognitoIdentityId": "a"} {}`} {
		_, err := ParseIdentity(text)
		misused(t, err, "cognitoIdentityId")
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add(`{"cognitoIdentityId": "eu-west-1:ada", "cognitoIdentityPoolId": "eu-west-1:pool"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if identity, err := ParseIdentity(text); err == nil && identity.ID == "" {
			t.Error("an identity without an id")
		}
	})
}

// FuzzNotJSON agrees with encoding/json, and points into the text.
func FuzzNotJSON(f *testing.F) {
	f.Add([]byte("{\n\"a\": }"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		if where := notJSON(text); (where == "") != json.Valid(text) {
			t.Errorf("%q: %s", text, where)
		}
	})
}
