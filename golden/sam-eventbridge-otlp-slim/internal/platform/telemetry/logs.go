package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// SpanIDs returns the ids of the span in the context, as trace_id and span_id, for the log.
// Source: OpenTelemetry specification, "Trace Context in non-OTLP Log Formats".
func SpanIDs(ctx context.Context) []any {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return nil
	}
	return []any{"trace_id", span.TraceID().String(), "span_id", span.SpanID().String()}
}
