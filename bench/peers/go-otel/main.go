// Command go-otel is go-customizer with OpenTelemetry as its documentation says: otellambda around the handler, the exporter of spans over
// HTTP behind a batcher, and a flush at the end of each invocation.
package main

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

type event = events.CognitoEventUserPoolsPreTokenGenV2_0

func main() {
	logger := slog.New(lambdacontext.NewLogHandler())
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		logger.Error("cannot start", "reason", err.Error())
		os.Exit(1)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	handler := func(ctx context.Context, e event) (event, error) {
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
	}
	lambda.Start(otellambda.InstrumentHandler(handler, otellambda.WithTracerProvider(provider), otellambda.WithFlusher(provider)))
}
