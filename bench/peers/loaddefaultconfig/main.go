// Command bootstrap is a peer in golam's benchmarks: a token customizer that publishes an event the way the AWS SDK's documentation
// shows it, with config.LoadDefaultConfig and the client's defaults.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func main() {
	configuration, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	handler := handler{client: eventbridge.NewFromConfig(configuration), bus: os.Getenv("EVENT_BUS_NAME")}
	lambda.Start(handler.handle)
}

type handler struct {
	client *eventbridge.Client
	bus    string
}

func (h handler) handle(ctx context.Context, event events.CognitoEventUserPoolsPreTokenGenV2_0) (events.CognitoEventUserPoolsPreTokenGenV2_0, error) {
	event.Response.ClaimsAndScopeOverrideDetails.AccessTokenGeneration.ClaimsToAddOrOverride = map[string]any{
		"tenant_id": event.Request.UserAttributes["custom:tenant_id"],
		"plan":      event.Request.UserAttributes["custom:plan"],
	}
	detail, err := json.Marshal(map[string]string{"clientId": event.CallerContext.ClientID, "triggerSource": event.TriggerSource})
	if err != nil {
		return event, err
	}
	_, err = h.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(h.bus),
		Source:       aws.String("bench.token-customizer"),
		DetailType:   aws.String("TokensCustomized.v1"),
		Detail:       aws.String(string(detail)),
	}}})
	return event, err
}
