// Package invoke sends one event to a function and judges what comes back: to a function of the project in a folder, on the local Lambda
// and up to date, or to an Invoke API that somebody else serves.
//
// What belongs here: finding an event, the one invocation, recordings and their comparison, and how the tokens of a pre token generation
// trigger are shown. What does not: building (internal/build), running (internal/local), Cognito's rules (internal/cognito).
package invoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/settings"
	"github.com/golam-cli/golam/internal/units"
)

// Options say what to invoke, and how.
type Options struct {
	// Dir is a folder of the project.
	Dir string
	// Function is a name. It may be empty if the project has one function only.
	Function string
	// Cache and Environ are those of [build.HostOptions].
	Cache   string
	Environ []string
	// Event is JSON.
	Event []byte
	// ClientContext is a JSON object, or empty.
	ClientContext []byte
	// Identity is who calls, if a Cognito identity pool says so.
	Identity local.CognitoIdentity
	// TraceID is the value of an X-Amzn-Trace-Id header, or empty for one of the local Lambda's.
	TraceID string
	// Timeout and MemorySize (in MB) are those of [local.Function]. Zero is what golam.yaml says, or else Lambda's default.
	Timeout    time.Duration
	MemorySize int
	// Env are environment variables for the function.
	Env map[string]string
	// Address is that of an Invoke API, "http://127.0.0.1:9001". Then nothing is built, and Function is one that it serves.
	Address string
	// Here runs the function here even if a golam watch serves it.
	Here bool
	// Found is told the address of the golam watch that is used; it may be nil.
	Found func(url string)
	// Slow is called once if a build takes more than a few seconds; it may be nil.
	Slow func()
	// Log receives the log of the function; it may be nil.
	Log func(local.Line)

	transport http.RoundTripper // to Address, if that is a golam watch which has been found
}

// Result is what came of an event.
type Result struct {
	Function string `json:"function"`
	// Built tells that the function was out of date and has been built.
	Built     bool   `json:"built"`
	RequestID string `json:"requestId"`
	TraceID   string `json:"traceId"`
	// FunctionError is "Unhandled" if the function failed, or "".
	FunctionError string `json:"functionError,omitempty"`
	// Response is what the function answered, byte for byte: JSON, unless the function is of an unusual kind.
	Response []byte `json:"-"`
	// Report is nil for an Invoke API, which tells it in its log.
	Report *Report `json:"report,omitempty"`
	// Reason is the line of the function's log that says most likely why its process ended: that of a panic, or the last one.
	Reason string `json:"-"`
	// Outcome is what Cognito makes of the answer, nil if the event is not one of a pre token generation trigger or the function failed.
	Outcome *cognito.Outcome `json:"cognito,omitempty"`
}

// Report is about time and memory.
type Report struct {
	// Init, Duration and Billed are in milliseconds.
	Init     float64 `json:"initMs"`
	Duration float64 `json:"durationMs"`
	Billed   int64   `json:"billedMs"`
	// MaxMemory is in bytes, 0 where it can't be measured.
	MaxMemory int64 `json:"maxMemoryBytes"`
	// Error says why the function's environment failed, be it after a good answer; "" if it did not.
	Error string `json:"error,omitempty"`
}

// closeTime is how long the function may take to end.
const closeTime = 2 * time.Second

// Run invokes the function. That it fails is no error, and neither is what Cognito finds: see [Result]. No process is left when it
// returns.
//
// Errors: [misuse.Error], [build.GoError], the context's, and what the machine could not do.
func Run(ctx context.Context, options Options) (Result, error) {
	if err := options.Check(); err != nil {
		return Result{}, err
	}
	reason := &reasonOf{next: options.Log}
	options.Log = reason.line
	run := runLocal
	if options.Address == "" && options.watchable() {
		if err := options.useWatch(ctx); err != nil {
			return Result{}, err
		}
	}
	if options.Address != "" {
		run = runRemote
	}
	result, err := run(ctx, options)
	if err != nil {
		return Result{}, err
	}
	result.Reason = reason.text
	if result.FunctionError != "" {
		return result, nil
	}
	outcome, err := cognito.Apply(options.Event, result.Response)
	switch {
	case err == nil:
		if outcome.Findings == nil {
			outcome.Findings = []cognito.Finding{} // an empty list in JSON
		}
		result.Outcome = &outcome
	case !errors.Is(err, cognito.ErrNotEvent):
		return Result{}, fmt.Errorf("judge the answer: %w", err)
	}
	return result, nil
}

