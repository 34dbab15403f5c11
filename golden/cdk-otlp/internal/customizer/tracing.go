package customizer

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/cdk-otlp/internal/pretoken"
)

// Traced returns the policy with a span around each call of its lookup. Of an error the span has the type alone, as the log does.
func (p Policy) Traced(tracer trace.Tracer) Policy {
	lookup, _ := p.Lookup.(Lookup)
	find := lookup.Find
	if find == nil {
		return p
	}
	lookup.Find = func(ctx context.Context, event *pretoken.Event) (Found, error) {
		ctx, span := tracer.Start(ctx, "lookup", trace.WithSpanKind(trace.SpanKindInternal))
		defer span.End()
		// Nobody waits for a lookup that takes too long, so its span ends too.
		stop := context.AfterFunc(ctx, func() {
			span.SetStatus(codes.Error, "took too long")
			span.SetAttributes(semconv.ErrorTypeKey.String("timeout"))
			span.End()
		})
		defer stop()
		found, err := find(ctx, event)
		if err != nil {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(semconv.ErrorType(err))
		}
		return found, err
	}
	p.Lookup = lookup
	return p
}
