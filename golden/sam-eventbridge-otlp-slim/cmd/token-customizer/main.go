// Command token-customizer is the Lambda function that a user pool calls as its pre token generation trigger. It connects the parts.
package main

import (
	"example.com/sam-eventbridge-otlp-slim/internal/platform/function"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/publisher"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/tokens"

	"example.com/sam-eventbridge-otlp-slim/internal/tokencustomizer"
)

func main() {
	fn := function.New()
	handler, err := tokens.New(tokens.Config{
		Policy:  tokencustomizer.Policy(),
		Trigger: tokencustomizer.Trigger,
		Logger:  fn.Logger(),

		Publisher: publisher.New(events(fn.Logger())),
	})
	if err != nil {
		fn.Fail(err)
	}
	fn.Start(handler)
}

// events configures how the function publishes an event for each sign-in. The stack allows only this source, so change it in both places.
func events(logger publisher.Logger) publisher.Config {
	return publisher.Config{Source: "demo.token-customizer", Logger: logger}
}
