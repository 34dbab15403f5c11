// Command function is an ordinary function on aws-lambda-go. The handler's name (_HANDLER) says what it does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	switch handler := os.Getenv("_HANDLER"); handler {
	case "describe":
		lambda.Start(describe)
	case "echo":
		lambda.Start(func(event json.RawMessage) (json.RawMessage, error) { return event, nil })
	case "size":
		lambda.Start(func(event json.RawMessage) (int, error) { return len(event), nil })
	case "answer-of-size":
		lambda.Start(func(bytes int) (string, error) { return strings.Repeat("x", bytes-len(`""`)), nil })
	case "print":
		lambda.Start(func(text string) error {
			fmt.Println(text)
			return nil
		})
	case "fail":
		lambda.Start(func(fail bool) (string, error) {
			if fail {
				return "", &QuotaError{"no quota left"}
			}
			return "fine", nil
		})
	case "panic":
		lambda.Start(func(fail bool) (string, error) {
			if fail {
				panic("out of cheese")
			}
			return "fine", nil
		})
	case "init-error":
		log.Print("no table")
		os.Exit(1)
	case "sigterm":
		startWithSIGTERM(func(event json.RawMessage) (json.RawMessage, error) { return event, nil }, cleanUp)
	case "sigterm-hang":
		startWithSIGTERM(hang, cleanUp)
	case "sigterm-unregistered":
		terminated := make(chan os.Signal, 1)
		signal.Notify(terminated, syscall.SIGTERM)
		go func() {
			<-terminated
			cleanUp()
		}()
		lambda.Start(func(event json.RawMessage) (json.RawMessage, error) { return event, nil })
	case "stream":
		lambda.Start(stream)
	case "broken-stream":
		lambda.Start(func() (io.Reader, error) {
			return io.MultiReader(strings.NewReader("half a resp"), failingReader{}), nil
		})
	default:
		log.Fatalf("unknown handler %q", handler)
	}
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

func describe(ctx context.Context, event json.RawMessage) (description, error) {
	deadline, _ := ctx.Deadline()
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return description{}, errors.New("no Lambda context")
	}
	traceID, _ := ctx.Value("x-amzn-trace-id").(string)
	return description{
		Event:          event,
		DeadlineMs:     deadline.UnixNano() / int64(time.Millisecond),
		RequestID:      lc.AwsRequestID,
		InvokedARN:     lc.InvokedFunctionArn,
		TraceID:        traceID,
		InstallationID: lc.ClientContext.Client.InstallationID,
		Custom:         lc.ClientContext.Custom,
		IdentityID:     lc.Identity.CognitoIdentityID,
		IdentityPoolID: lc.Identity.CognitoIdentityPoolID,
		RuntimeAPI:     os.Getenv("AWS_LAMBDA_RUNTIME_API"),
	}, nil
}

// QuotaError is an error with a type of its own.
type QuotaError struct{ message string }

func (e *QuotaError) Error() string { return e.message }

func hang() error {
	fmt.Println("hanging")
	time.Sleep(time.Hour)
	return nil
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

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("the source dried up") }
