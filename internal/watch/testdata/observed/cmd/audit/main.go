// Command audit prints the events that a rule sends to it.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, e events.EventBridgeEvent) (string, error) {
		fmt.Printf("audit: %s from %s: %s\n", e.DetailType, e.Source, e.Detail)
		return e.ID, nil
	})
}
