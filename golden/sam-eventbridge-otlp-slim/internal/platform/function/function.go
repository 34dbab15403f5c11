// Package function starts a Lambda function: it sets up what every function has, its log and its traces, and serves invocations with
// lambdaruntime. What the function does is up to the handler.
package function

import (
	"errors"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/lambdaruntime"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/telemetry"
)

// Function is a function that is starting.
type Function struct {
	logger *lambdaruntime.Logger
	traces *telemetry.Telemetry
}

// New returns the function of this process, ready to log. Call it once, first thing in main.
func New() *Function {
	logger := lambdaruntime.NewLogger().Adding(telemetry.SpanIDs)
	return &Function{logger: logger, traces: telemetry.Start(logger)}
}

// Logger returns the function's log, in the format that the function is configured to have.
func (f *Function) Logger() *lambdaruntime.Logger { return f.logger }

// Fail logs why the function cannot start, and ends the process. Lambda passes on that it cannot start, but not the reason: users may see
// what Lambda passes on.
func (f *Function) Fail(reason error) {
	f.logger.Error("cannot start", "reason", reason.Error())
	lambdaruntime.FailInit(errors.New("the function cannot start"))
}

// Start serves invocations with the handler and does not return.
func (f *Function) Start(handler lambdaruntime.Handler) {
	lambdaruntime.Start(f.traces.Wrap(handler))
}
