// Command token-customizer is the Lambda function behind a user pool's pre token generation trigger. It wires parts together.
package main

import (
	"example.com/sam/internal/platform/function"
	"example.com/sam/internal/platform/pretoken"
	"example.com/sam/internal/platform/tokens"

	"example.com/sam/internal/tokencustomizer"
)

// trigger is the version of the trigger. The user pool has to be set to the same one.
const trigger = pretoken.V2

func main() {
	fn := function.New()
	handler, err := tokens.New(tokens.Config{
		Policy:  tokencustomizer.Policy(),
		Trigger: trigger,
		Logger:  fn.Logger(),
	})
	if err != nil {
		fn.Fail(err)
	}
	fn.Start(handler)
}
