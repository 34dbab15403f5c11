// Command token-customizer is the Lambda function behind a user pool's pre token generation trigger. It only wires parts together.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"example.com/cdk-otlp/internal/customizer"
	"example.com/cdk-otlp/internal/telemetry"
)

func main() {
	logger := slog.New(telemetry.LogHandler(lambdacontext.NewLogHandler()))
	slog.SetDefault(logger) // what aws-lambda-go logs becomes JSON too
	tracing := telemetry.Start(logger)
	tokens, err := customizer.New(customizer.DefaultPolicy().Traced(tracing.Tracer()))
	if err != nil {
		logger.Error("cannot start", "reason", err.Error())
		os.Exit(1)
	}
	handler := customizer.NewHandler(tokens, logger)
	lambda.Start(tracing.Wrap(handler))
}
