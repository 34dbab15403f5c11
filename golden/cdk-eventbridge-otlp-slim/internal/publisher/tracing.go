package publisher

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Traced has the publisher make a span of each of its requests.
func (p *Publisher) Traced(tracer trace.Tracer) *Publisher {
	p.bus = tracedBus{p.bus, tracer}
	return p
}

// tracedBus is a bus with a span around each request.
// Source: OpenTelemetry semantic conventions, "AWS SDK client spans".
type tracedBus struct {
	bus
	tracer trace.Tracer
}

func (b tracedBus) put(ctx context.Context, entries []entry) ([]string, error) {
	const call = "EventBridge/PutEvents"
	ctx, span := b.tracer.Start(ctx, call, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.RPCSystemNameKey.String("aws-api"), semconv.RPCMethod(call)))
	defer span.End()
	refusals, err := b.bus.put(ctx, entries)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(semconv.ErrorType(err))
		return nil, err
	}
	for _, code := range refusals {
		if code != "" {
			span.SetStatus(codes.Error, "refused by the bus")
			span.SetAttributes(semconv.ErrorTypeKey.String(code))
		}
	}
	return refusals, nil
}
