// Command token-customizer is the Lambda function behind a user pool's pre token generation trigger. It only wires parts together.
package main

import (
	"errors"

	"example.com/cdk-otlp-slim/internal/customizer"
	"example.com/cdk-otlp-slim/internal/lambdaruntime"
	"example.com/cdk-otlp-slim/internal/telemetry"
)

func main() {
	logger := lambdaruntime.NewLogger().Adding(telemetry.SpanIDs)
	tracing := telemetry.Start(logger)
	tokens, err := customizer.New(customizer.DefaultPolicy().Traced(tracing.Tracer()))
	if err != nil {
		logger.Error("cannot start", "reason", err.Error())
		lambdaruntime.FailInit(errors.New("the function cannot start")) // users may see it: the reason is in the log
	}
	handler := customizer.NewHandler(tokens, logger)
	lambdaruntime.Start(tracing.Wrap(handler))
}
