// Command token-customizer is the Lambda function behind a user pool's pre token generation trigger. It only wires parts together.
package main

import (
	"errors"

	"example.com/cdk-eventbridge-slim/internal/customizer"
	"example.com/cdk-eventbridge-slim/internal/lambdaruntime"
	"example.com/cdk-eventbridge-slim/internal/publisher"
)

func main() {
	logger := lambdaruntime.NewLogger()
	tokens, err := customizer.New(customizer.DefaultPolicy())
	if err != nil {
		logger.Error("cannot start", "reason", err.Error())
		lambdaruntime.FailInit(errors.New("the function cannot start")) // users may see it: the reason is in the log
	}
	lambdaruntime.Start(customizer.NewHandler(tokens, publisher.New(logger), logger))
}
