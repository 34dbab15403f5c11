// Package function starts a Lambda function: it sets up what every function has, its log and its traces, and serves invocations with
// aws-lambda-go. What the function does is up to the handler.
package function

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"example.com/two-customizers/internal/platform/telemetry"
)

// Function is a function that is starting.
type Function struct {
	logger *slog.Logger
	traces *telemetry.Telemetry
}

// New returns the function of this process, ready to log. Call it once, first thing in main.
func New() *Function {
	logger := slog.New(telemetry.LogHandler(lambdacontext.NewLogHandler()))
	slog.SetDefault(logger) // so that the messages of aws-lambda-go become JSON too
	return &Function{logger: logger, traces: telemetry.Start(logger)}
}

// Logger returns the function's log, in the format that the function is configured to have.
func (f *Function) Logger() *slog.Logger { return f.logger }

// Fail logs why the function cannot start, and ends the process. Lambda reports that it exited, without the reason, which is for the log
// alone.
func (f *Function) Fail(reason error) {
	f.logger.Error("cannot start", "reason", reason.Error())
	os.Exit(1)
}

// Start serves invocations with the handler and does not return.
func (f *Function) Start(handler lambda.Handler) {
	lambda.Start(f.traces.Wrap(handler))
}
