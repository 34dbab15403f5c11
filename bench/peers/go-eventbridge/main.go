// Command go-eventbridge is go-customizer, which also puts an event on a bus with the AWS SDK as its guide says, through
// config.LoadDefaultConfig: bounded in time, and without failing the sign-in.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

type event = events.CognitoEventUserPoolsPreTokenGenV2_0

func main() {
	logger := slog.New(lambdacontext.NewLogHandler())
	loaded, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(2))
	if err != nil {
		logger.Error("cannot start", "reason", err.Error())
		os.Exit(1)
	}
	client := eventbridge.NewFromConfig(loaded)
	lambda.Start(func(ctx context.Context, e event) (event, error) {
		start := time.Now()
		claims := map[string]any{}
		for claim, attribute := range map[string]string{"tenant_id": "custom:tenant_id", "plan": "custom:plan"} {
			if value, ok := e.Request.UserAttributes[attribute]; ok {
				claims[claim] = value
			}
		}
		if groups := e.Request.GroupConfiguration.GroupsToOverride; len(groups) > 0 {
			claims["roles"] = groups
		}
		details := &e.Response.ClaimsAndScopeOverrideDetails
		details.IDTokenGeneration.ClaimsToAddOrOverride = claims
		details.AccessTokenGeneration.ClaimsToAddOrOverride = claims
		// These types always have groupOverrideDetails. Sent empty, they would take the user's groups away.
		details.GroupOverrideDetails = e.Request.GroupConfiguration

		names := slices.Sorted(maps.Keys(claims))
		if err := publish(ctx, client, e, names); err != nil {
			logger.WarnContext(ctx, "event not published", "reason", err.Error())
		}
		logger.InfoContext(ctx, "tokens customized",
			"triggerSource", e.TriggerSource,
			"clientId", e.CallerContext.ClientID,
			"idToken", slog.GroupValue(slog.Any("claims", names)),
			"accessToken", slog.GroupValue(slog.Any("claims", names)),
			"problems", 0,
			"durationMs", float64(time.Since(start).Microseconds())/1000)
		return e, nil
	})
}

func publish(ctx context.Context, client *eventbridge.Client, e event, claims []string) error {
	const timeout = 800 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	detail, err := json.Marshal(map[string]any{
		"triggerSource": e.TriggerSource, "userPoolId": e.UserPoolID, "clientId": e.CallerContext.ClientID, "claims": claims,
	})
	if err != nil {
		return err
	}
	output, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(os.Getenv("EVENT_BUS_NAME")),
		Source:       aws.String("token-customizer"),
		DetailType:   aws.String("Tokens Customized"),
		Detail:       aws.String(string(detail)),
	}}})
	if err == nil && output.FailedEntryCount > 0 {
		err = errors.New("the bus refused the event")
	}
	return err
}
