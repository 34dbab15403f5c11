package local

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/golam-cli/golam/internal/localhttp"
)

// Headers of the Runtime API (Lambda Developer Guide, "Runtime API").
const (
	headerRequestID       = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline        = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN     = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID         = "Lambda-Runtime-Trace-Id"
	headerClientContext   = "Lambda-Runtime-Client-Context"
	headerCognitoIdentity = "Lambda-Runtime-Cognito-Identity"
	headerErrorType       = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody       = "Lambda-Runtime-Function-Error-Body"
	headerResponseMode    = "Lambda-Runtime-Function-Response-Mode"
)

// handler serves the Runtime API and the Extensions API to the environment's process.
func (e *environment) handler() http.Handler {
	mux := http.NewServeMux()
	const runtime, extension = "/2018-06-01/runtime", "/2020-01-01/extension"
	mux.HandleFunc("GET "+runtime+"/invocation/next", e.handleNext)
	mux.HandleFunc("POST "+runtime+"/invocation/{id}/response", e.handleResponse)
	mux.HandleFunc("POST "+runtime+"/invocation/{id}/error", e.handleError)
	mux.HandleFunc("POST "+runtime+"/init/error", e.handleInitError)
	mux.HandleFunc("POST "+extension+"/register", e.handleRegister)
	mux.HandleFunc("GET "+extension+"/event/next", e.handleEventNext)
	mux.HandleFunc("POST "+extension+"/init/error", e.handleExtensionError("Extension.InitError"))
	mux.HandleFunc("POST "+extension+"/exit/error", e.handleExtensionError("Extension.ExitError"))
	mux.HandleFunc("PUT /2020-08-15/logs", e.handleSubscribe(true))
	mux.HandleFunc("PUT /2022-07-01/telemetry", e.handleSubscribe(false))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, "NotFound", "no such operation: "+r.Method+" "+r.URL.Path)
	})
	return mux
}

// handleNext blocks until there is an invocation. A runtime that asks again before it has answered gets the same one again, as in
// AWS's interface emulator.
func (e *environment) handleNext(w http.ResponseWriter, r *http.Request) {
	inv, poll, ok := e.pollRuntime(arrival(r))
	switch {
	case !ok:
		writeInvalidState(w, "the runtime is waiting for an invocation already, or has reported an init error")
		return
	case inv == nil:
		select {
		case inv = <-poll:
		case <-r.Context().Done():
			return
		case <-e.ended:
			panic(http.ErrAbortHandler) // no answer at all
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	h.Set(headerRequestID, inv.id)
	h.Set(headerDeadline, strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set(headerFunctionARN, inv.arn)
	h.Set(headerTraceID, inv.traceID)
	if len(inv.clientContext) > 0 {
		h.Set(headerClientContext, string(inv.clientContext))
	}
	if inv.identity != (CognitoIdentity{}) {
		identity, _ := json.Marshal(inv.identity)
		h.Set(headerCognitoIdentity, string(asciiJSON(identity)))
	}
	inv.leaves(r)
	_, _ = w.Write(inv.payload)
}

// pollRuntime gives the unanswered invocation, if there is one, or what to wait on for the next.
func (e *environment) pollRuntime(at time.Time) (inv *invocation, poll <-chan *invocation, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.poll != nil || e.initError != nil {
		return nil, nil, false
	}
	if e.invocation != nil && e.invocation.answer == nil {
		return e.invocation, nil, true
	}
	p := make(chan *invocation, 1)
	e.poll = p
	e.polled = true
	e.ask(at)
	e.notify()
	return nil, p, true
}

func (e *environment) handleResponse(w http.ResponseWriter, r *http.Request) {
	if !e.expects(w, r.PathValue("id")) {
		return
	}
	if streaming(r) {
		e.handleStream(w, r)
		return
	}
	body, err := readBody(r)
	if errors.Is(err, errTooLarge) {
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)
		if e.answer(w, r, true, failureBody("Function.ResponseSizeTooLarge", message)) {
			writeBodyError(w, err)
		}
		return
	}
	if err != nil {
		writeBodyError(w, err)
		return
	}
	broken, failed := brokenOff(r)
	if failed {
		body = broken
	}
	if e.answer(w, r, failed, body) {
		writeAccepted(w)
	}
}

// brokenOff gives the error of a handler that failed while its response was read, from the trailers of a body that has been read.
func brokenOff(r *http.Request) (body []byte, failed bool) {
	errorType := r.Trailer.Get(headerErrorType)
	if errorType == "" {
		return nil, false
	}
	body, err := base64.StdEncoding.DecodeString(r.Trailer.Get(headerErrorBody))
	if err != nil || len(body) == 0 {
		body = failureBody(errorType, "the response broke off")
	}
	return body, true
}

// handleStream passes a response on as it comes. Whoever takes it sets the pace, as far as the function's timeout allows.
func (e *environment) handleStream(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	inv := e.invocation
	first := inv.id == r.PathValue("id") && !inv.streaming
	inv.streaming = inv.streaming || first
	e.mu.Unlock()
	if !first {
		writeInvalidState(w, "this invocation is being answered")
		return
	}
	if inv.stream == nil {
		message := "the function streams its response: invoke it through a function URL or with InvokeWithResponseStream"
		if e.answer(w, r, true, failureBody("Runtime.StreamingNotSupported", message)) {
			discard(r)
			writeError(w, http.StatusNotImplemented, "NotImplemented", message)
		}
		return
	}
	_, err := io.Copy(&steady{to: inv.stream(r.Header.Get("Content-Type"))}, io.LimitReader(r.Body, maxStream+1))
	a := answer{streamed: true}
	switch {
	case errors.Is(err, errTooLarge):
		a.failed = true
		a.payload = failureBody("Function.ResponseSizeTooLarge",
			fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxStream))
		discard(r)
	case err != nil:
		// The process has ended, or will yet say what is wrong.
		e.mu.Lock()
		inv.streaming = false
		e.mu.Unlock()
		writeBodyError(w, err)
		return
	default:
		a.payload, a.failed = brokenOff(r)
	}
	if e.give(w, r, a) {
		writeAccepted(w)
	}
}

// maxStream is what Lambda lets a function stream, in bytes (Lambda Developer Guide, "Response streaming for Lambda functions").
const maxStream = 200 << 20

// steady writes until a write fails, and from then on takes everything without a word: the function does not feel that its caller is
// gone.
type steady struct {
	to      io.Writer
	failed  bool
	written int64
}

func (s *steady) Write(p []byte) (int, error) {
	if s.written += int64(len(p)); s.written > maxStream {
		return 0, errTooLarge
	}
	if !s.failed {
		_, err := s.to.Write(p)
		s.failed = err != nil
	}
	return len(p), nil
}

// streaming reports whether a response is meant to be streamed: runtimes say so in a header, aws-lambda-go with a content type.
func streaming(r *http.Request) bool {
	return r.Header.Get(headerResponseMode) == "streaming" ||
		r.Header.Get("Content-Type") == "application/vnd.awslambda.http-integration-response"
}

func (e *environment) handleError(w http.ResponseWriter, r *http.Request) {
	if !e.expects(w, r.PathValue("id")) {
		return
	}
	body, err := readBody(r)
	if err != nil {
		writeBodyError(w, err)
		return
	}
	if e.answer(w, r, true, body) {
		writeAccepted(w)
	}
}

// handleInitError takes the runtime's word for why its init phase failed. The phase ends when the process does.
func (e *environment) handleInitError(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		writeBodyError(w, err)
		return
	}
	f := &failure{errorType: r.Header.Get(headerErrorType), body: body}
	setDefault(&f.errorType, "Runtime.Unknown")
	e.mu.Lock()
	ok := !e.polled && e.initError == nil
	if ok {
		e.initError = f
	}
	e.mu.Unlock()
	if !ok {
		writeInvalidState(w, "the init phase is over")
		return
	}
	writeAccepted(w)
}

