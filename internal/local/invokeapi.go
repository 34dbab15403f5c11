package local

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"

	"github.com/golam-cli/golam/internal/localhttp"
	"github.com/golam-cli/golam/internal/quotas"
)

// invokeServer serves the Invoke API (Lambda API Reference, "Invoke").
type invokeServer struct {
	lambda *Lambda
	server *localhttp.Server
}

func newInvokeServer(l *Lambda, address string) (*invokeServer, error) {
	s := &invokeServer{lambda: l}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address of the Invoke API: %w", err)
	}
	setDefault(&host, "127.0.0.1")
	if s.server, err = listen(net.JoinHostPort(host, port), false, localhttp.Options{
		Handler: s.operations(), Host: host, Pages: true, Whole: quotas.MaxPayload,
		Refuse: func(w http.ResponseWriter, status int, message string) {
			refuse(w, newUUID(), &RequestError{status, refusalType(status), message})
		},
	}); err != nil {
		return nil, fmt.Errorf("serving the Invoke API: %w", err)
	}
	return s, nil
}

// refusalType is the exception for a request that did not get as far as an operation.
func refusalType(status int) string {
	switch status {
	case http.StatusForbidden:
		return "AccessDeniedException"
	case http.StatusRequestTimeout:
		return "InvalidRequestContentException"
	}
	return "ServiceException"
}

// InvokeAPI serves the Invoke API to requests that somebody else has received, and vouches for: it looks at neither Host nor Origin.
func (l *Lambda) InvokeAPI() http.Handler {
	return (&invokeServer{lambda: l}).operations()
}

func (s *invokeServer) operations() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", s.handle(s.invoke))
	mux.HandleFunc("POST /2021-11-15/functions/{name}/response-streaming-invocations", s.handle(s.invokeStreaming))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, newUUID(), &RequestError{http.StatusNotFound, "UnknownOperationException", "no such operation: " + r.Method + " " + r.URL.Path})
	})
	return mux
}

// close is fine with a nil receiver.
func (s *invokeServer) close() {
	if s != nil {
		s.server.Shutdown()
	}
}

// handle makes a handler of an operation, which writes the response unless it returns an error.
func (s *invokeServer) handle(operation func(w http.ResponseWriter, r *http.Request, name string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, err := s.function(r)
		if err == nil {
			err = operation(w, r, name)
		}
		if err != nil {
			refuse(w, newUUID(), err)
		}
	}
}

// functionID is the form of a function's name in the Lambda API Reference: an ARN, a part of one, or just the name, with a qualifier or
// without.
var functionID = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?` +
	`([a-zA-Z0-9_-]+)(?::(\$LATEST|[a-zA-Z0-9_-]+))?$`)

// FunctionName is the name of the function in what the Invoke API takes for one, "" if there is none.
func FunctionName(id string) string {
	if found := functionID.FindStringSubmatch(id); found != nil {
		return found[1]
	}
	return ""
}

// function finds the name of the function that a request is for.
func (s *invokeServer) function(r *http.Request) (string, error) {
	id := functionID.FindStringSubmatch(r.PathValue("name"))
	if id == nil {
		return "", &RequestError{http.StatusBadRequest, "InvalidParameterValueException", "the path holds no name of a function"}
	}
	name, qualifier := id[1], id[2]
	setDefault(&qualifier, r.URL.Query().Get("Qualifier"))
	setDefault(&qualifier, version)
	if qualifier != version {
		return "", s.lambda.notFound(name + ":" + qualifier)
	}
	if s.lambda.function(name) == nil {
		return "", s.lambda.notFound(name)
	}
	return name, nil
}

// readInvocation reads what the two operations have in common.
func readInvocation(r *http.Request) (in Invocation, err error) {
	in = Invocation{TraceID: r.Header.Get("X-Amzn-Trace-Id"), Report: r.Header.Get("X-Amz-Log-Type") == "Tail"}
	if in.ClientContext, err = clientContext(r.Header.Get("X-Amz-Client-Context")); err != nil {
		return in, err
	}
	// One byte too many is enough to be refused.
	if in.Payload, err = io.ReadAll(io.LimitReader(r.Body, quotas.MaxPayload+1)); err != nil {
		return in, &RequestError{http.StatusBadRequest, "InvalidRequestContentException", "the request's body broke off"}
	}
	return in, nil
}

func (s *invokeServer) invoke(w http.ResponseWriter, r *http.Request, name string) error {
	in, err := readInvocation(r)
	if err != nil {
		return err
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		result, err := s.lambda.Invoke(r.Context(), name, in)
		if err != nil {
			return err
		}
		writeResult(w, result)
		return nil
	case "Event":
		id, err := s.lambda.invokeEvent(name, in)
		if err != nil {
			return err
		}
		w.Header().Set(headerAmznRequestID, id)
		w.WriteHeader(http.StatusAccepted)
		return nil
	case "DryRun":
		inv, err := s.lambda.newInvocation(name, in)
		if err != nil {
			return err
		}
		w.Header().Set(headerAmznRequestID, inv.id)
		w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		return &RequestError{
			http.StatusBadRequest, "InvalidParameterValueException",
			"X-Amz-Invocation-Type is RequestResponse, Event or DryRun",
		}
	}
}

const headerAmznRequestID = "X-Amzn-Requestid"

func clientContext(header string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(header)
	if err != nil || len(header) > maxContext {
		return nil, errClientContext
	}
	return decoded, nil
}

func writeResult(w http.ResponseWriter, result Result) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set(headerAmznRequestID, result.RequestID)
	h.Set("X-Amzn-Trace-Id", result.TraceID)
	h.Set("X-Amz-Executed-Version", version)
	if result.FunctionError != "" {
		h.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if result.Report != nil {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.Report.LogTail))
	}
	_, _ = w.Write(result.Payload)
}

// refuse answers as the Lambda API does: the exception's name in a header, the message in a body.
func refuse(w http.ResponseWriter, requestID string, err error) {
	var refusal *RequestError
	if !errors.As(err, &refusal) {
		refusal = &RequestError{http.StatusInternalServerError, "ServiceException", err.Error()}
	}
	body := map[string]string{"Type": "User", "message": refusal.Message}
	switch refusal.Type {
	case "ServiceException":
		body["Type"] = "Service"
		fallthrough
	case "ResourceNotFoundException":
		// The two exceptions whose model has a capital letter.
		body["Message"] = refusal.Message
		delete(body, "message")
	case "TooManyRequestsException":
		body["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded"
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(headerAmznRequestID, requestID)
	w.Header().Set("X-Amzn-Errortype", refusal.Type)
	w.WriteHeader(refusal.StatusCode)
	_ = json.NewEncoder(w).Encode(body)
}
