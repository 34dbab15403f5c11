package local

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Headers of the Extensions API (Lambda Developer Guide, "Extensions API").
const (
	headerExtensionName      = "Lambda-Extension-Name"
	headerExtensionID        = "Lambda-Extension-Identifier"
	headerExtensionErrorType = "Lambda-Extension-Function-Error-Type"
	headerExtensionEventID   = "Lambda-Extension-Event-Identifier"
)

const (
	maxExtensions    = 10
	maxExtensionBody = 64 << 10
)

// extension is an internal extension: a part of the function's own process.
type extension struct {
	name   string
	invoke bool             // wants INVOKE events
	failed bool             // reported an error: it never gets ready again
	poll   chan *invocation // it waits in next; nil if it doesn't
}

type invokeEvent struct {
	EventType          string  `json:"eventType"`
	DeadlineMs         int64   `json:"deadlineMs"`
	RequestID          string  `json:"requestId"`
	InvokedFunctionArn string  `json:"invokedFunctionArn"`
	Tracing            tracing `json:"tracing"`
}

type tracing struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// handleRegister takes internal extensions only: they may ask for INVOKE events, and must register before the runtime asks for its
// first invocation.
func (e *environment) handleRegister(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(headerExtensionName)
	if name == "" {
		writeError(w, http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
		return
	}
	var request struct {
		Events []string `json:"events"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxExtensionBody))
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		writeError(w, http.StatusForbidden, "InvalidRequestFormat", err.Error())
		return
	}
	x := &extension{name: name}
	for _, event := range request.Events {
		if event != "INVOKE" {
			writeError(w, http.StatusForbidden, "Extension.InvalidEventType",
				event+": an internal extension may register for INVOKE only")
			return
		}
		x.invoke = true
	}
	id, errorType, message := e.register(x)
	if errorType != "" {
		writeError(w, http.StatusForbidden, errorType, message)
		return
	}
	w.Header().Set(headerExtensionID, id)
	writeJSON(w, http.StatusOK, struct {
		FunctionName    string `json:"functionName"`
		FunctionVersion string `json:"functionVersion"`
		Handler         string `json:"handler"`
	}{e.fn.Name, version, e.fn.Handler})
}

// register gives the extension an identifier, or a type and message of an error.
func (e *environment) register(x *extension) (id, errorType, message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.polled {
		return "", "Extension.RegistrationClosed", "Extension registration closed already"
	}
	if len(e.extensions) == maxExtensions {
		return "", "Extension.TooManyExtensions", fmt.Sprintf("Extension limit (%d) reached", maxExtensions)
	}
	for _, other := range e.extensions {
		if other.name == x.name {
			return "", "Extension.InvalidExtensionState", "Extension with this name already registered"
		}
	}
	id = newUUID()
	e.extensions[id] = x
	return id, "", ""
}

// handleEventNext blocks until there is an event, for ever if the extension asked for none. An extension whose client gives up
// waiting misses its event, as on Lambda: it counts as waiting and may not ask again.
func (e *environment) handleEventNext(w http.ResponseWriter, r *http.Request) {
	poll, ok := e.pollExtension(w, r)
	if !ok {
		return
	}
	var inv *invocation
	select {
	case inv = <-poll:
	case <-r.Context().Done():
		return
	case <-e.ended:
		panic(http.ErrAbortHandler) // no answer at all
	}
	w.Header().Set(headerExtensionEventID, newUUID())
	writeJSON(w, http.StatusOK, invokeEvent{
		EventType:          "INVOKE",
		DeadlineMs:         inv.deadline.UnixMilli(),
		RequestID:          inv.id,
		InvokedFunctionArn: inv.arn,
		Tracing:            tracing{"X-Amzn-Trace-Id", inv.traceID},
	})
}

func (e *environment) pollExtension(w http.ResponseWriter, r *http.Request) (<-chan *invocation, bool) {
	x := e.extension(w, r)
	if x == nil {
		return nil, false
	}
	poll := make(chan *invocation, 1)
	e.mu.Lock()
	ok := x.poll == nil && !x.failed
	if ok {
		x.poll = poll
		e.ask(arrival(r))
		e.notify()
	}
	e.mu.Unlock()
	if !ok {
		writeError(w, http.StatusForbidden, "Extension.InvalidExtensionState",
			"extension "+x.name+" is waiting for an event already, or has reported an error")
	}
	return poll, ok
}

// extension finds who sent a request, or refuses it.
func (e *environment) extension(w http.ResponseWriter, r *http.Request) *extension {
	id := r.Header.Get(headerExtensionID)
	if id == "" {
		writeError(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing "+headerExtensionID+" header")
		return nil
	}
	e.mu.Lock()
	x := e.extensions[id]
	e.mu.Unlock()
	if x == nil {
		writeError(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
	}
	return x
}

// handleExtensionError takes the report of an extension that gives up. Its process is expected to exit, which then is reported as
// this error; while it lives, the phase can't end but by its timeout.
func (e *environment) handleExtensionError(errorType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := e.extension(w, r)
		if x == nil {
			return
		}
		if r.Header.Get(headerExtensionErrorType) == "" {
			writeError(w, http.StatusForbidden, "Extension.MissingHeader", headerExtensionErrorType+" not found")
			return
		}
		e.mu.Lock()
		x.failed = true
		x.poll = nil
		setDefault(&e.fatal, errorType)
		e.mu.Unlock()
		writeAccepted(w)
	}
}
