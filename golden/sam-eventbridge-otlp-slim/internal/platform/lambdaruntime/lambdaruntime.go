// Package lambdaruntime runs a handler as an AWS Lambda function: it asks the Runtime API for the next invocation, calls the handler, and
// posts its answer, over one connection. What belongs here is what Lambda says and wants to hear; nothing here knows Cognito.
//
// It leaves out what a small function can do without: a handler answers with the whole of its response, so there is no response streaming,
// and it serves one invocation at a time, which is how Lambda calls a function unless it is configured otherwise.
//
// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
package lambdaruntime

import (
	"context"
	"errors"
	"syscall"
)

// Handler answers invocations. Every lambda.Handler of aws-lambda-go is one.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Start serves invocations and does not return. An error of the handler is reported to Lambda, and the next invocation served. After a
// panic, which is reported too, and when the Runtime API fails, it logs why and ends the process: Lambda starts another one.
//
// The context of an invocation ends when its answer is with Lambda, or at its deadline. Its payload is overwritten by the next one.
func Start(handler Handler) {
	api, err := connect()
	if err == nil {
		err = api.run(handler)
	}
	NewLogger().Error("stopped", "reason", err.Error())
	syscall.Exit(1)
}

// FailInit tells Lambda that the function cannot start, and ends the process. Lambda passes the reason on, to users too: log what they should
// not see instead.
func FailInit(reason error) {
	if api, err := connect(); err == nil {
		_ = api.reportInit(failureOf(reason)) // there is nobody else to tell
	}
	syscall.Exit(1)
}

// run serves invocations until it cannot go on, and returns why.
func (c *client) run(handler Handler) error {
	if environment("AWS_LAMBDA_MAX_CONCURRENCY", "1") != "1" {
		err := errors.New("this runtime serves one invocation at a time: set the concurrency of the function's execution environments to 1")
		return errors.Join(err, c.reportInit(failureOf(errors.New("the function cannot start")))) // users may see it: Start logs the reason
	}
	for {
		if err := c.serve(handler); err != nil {
			return err
		}
	}
}

// serve takes the next invocation and answers it. Its errors end the process.
func (c *client) serve(handler Handler) error {
	invocation, err := c.next()
	if err != nil {
		return err
	}
	ctx, cancel, err := newContext(invocation)
	if err != nil {
		return c.report(invocation.id, failureOf(err))
	}
	defer cancel()
	// Where libraries look for it that know Lambda but not its contexts.
	if err := syscall.Setenv("_X_AMZN_TRACE_ID", invocation.header["lambda-runtime-trace-id"]); err != nil {
		return errors.New("set _X_AMZN_TRACE_ID: " + err.Error())
	}
	answer, failed := call(ctx, handler, invocation.payload)
	if failed == nil {
		return c.respond(invocation.id, answer)
	}
	if err := c.report(invocation.id, failed); err != nil {
		return err
	}
	if failed.panicked {
		return errors.New("the handler panicked: " + failed.message)
	}
	return nil
}

// call calls the handler and turns whatever goes wrong into a failure.
func call(ctx context.Context, handler Handler, payload []byte) (answer []byte, failed *failure) {
	defer func() {
		if recovered := recover(); recovered != nil {
			answer, failed = nil, failureOfPanic(recovered)
		}
	}()
	answer, err := handler.Invoke(ctx, payload)
	if err != nil {
		return nil, failureOf(err)
	}
	return answer, nil
}

// environment returns a variable, or the fallback where it is empty. It does without package os.
func environment(name, fallback string) string {
	if value, _ := syscall.Getenv(name); value != "" {
		return value
	}
	return fallback
}
