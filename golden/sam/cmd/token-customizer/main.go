// Command token-customizer is the Lambda function that a user pool calls as its pre token generation trigger. It connects the parts.
package main

import (
	"example.com/sam/internal/platform/function"
	"example.com/sam/internal/platform/tokens"

	"example.com/sam/internal/tokencustomizer"
)

func main() {
	fn := function.New()
	handler, err := tokens.New(tokens.Config{
		Policy:  tokencustomizer.Policy(),
		Trigger: tokencustomizer.Trigger,
		Logger:  fn.Logger(),
	})
	if err != nil {
		fn.Fail(err)
	}
	fn.Start(handler)
}
