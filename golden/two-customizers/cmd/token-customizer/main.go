// Command token-customizer is the Lambda function behind a user pool's pre token generation trigger. It wires parts together.
package main

import (
	"example.com/two-customizers/internal/platform/function"
	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/publisher"
	"example.com/two-customizers/internal/platform/tokens"

	"example.com/two-customizers/internal/tokencustomizer"
)

// trigger is the version of the trigger. The user pool has to be set to the same one.
const trigger = pretoken.V2

func main() {
	fn := function.New()
	handler, err := tokens.New(tokens.Config{
		Policy:  tokencustomizer.Policy(),
		Trigger: trigger,
		Logger:  fn.Logger(),

		Publisher: publisher.New(events(fn.Logger())),
	})
	if err != nil {
		fn.Fail(err)
	}
	fn.Start(handler)
}

// events says how the function publishes an event for each sign-in. The stack lets it publish from this source alone: change both.
func events(logger publisher.Logger) publisher.Config {
	return publisher.Config{Source: "demo.token-customizer", Logger: logger}
}
