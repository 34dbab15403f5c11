// Command function is an ordinary function on the runtime of slim projects. The handler's name (_HANDLER) says what it does. It is built
// beside that runtime, as rendered into a project.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"example.com/function/internal/platform/lambdaruntime"
)

func main() {
	switch handler := os.Getenv("_HANDLER"); handler {
	case "describe":
		lambdaruntime.Start(handlerFunc(describe))
	case "echo":
		lambdaruntime.Start(handlerFunc(echo))
	case "size":
		lambdaruntime.Start(handlerFunc(func(_ context.Context, event []byte) ([]byte, error) { return json.Marshal(len(event)) }))
	case "answer-of-size":
		lambdaruntime.Start(handlerFunc(answerOfSize))
	case "print":
		lambdaruntime.Start(handlerFunc(printText))
	case "fail":
		lambdaruntime.Start(handlerFunc(fail))
	case "panic":
		lambdaruntime.Start(handlerFunc(func(_ context.Context, event []byte) ([]byte, error) {
			if string(event) == "true" {
				panic("out of cheese")
			}
			return []byte(`"fine"`), nil
		}))
	case "init-error":
		log.Print("no table")
		os.Exit(1)
	case "sigterm":
		startWithSIGTERM(echo)
	case "sigterm-hang":
		startWithSIGTERM(hang)
	case "sigterm-unregistered":
		cleanUpOnSIGTERM()
		lambdaruntime.Start(handlerFunc(echo))
	default:
		log.Fatalf("unknown handler %q", handler)
	}
}

// handlerFunc makes a Handler of a function.
type handlerFunc func(context.Context, []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

func echo(_ context.Context, event []byte) ([]byte, error) { return event, nil }

func answerOfSize(_ context.Context, event []byte) ([]byte, error) {
	var bytes int
	if err := json.Unmarshal(event, &bytes); err != nil {
		return nil, err
	}
	return json.Marshal(strings.Repeat("x", bytes-len(`""`)))
}

func printText(_ context.Context, event []byte) ([]byte, error) {
	var text string
	if err := json.Unmarshal(event, &text); err != nil {
		return nil, err
	}
	fmt.Println(text)
	return []byte("null"), nil
}

// description is what a handler gets to know about its invocation.
type description struct {
	Event          json.RawMessage   `json:"event"`
	DeadlineMs     int64             `json:"deadlineMs"`
	RequestID      string            `json:"requestId"`
	InvokedARN     string            `json:"invokedArn"`
	TraceID        string            `json:"traceId"`
	InstallationID string            `json:"installationId"`
	Custom         map[string]string `json:"custom"`
	IdentityID     string            `json:"identityId"`
	IdentityPoolID string            `json:"identityPoolId"`
	RuntimeAPI     string            `json:"runtimeApi"`
}

func describe(ctx context.Context, event []byte) ([]byte, error) {
	deadline, _ := ctx.Deadline()
	lc, ok := lambdaruntime.FromContext(ctx)
	if !ok {
		return nil, errors.New("no Lambda context")
	}
	traceID, _ := ctx.Value("x-amzn-trace-id").(string)
	return json.Marshal(description{
		Event:          event,
		DeadlineMs:     deadline.UnixMilli(),
		RequestID:      lc.AwsRequestID,
		InvokedARN:     lc.InvokedFunctionArn,
		TraceID:        traceID,
		InstallationID: lc.ClientContext.Client.InstallationID,
		Custom:         lc.ClientContext.Custom,
		IdentityID:     lc.Identity.CognitoIdentityID,
		IdentityPoolID: lc.Identity.CognitoIdentityPoolID,
		RuntimeAPI:     os.Getenv("AWS_LAMBDA_RUNTIME_API"),
	})
}

// QuotaError is an error with a type of its own.
type QuotaError struct{ message string }

func (e *QuotaError) Error() string { return e.message }

func fail(_ context.Context, event []byte) ([]byte, error) {
	if string(event) == "true" {
		return nil, &QuotaError{"no quota left"}
	}
	return []byte(`"fine"`), nil
}

func hang(context.Context, []byte) ([]byte, error) {
	fmt.Println("hanging")
	time.Sleep(time.Hour)
	return nil, nil
}

func startWithSIGTERM(handler handlerFunc) {
	cleanUpOnSIGTERM()
	if err := lambdaruntime.EnableSIGTERM(); err != nil {
		log.Fatal(err)
	}
	lambdaruntime.Start(handler)
}

func cleanUpOnSIGTERM() {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		<-terminated
		cleanUp()
	}()
}

// cleanUp is what a function does on SIGTERM: it says goodbye to a server, which takes a working process.
func cleanUp() {
	res, err := http.Get(os.Getenv("GOODBYE"))
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	fmt.Println("cleaned up")
	os.Exit(0)
}