// slowTime is the time after which somebody wonders whether anything is going on.
const slowTime = 3 * time.Second

// slowly calls Slow after a while, unless the function that it returns is called first.
func (o *Options) slowly() (done func()) {
	if o.Slow == nil {
		return func() {}
	}
	timer := time.AfterFunc(slowTime, o.Slow)
	return func() { timer.Stop() }
}

// watchable reports whether a golam watch can do the invocation. Some options need a separate process.
func (o *Options) watchable() bool {
	return !o.Here && o.Timeout == 0 && o.MemorySize == 0 && len(o.Env) == 0 && o.Identity == local.CognitoIdentity{}
}

// useWatch makes the address that of the golam watch of the project, if there is one. What has been saved is built by then.
func (o *Options) useWatch(ctx context.Context) error {
	defer o.slowly()()
	found, err := running.Find(ctx, o.Cache, o.Dir, o.Function)
	if err != nil {
		return err
	}
	if found == nil {
		return nil
	}
	// The last good build would answer, and whoever has just saved would take it for the new one.
	problem := fmt.Errorf("the project does not build, golam watch says:\n%s", found.Problem)
	if found.Problem != "" && len(found.Functions) == 0 {
		return problem
	}
	var names []string
	for _, function := range found.Functions {
		names = append(names, function.Name)
	}
	if o.Function == "" {
		if len(names) != 1 {
			return misuse.New("the project has several functions: name one of %s", strings.Join(names, ", "))
		}
		o.Function = names[0]
	}
	chosen := slices.Index(names, o.Function)
	healthy := slices.ContainsFunc(found.Functions, func(f running.Function) bool { return !f.Broken })
	switch {
	case chosen < 0 && !healthy: // the function may be new
		return problem
	case chosen < 0:
		return misuse.New("%s", generator.Unknown("function", o.Function, names))
	case found.Functions[chosen].Broken:
		return problem
	}
	if o.Found != nil {
		o.Found(found.URL)
	}
	o.Address, o.transport = found.URL, found.Transport()
	return nil
}

