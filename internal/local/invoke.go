package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf16"

	"github.com/golam-cli/golam/internal/quotas"
)

// Invocation is one event for a function. The zero value is an empty event.
type Invocation struct {
	// Payload is JSON, 6 MiB at most; {} if empty.
	Payload []byte
	// ClientContext is a JSON object or empty: not in base64.
	ClientContext []byte
	// Identity is who calls, if a Cognito identity pool says so.
	Identity CognitoIdentity
	// TraceID is the value of an X-Amzn-Trace-Id header. By default a new one with Sampled=0.
	TraceID string
	// Report makes Invoke return at the end of the invoke phase instead of at the function's answer, and Result.Report be there.
	Report bool
	// Stream is called if the function streams its response, with its content type, and gives where to write it as it comes. A write
	// that fails does not end the function, as a caller that goes away does not. If Stream is nil, a function that streams fails.
	Stream func(contentType string) io.Writer

	id string // the request id, a new one if empty
}

// CognitoIdentity is the identity of a user of an application.
type CognitoIdentity struct {
	ID     string `json:"cognitoIdentityId"`
	PoolID string `json:"cognitoIdentityPoolId"`
}

// Result is the outcome of an invocation.
type Result struct {
	RequestID string
	// Payload is the function's response or, if FunctionError is set, the error: JSON with errorType and errorMessage.
	Payload []byte
	// Streamed tells that the response went to Stream; Payload then is empty, or the error that it broke off with.
	Streamed bool
	// FunctionError is "Unhandled" if the function failed, or "".
	FunctionError string
	// TraceID is the trace header that the function was given.
	TraceID string
	// LogStream names the execution environment.
	LogStream string
	// Cold is true if the invocation had to wait for an init phase.
	Cold bool
	// InitDuration is the time from the start of the process to the end of a successful init phase; 0 if there was none, and 0 if it
	// failed and was repeated within the invocation (Lambda counts that as part of Duration).
	InitDuration time.Duration
	// Duration is the time from handing the event over to the whole answer, as it passes at the function's connection: without what
	// golam's own server takes.
	Duration time.Duration
	// Report is what is known at the end of the invoke phase only. It is nil unless it was asked for.
	Report *Report
}

// Report is what Lambda's REPORT line says of an invocation.
type Report struct {
	// Duration of the invoke phase: until the runtime and the extensions were ready for the next event.
	Duration time.Duration
	// BilledDuration is Duration and InitDuration, rounded up to whole milliseconds.
	BilledDuration time.Duration
	// MaxMemory is the most resident memory in bytes that the execution environment was seen to use since its start; 0 where that
	// can't be measured.
	MaxMemory int64
	// InitCPU and CPU are the processor time, of user and system, that the bootstrap used in the init phase (0 if there was none) and
	// since then or since the invocation before. The time of processes that it started is not in it. 0 where that can't be measured.
	InitCPU, CPU time.Duration
	// ErrorType says why the phase failed, "" if it did not. It may fail after a good answer, when the process exits or an extension
	// does not come back in time.
	ErrorType string
	// LogTail is the end of the invocation's log, 4 KB at most.
	LogTail []byte
}

// ErrClosed is the error of an invocation that the end of the Lambda cut short.
var ErrClosed = errors.New("the local Lambda is closed")

// RequestError is Lambda's refusal of an invocation: the function has not run.
type RequestError struct {
	StatusCode int    // of HTTP
	Type       string // the exception's name in the Lambda API Reference
	Message    string
}

func (e *RequestError) Error() string { return e.Type + ": " + e.Message }

var errClientContext = &RequestError{
	http.StatusBadRequest, "InvalidRequestContentException",
	"Client context must be a valid Base64-encoded JSON object.",
}