// expects refuses a request id that is not the current invocation's, and a second answer.
func (e *environment) expects(w http.ResponseWriter, id string) bool {
	e.mu.Lock()
	inv := e.invocation
	current := inv != nil && inv.id == id && !inv.over
	answered := current && (inv.answer != nil || inv.streaming)
	e.mu.Unlock()
	switch {
	case !current:
		writeInvalidID(w)
	case answered:
		writeInvalidState(w, "this invocation has been answered")
	}
	return current && !answered
}

// answer ends the wait for the runtime's answer, or refuses one that comes too late.
func (e *environment) answer(w http.ResponseWriter, r *http.Request, failed bool, payload []byte) bool {
	return e.give(w, r, answer{payload: payload, failed: failed})
}

func (e *environment) give(w http.ResponseWriter, r *http.Request, a answer) bool {
	a.at = arrival(r)
	e.mu.Lock()
	inv := e.invocation
	ok := inv.id == r.PathValue("id") && !inv.over && inv.answer == nil
	if ok {
		inv.answer = &a
		e.notify()
	}
	e.mu.Unlock()
	if !ok {
		writeInvalidID(w)
	}
	return ok
}

// answer is what the runtime posted for an invocation.
type answer struct {
	payload  []byte
	failed   bool
	streamed bool
	at       time.Time
}

var errTooLarge = errors.New("too large")

// readBody reads a body to its end, so that a client that still writes gets to see the reply, and keeps what a response may have.
func readBody(r *http.Request) ([]byte, error) {
	body, err := localhttp.ReadBody(r, maxResponse)
	switch {
	case errors.Is(err, localhttp.ErrTooLarge):
		discard(r)
		return nil, errTooLarge
	case err != nil:
		return nil, err
	case body == nil:
		body = []byte{} // it was posted, if empty
	}
	return body, nil
}

// discard reads the rest of a body, within reason, for a client that does not look at the reply before it has written all.
func discard(r *http.Request) {
	const atMost = 64 << 20
	_, _ = io.CopyN(io.Discard, r.Body, atMost)
}

// errorBody is the form of errors in the Runtime API and of function errors.
type errorBody struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

func writeError(w http.ResponseWriter, status int, errorType, message string) {
	writeJSON(w, status, errorBody{errorType, message})
}

func writeInvalidState(w http.ResponseWriter, message string) {
	writeError(w, http.StatusForbidden, "InvalidStateTransition", message)
}

func writeInvalidID(w http.ResponseWriter) {
	writeError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}

// writeBodyError refuses a body that readBody did not like.
func writeBodyError(w http.ResponseWriter, err error) {
	if errors.Is(err, errTooLarge) {
		writeError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse))
		return
	}
	writeError(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

func writeAccepted(w http.ResponseWriter) {
	writeJSON(w, http.StatusAccepted, struct {
		Status string `json:"status"`
	}{"OK"})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
