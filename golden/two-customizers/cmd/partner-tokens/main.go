// Command partner-tokens is the Lambda function that a user pool calls as its pre token generation trigger. It connects the parts.
package main

import (
	"example.com/two-customizers/internal/platform/function"
	"example.com/two-customizers/internal/platform/tokens"

	"example.com/two-customizers/internal/partnertokens"
)

func main() {
	fn := function.New()
	handler, err := tokens.New(tokens.Config{
		Policy:  partnertokens.Policy(),
		Trigger: partnertokens.Trigger,
		Logger:  fn.Logger(),
	})
	if err != nil {
		fn.Fail(err)
	}
	fn.Start(handler)
}
