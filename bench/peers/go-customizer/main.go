// Command go-customizer is the token customizer of golden/sam, as one would write it with aws-lambda-go and its types of Cognito's events:
// it copies the same attributes and the groups into both tokens, and logs one line of JSON with the same fields.
package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event = events.CognitoEventUserPoolsPreTokenGenV2_0

func main() {
	logger := slog.New(lambdacontext.NewLogHandler())
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
