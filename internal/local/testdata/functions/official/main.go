// Command official is a function on aws-lambda-go. The handler's name (_HANDLER) says what it does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	switch handler := os.Getenv("_HANDLER"); handler {
	case "describe":
		lambda.Start(describe)
	case "echo":
		fmt.Println("in the init phase")
		lambda.Start(func(event json.RawMessage) (json.RawMessage, error) { return event, nil })
	case "init-twice":
		// The first init phase fails, the second doesn't.
		if err := os.Mkdir(os.Getenv("MARK"), 0o755); err == nil {
			os.Exit(1)
		}
		lambda.Start(func(event json.RawMessage) (json.RawMessage, error) { return event, nil })
	case "fail":
		lambda.Start(func() error { return errors.New("no luck") })
	case "panic":
		lambda.Start(func() error { panic("at the disco") })
	case "big":
		lambda.Start(func() (string, error) { return strings.Repeat("x", 7<<20), nil })
	case "sigterm":
		lambda.StartWithOptions(hang, lambda.WithEnableSIGTERM(func() { fmt.Println("got SIGTERM") }))
	case "sigterm-echo":
		lambda.StartWithOptions(func(event json.RawMessage) (json.RawMessage, error) { return event, nil },
			lambda.WithEnableSIGTERM(func() {
				fmt.Println("got SIGTERM")
				os.Exit(0)
			}))
	case "hang":
		lambda.Start(hang)
	case "burn":
		lambda.Start(burn)
	case "log-and-exit":
		lambda.Start(func(event string) {
			fmt.Println("connecting")
			fmt.Println(event)
			os.Exit(4)
		})
	case "escapes":
		lambda.Start(escapes)
	case "cognito-v1":
		lambda.Start(cognitoV1)
	case "cognito-v2":
		lambda.Start(cognitoV2)
	case "broken-reader":
		lambda.Start(func() (*brokenReader, error) { return &brokenReader{}, nil })
	default:
		fmt.Fprintln(os.Stderr, "unknown handler "+handler)
		os.Exit(3)
	}
}

// description is what a handler gets to know.
type description struct {
	Event       json.RawMessage
	Deadline    time.Time
	Context     *lambdacontext.LambdaContext
	TraceID     any
	Environment []string
	Dir         string
}

func describe(ctx context.Context, event json.RawMessage) (description, error) {
	d := description{Event: event, TraceID: ctx.Value("x-amzn-trace-id"), Environment: os.Environ()}
	d.Deadline, _ = ctx.Deadline()
	d.Context, _ = lambdacontext.FromContext(ctx)
	var err error
	d.Dir, err = os.Getwd()
	return d, err
}

// escapes prints and answers what a terminal would act on; null gets an error.
func escapes(event json.RawMessage) (json.RawMessage, error) {
	const text = "\u009b31m\u202e\u2067"
	fmt.Println("log \x1b[2J\x9b31m" + text)
	if string(event) == "null" {
		return nil, errors.New("error \x1b]0;title\x07" + text)
	}
	return json.RawMessage(`{"answer":"` + text + `"}`), nil
}

func hang() error {
	fmt.Println("hanging")
	time.Sleep(time.Hour)
	return nil
}

// brokenReader is a response that breaks off.
type brokenReader struct{ read bool }

func (r *brokenReader) Read(p []byte) (int, error) {
	if r.read {
		return 0, errors.New("the source dried up")
	}
	r.read = true
	return copy(p, "half a resp"), nil
}
