// Package lambdaruntime runs a handler as an AWS Lambda function. It asks the Runtime API for the next invocation, calls the handler and posts its
// answer, all over one connection. Everything that Lambda's APIs define belongs here. The events of other services do not.
//
// The package leaves out what a small function does not need. It has no response streaming: a handler returns its whole answer. It serves one
// invocation at a time, which is Lambda's default.
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

// Start serves invocations and does not return. It reports an error of the handler to Lambda and serves the next invocation. After a panic, which it
// reports too, and when the Runtime API fails, it logs the reason and ends the process. Lambda then starts another one.
//
// The context of an invocation ends when its answer has been posted, or at its deadline. The next invocation overwrites the payload.
func Start(handler Handler) {
	api, err := connect()
	if err == nil {
		err = api.run(handler)
	}
	NewLogger().Error("stopped", "reason", err.Error())
	syscall.Exit(1)
}

// FailInit tells Lambda that the function can't start, and ends the process. Lambda passes the reason on, even to users. Log instead what they must
// not see.
func FailInit(reason error) {
	if api, err := connect(); err == nil {
		_ = api.reportInit(failureOf(reason)) // the error can't be reported anywhere else
	}
	syscall.Exit(1)
}

// run serves invocations until an error stops it.
func (c *client) run(handler Handler) error {
	if environment("AWS_LAMBDA_MAX_CONCURRENCY", "1") != "1" {
		err := errors.New("this runtime serves one invocation at a time: set the concurrency of the function's execution environments to 1")
		return errors.Join(err, c.reportInit(failureOf(errors.New("the function cannot start")))) // users may see this; Start logs the reason
	}
	for {
		if err := c.serve(handler); err != nil {
			return err
		}
	}
}

// serve answers the next invocation. Its errors end the process.
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
	// Libraries that do not read the context find the trace header here.
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

// call calls the handler and turns an error or a panic into a failure.
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

// environment returns a variable, or the fallback if it is empty. It does not use package os, which would make the function larger.
func environment(name, fallback string) string {
	if value, _ := syscall.Getenv(name); value != "" {
		return value
	}
	return fallback
}