// Invoke runs one event through a function and returns its answer as soon as it is there. The environment takes part in the next
// invocation when its runtime and extensions have asked for it.
//
// That a function fails, times out or exits is a Result. An error is a [RequestError], [ErrClosed], the context's error, or says what
// the machine could not do. When ctx is done, the function goes on without a caller, as on Lambda.
func (l *Lambda) Invoke(ctx context.Context, function string, in Invocation) (Result, error) {
	fn, inv, e, turn, err := l.prepare(function, in, false)
	if err == nil && turn != nil {
		e, err = fn.wait(ctx, turn)
	}
	if err != nil {
		return Result{}, err
	}
	if !l.spawn(func() { fn.serve(e, inv) }) {
		fn.release(e)
		return Result{}, ErrClosed
	}
	select {
	case <-inv.done:
		return inv.result, inv.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// invokeEvent sets an asynchronous invocation going, which may wait for its environment, and gives its request id. Unlike Lambda it
// is not repeated if it fails. The function gets no client context, as on Lambda (Lambda API Reference, Invoke).
func (l *Lambda) invokeEvent(function string, in Invocation) (string, error) {
	if len(in.Payload) > maxAsync {
		return "", tooLarge(maxAsync)
	}
	in.ClientContext = nil
	fn, inv, e, turn, err := l.prepare(function, in, true)
	if err != nil {
		return "", err
	}
	work := func() {
		if turn != nil {
			var err error
			if e, err = fn.wait(l.ctx, turn); err != nil {
				return
			}
		}
		fn.serve(e, inv)
		if inv.err != nil {
			newLogStream(fn).platform("RequestId: %s Error: %s", inv.id, inv.err)
		}
	}
	if !l.spawn(work) {
		if turn != nil {
			e, err = fn.wait(l.ctx, turn)
		}
		if err == nil {
			fn.release(e)
		}
		return "", ErrClosed
	}
	return inv.id, nil
}

// prepare checks an invocation and acquires what it needs.
func (l *Lambda) prepare(name string, in Invocation, queue bool) (fn *function, inv *invocation, e *environment, t turn, err error) {
	for inv == nil || errors.Is(err, errRetired) {
		if fn = l.function(name); fn == nil {
			return nil, nil, nil, nil, l.notFound(name)
		}
		if inv == nil {
			if inv, err = l.newInvocation(name, in); err != nil {
				return nil, nil, nil, nil, err
			}
		}
		e, t, err = fn.acquire(queue)
	}
	return fn, inv, e, t, err
}

func (l *Lambda) notFound(function string) error {
	return &RequestError{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + l.arn(function)}
}

// invocation is an Invocation on its way.
type invocation struct {
	id, arn       string
	payload       []byte
	clientContext []byte
	identity      CognitoIdentity
	traceID       string
	report        bool
	stream        func(contentType string) io.Writer

	// Set before the runtime sees it.
	deadline time.Time

	left atomic.Pointer[time.Time] // when it began to leave for the runtime

	// Of the environment's driver.
	initCPU, cpu time.Duration

	// With the state of its environment locked.
	answer    *answer
	streaming bool // the response has begun to come
	over      bool // the phase has ended

	done   chan struct{} // closed: result and err are set
	result Result
	err    error
}

func (l *Lambda) newInvocation(function string, in Invocation) (*invocation, error) {
	inv := &invocation{
		id:            in.id,
		arn:           l.arn(function),
		payload:       in.Payload,
		clientContext: in.ClientContext,
		identity:      in.Identity,
		traceID:       in.TraceID,
		report:        in.Report,
		stream:        in.Stream,
		done:          make(chan struct{}),
	}
	if inv.id == "" {
		inv.id = newUUID()
	}
	if len(inv.payload) == 0 {
		inv.payload = []byte("{}")
	}
	if !isTraceHeader(inv.traceID) {
		inv.traceID = newTraceID(time.Now(), l.cfg.Sampled)
	}
	switch {
	case len(inv.payload) > quotas.MaxPayload:
		return nil, tooLarge(quotas.MaxPayload)
	case !json.Valid(inv.payload):
		return nil, &RequestError{
			http.StatusBadRequest, "InvalidRequestContentException",
			"Could not parse request body into json",
		}
	}
	if len(inv.clientContext) > 0 {
		// It becomes a header: no line ends.
		var compact bytes.Buffer
		if err := json.Compact(&compact, inv.clientContext); err != nil || compact.Bytes()[0] != '{' {
			return nil, errClientContext
		}
		inv.clientContext = asciiJSON(compact.Bytes())
	}
	inv.result = Result{RequestID: inv.id, TraceID: inv.traceID}
	return inv, nil
}

func tooLarge(most int) error {
	return &RequestError{
		http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
		fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", most),
	}
}

// isTraceHeader reports whether a text can be the trace header of an invocation, which the function gets as a header of HTTP. Lambda gives
// an invocation with any other a new one.
func isTraceHeader(text string) bool {
	const longest = 1000 // X-Ray's own have some 100 bytes
	return text != "" && len(text) <= longest && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// asciiJSON writes the characters of JSON that not every runtime takes in a header, those beyond printable ASCII, as escapes. They can
// only be in strings.
func asciiJSON(text []byte) []byte {
	var ascii []byte
	for _, unit := range utf16.Encode([]rune(string(text))) {
		if unit < 0x7f {
			ascii = append(ascii, byte(unit))
		} else {
			ascii = fmt.Appendf(ascii, `\u%04x`, unit)
		}
	}
	return ascii
}

// resolve lets the caller go. Called once.
func (inv *invocation) resolve(err error) {
	inv.err = err
	close(inv.done)
}
