package telemetry

import (
	"context"
	"net/http"
)

// newDestination sends spans to the address in OTEL_EXPORTER_OTLP_ENDPOINT, with the headers in OTEL_EXPORTER_OTLP_HEADERS and in the secret
// that OTLP_HEADERS_SECRET_ARN names.
func newDestination(env *environment, config settings) destination {
	arn := env.getenv(headersVariable)
	if arn != "" {
		env.protect(&config, "the headers of the secret")
	}
	to := destination{endpoint: config.endpoint}
	if arn != "" && to.endpoint != "" && !config.disabled {
		headers := newSecret(arn, env.getenv)
		headers.fetchAhead()
		to.refused = headers.forget
		to.authorize = func(ctx context.Context, request *http.Request, _ []byte) error {
			return headers.add(ctx, request)
		}
	}
	return to
}
