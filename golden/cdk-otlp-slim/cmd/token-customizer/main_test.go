package main

import (
	"bytes"
	"context"
	"encoding/json"
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

	"example.com/cdk-otlp-slim/internal/customizer"
	"example.com/cdk-otlp-slim/internal/lambdaruntime"
)

// TestBootstrap builds the function as it is deployed, but for this machine, and serves it every sample event over the Runtime API.
func TestBootstrap(t *testing.T) {
	samples, err := filepath.Glob("../../events/*.json")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no sample events: %v", err)
	}
	tokens, err := customizer.New(customizer.DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	expected := customizer.NewHandler(tokens, lambdaruntime.LoggerTo(io.Discard))
	function := startFunction(t, build(t))
	for _, sample := range samples {
		t.Run(filepath.Base(sample), func(t *testing.T) {
			event, err := os.ReadFile(sample)
			if err != nil {
				t.Fatal(err)
			}
			answer := function.invoke(t, event)
			if want, err := expected.Invoke(t.Context(), event); err != nil || !bytes.Equal(answer, want) {
				t.Errorf("got  %s\nwant %s (%v)", answer, want, err)
			}
			var sent, got struct {
				Request  json.RawMessage `json:"request"`
				Response json.RawMessage `json:"response"`
			}
			if err := json.Unmarshal(event, &sent); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(answer, &got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Request, sent.Request) {
				t.Errorf("the request changed: %s", got.Request)
			}
			if bytes.Contains(got.Response, []byte("groupOverrideDetails")) {
				t.Errorf("the groups are touched: %s", got.Response)
			}
		})
	}
	t.Run("a broken event", func(t *testing.T) {
		if answer := function.invoke(t, []byte(`{"version":"0"}`)); !bytes.Contains(answer, []byte(`"errorMessage":"sign-in is not available`)) {
			t.Errorf("got %s", answer)
		}
	})
}

func build(t *testing.T) string {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", bootstrap, ".")
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "GOEXPERIMENT=", "GOFIPS140=off", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return bootstrap
}

// function is a running bootstrap and its side of the Runtime API.
type function struct {
	events      chan []byte
	answers     chan []byte
	exited      chan error
	invocations atomic.Int64
}

// patience is how long the test waits for what is bound to happen, on the busiest machine too.
const patience = time.Minute

// startFunction starts the bootstrap the way Lambda does.
// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
func startFunction(t *testing.T, bootstrap string) *function {
	t.Helper()
	f := &function{events: make(chan []byte), answers: make(chan []byte), exited: make(chan error, 1)}
	const invocation = "/2018-06-01/runtime/invocation/"
	answer := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(http.StatusAccepted)
		select {
		case f.answers <- body:
		case <-r.Context().Done(): // nobody waits for it, as in a test that has failed
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+invocation+"next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-f.events:
			f.invocations.Add(1)
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", f.requestID())
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:token-customizer")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(patience).UnixMilli()))
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST "+invocation+"{id}/response", answer)
	mux.HandleFunc("POST "+invocation+"{id}/error", answer)
	server := httptest.NewServer(mux)

	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, bootstrap)
	command.Env = append(os.Environ(),
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=token-customizer",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_REGION=eu-west-1",
		"_HANDLER=bootstrap")
	command.Stdout, command.Stderr = t.Output(), t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { f.exited <- command.Wait(); close(f.exited) }()
	t.Cleanup(func() {
		cancel()
		for range f.exited { // killed: how it exits tells nothing
		}
		server.Close()
	})
	return f
}

// requestID is that of the last invocation.
func (f *function) requestID() string {
	return fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", f.invocations.Load())
}

// invoke sends one event and waits for its answer, or for the error that the function reports instead.
func (f *function) invoke(t *testing.T, event []byte) []byte {
	t.Helper()
	select {
	case f.events <- event:
	case err := <-f.exited:
		t.Fatalf("the function exited: %v", err)
	case <-time.After(patience):
		t.Fatal("the function asks for no event")
	}
	select {
	case answer := <-f.answers:
		return answer
	case err := <-f.exited:
		t.Fatalf("the function exited: %v", err)
	case <-time.After(patience):
		t.Fatal("the function does not answer")
	}
	return nil
}
