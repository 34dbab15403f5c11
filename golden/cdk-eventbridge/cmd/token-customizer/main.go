// Command token-customizer is the Lambda function behind a user pool's pre token generation trigger. It only wires parts together.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"example.com/cdk-eventbridge/internal/customizer"
	"example.com/cdk-eventbridge/internal/publisher"
)

func main() {
	logger := slog.New(lambdacontext.NewLogHandler())
	slog.SetDefault(logger) // what aws-lambda-go logs becomes JSON too
	tokens, err := customizer.New(customizer.DefaultPolicy())
	if err != nil {
		logger.Error("cannot start", "reason", err.Error())
		os.Exit(1)
	}
	lambda.Start(customizer.NewHandler(tokens, publisher.New(logger), logger))
}