func runLocal(ctx context.Context, options Options) (result Result, err error) {
	built := options.slowly()
	host, err := build.ForHost(ctx, build.HostOptions{
		Dir: options.Dir, Function: options.Function, Cache: options.Cache, Environ: options.Environ,
	})
	built()
	if err != nil {
		return Result{}, err
	}
	function, err := options.Configure(host)
	if err != nil {
		return Result{}, err
	}
	lambda, err := local.Start(ctx, local.Config{Functions: []local.Function{function}, Log: options.Log})
	if err != nil {
		return Result{}, fmt.Errorf("start the local Lambda: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		err = errors.Join(err, lambda.Close(closing))
	}()
	invoked, err := lambda.Invoke(ctx, function.Name, local.Invocation{
		Payload: options.Event, ClientContext: options.ClientContext, Identity: options.Identity, TraceID: options.TraceID, Report: true,
	})
	switch {
	case ctx.Err() != nil:
		return Result{}, fmt.Errorf("invoke %s: %w", function.Name, ctx.Err())
	case err != nil:
		return Result{}, refusal(err)
	}
	return Result{
		Function: function.Name, Built: host.Built,
		RequestID: invoked.RequestID, TraceID: invoked.TraceID, FunctionError: invoked.FunctionError, Response: invoked.Payload,
		Report: &Report{
			Init: units.Milliseconds(invoked.InitDuration), Duration: units.Milliseconds(invoked.Report.Duration),
			Billed: invoked.Report.BilledDuration.Milliseconds(), MaxMemory: invoked.Report.MaxMemory, Error: invoked.Report.ErrorType,
		},
	}, nil
}

// Configure gives the function as the local Lambda is to run it.
func (o Options) Configure(host build.Host) (local.Function, error) {
	file := host.Project.Settings(host.Function.Name)
	var variables map[string]string
	if file.EnvFile != "" {
		var err error
		if variables, err = settings.ReadEnv(file.EnvFile); err != nil {
			return local.Function{}, misuse.New("the environment file of %s: %v", host.Function.Name, err)
		}
	}
	given := settings.Given{Timeout: o.Timeout, MemorySize: o.MemorySize, Env: o.Env}
	timeout, memorySize := given.Limits(file)
	return local.Function{
		Name: host.Function.Name, Bootstrap: host.Bootstrap, Dir: host.Dir,
		Env: given.Environment(variables, host.Project.Made, o.Environ), Timeout: timeout, MemorySize: memorySize,
	}, nil
}

// refusal tells a request that the local Lambda would not take from what the machine could not do.
func refusal(err error) error {
	if refused, ok := errors.AsType[*local.RequestError](err); ok {
		return misuse.New("Lambda refuses the event: %v", refused)
	}
	return fmt.Errorf("invoke the function: %w", err)
}

// Failure is a function's own error. The zero value stands for an answer that is not in the form of Lambda's errors.
type Failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// Failure reads the response of a function that failed.
func (r Result) Failure() Failure {
	var failure Failure
	_ = json.Unmarshal(r.Response, &failure)
	return failure
}

// traceHeader is the form of an X-Amzn-Trace-Id (AWS X-Ray Developer Guide, "Tracing header").
var traceHeader = regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;[A-Za-z]+=[!-:<-~]+)*$`)

// Check finds everything that is not in order before anything is built. It says nothing of what the event holds. Errors are a
// [misuse.Error].
func (o Options) Check() error {
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if len(o.Event) > quotas.MaxPayload {
		problem("the event has more than the %d bytes that Lambda takes", quotas.MaxPayload)
	} else if where := notJSON(o.Event); where != "" {
		problem("the event is not JSON: %s", where)
	}
	if context := bytes.TrimSpace(o.ClientContext); len(context) > 0 && (notJSON(context) != "" || context[0] != '{') {
		problem(`the client context is not a JSON object, such as {"custom": {"key": "value"}}`)
	}
	if o.TraceID != "" && !traceHeader.MatchString(o.TraceID) {
		problem("the trace header is not of the form Root=1-69afa9a7-0cc56a1b46db7ae02d4da47e;Parent=53995c3f42cd8ad8;Sampled=1")
	}
	if err := quotas.Check(o.MemorySize, o.Timeout); err != nil {
		problem("%s", err)
	}
	if o.Address != "" && (o.Timeout != 0 || o.MemorySize != 0 || len(o.Env) > 0) {
		problem("timeout, memory and environment variables are those of the server at %s: leave them out", o.Address)
	}
	if o.Address != "" && o.Identity != (local.CognitoIdentity{}) {
		problem("an Invoke API takes no identity: leave it out, or leave the address out to run the function here")
	}
	if len(problems) > 0 {
		return misuse.New("%s", strings.Join(problems, "\n"))
	}
	return nil
}

// ParseIdentity reads an identity in the form that Lambda hands it to functions.
func ParseIdentity(text string) (local.CognitoIdentity, error) {
	var identity local.CognitoIdentity
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&identity); err != nil || decoder.More() || identity.ID == "" {
		return local.CognitoIdentity{}, misuse.New(`the identity is not of the form {"cognitoIdentityId": "...", "cognitoIdentityPoolId": "..."}`)
	}
	return identity, nil
}

// notJSON says what is wrong with a text that is not JSON.
func notJSON(text []byte) string {
	switch {
	case bytes.HasPrefix(text, []byte(ByteOrderMark)):
		return "it begins with a byte order mark: save it without one"
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return "it is UTF-16, by its byte order mark: save it as UTF-8"
	}
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	if err == nil {
		return ""
	}
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok || len(text) == 0 {
		return "it is empty"
	}
	line, column := 1, 0
	for _, b := range text[:min(syntax.Offset, int64(len(text)))] {
		if column++; b == '\n' {
			line, column = line+1, 0
		}
	}
	return fmt.Sprintf("line %d, column %d: %v", line, max(column, 1), err)
}

// projectRoot is the folder of the project that dir is in, or "" if there is none.
func projectRoot(dir string) string {
	project, err := build.Open(dir)
	if err != nil {
		return ""
	}
	return project.Root
}
