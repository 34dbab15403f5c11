package telemetry

import (
	"context"
	"net/http"
	"time"

	"example.com/sam-cloudwatch/internal/awsroots"
	"example.com/sam-cloudwatch/internal/sigv4"
)

// newDestination sends spans to CloudWatch, at the address that the stack sets as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT. Lambda's own
// spans are there too, and X-Ray decides which traces are recorded.
// Source: Amazon CloudWatch User Guide, "OpenTelemetry Protocol (OTLP) endpoint".
func newDestination(env *environment, config settings) destination {
	env.protect(&config, "the token of the session")
	region := env.getenv("AWS_REGION")
	return destination{
		endpoint:   config.endpoint,
		followXRay: true,
		dialTLS:    awsroots.NewDialer().DialTLSContext,
		authorize: func(_ context.Context, request *http.Request, body []byte) error {
			credentials, err := sigv4.FromEnvironment()
			if err == nil {
				credentials.Sign(sigv4.Request{Method: request.Method, URL: request.URL, Header: request.Header}, body, "xray", region, time.Now())
			}
			return err
		},
	}
}
