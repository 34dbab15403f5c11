// Package lambdatest runs a function in a test the way Lambda does: it builds the bootstrap, starts it, and gives it events over the Runtime
// API. It is a small part of what Lambda does: one execution environment, one invocation at a time, no freezing and no limits.
//
// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Function is a running bootstrap, and the Lambda and the EventBridge that it talks to.
type Function struct {
	name        string
	events      chan []byte
	answers     chan answer
	exited      chan error
	invocations atomic.Int64
	requests    chan []byte // to EventBridge
}

// answer is what the function posts for an event: its answer, or an error report.
type answer struct {
	payload []byte
	failed  bool
}

// patience is how long a test waits for something that has to happen, on the busiest machine too.
const patience = time.Minute

// Start builds the command in the test's own folder as it is deployed, but for this machine, and starts it as the function with the name.
// The environment has NAME=value for variables that the function reads. The function ends with the test.
func Start(t *testing.T, name string, environment ...string) *Function {
	t.Helper()
	return StartBootstrap(t, name, build(t), environment...)
}

// StartBootstrap starts a bootstrap that is built already.
func StartBootstrap(t *testing.T, name, bootstrap string, environment ...string) *Function {
	t.Helper()
	f := &Function{name: name, events: make(chan []byte), answers: make(chan answer), exited: make(chan error, 1)}
	mux := http.NewServeMux()
	const invocation = "/2018-06-01/runtime/invocation/"
	mux.HandleFunc("GET "+invocation+"next", f.next)
	mux.HandleFunc("POST "+invocation+"{id}/response", f.answer(false))
	mux.HandleFunc("POST "+invocation+"{id}/error", f.answer(true))
	f.requests = make(chan []byte, 1)
	mux.HandleFunc("POST /{$}", f.putEvents)
	server := httptest.NewServer(mux)

	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, bootstrap)
	command.Env = append(os.Environ(),
		"_HANDLER=bootstrap",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_FUNCTION_NAME="+name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"),
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=example",
		"AWS_SECRET_ACCESS_KEY=example",
		"AWS_ENDPOINT_URL_EVENTBRIDGE="+server.URL,
		"EVENT_BUS_NAME=tokens",
	)
	command.Env = append(command.Env, environment...)
	command.Stdout, command.Stderr = t.Output(), t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { f.exited <- command.Wait(); close(f.exited) }()
	t.Cleanup(func() {
		cancel()
		for range f.exited { // it was killed, so how it exits says nothing
		}
		server.Close()
	})
	return f
}

func build(t *testing.T) string {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", bootstrap, "."}
	command := exec.CommandContext(t.Context(), "go", arguments...) //nolint:gosec // nothing in it comes from outside the test
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "GOEXPERIMENT=", "GOFIPS140=off", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return bootstrap
}

// next hands out an event when a test has one.
func (f *Function) next(w http.ResponseWriter, r *http.Request) {
	select {
	case event := <-f.events:
		f.invocations.Add(1)
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", f.requestID())
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:"+f.name)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(patience).UnixMilli()))
		_, _ = w.Write(event)
	case <-r.Context().Done():
	}
}

func (f *Function) answer(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(http.StatusAccepted)
		select {
		case f.answers <- answer{payload, failed}:
		case <-r.Context().Done(): // the test has failed and does not wait for it
		}
	}
}

// requestID is the id of the last invocation.
func (f *Function) requestID() string {
	return fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", f.invocations.Load())
}

// Invoke gives the function an event and returns its answer. If the function reports an error instead, the error's text is the report: JSON
// with errorType and errorMessage. Call it from one goroutine at a time.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case f.events <- event:
	case err := <-f.exited:
		return nil, fmt.Errorf("the function exited: %w", err)
	case <-ctx.Done():
		return nil, fmt.Errorf("the function did not ask for an event: %w", ctx.Err())
	}
	select {
	case got := <-f.answers:
		if got.failed {
			return nil, errors.New(string(got.payload))
		}
		return got.payload, nil
	case err := <-f.exited:
		return nil, fmt.Errorf("the function exited: %w", err)
	case <-ctx.Done():
		return nil, fmt.Errorf("the function did not answer: %w", ctx.Err())
	}
}
