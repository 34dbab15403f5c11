package publisher

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"syscall"

	"go.opentelemetry.io/otel/attribute"
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
		span.SetAttributes(errorType(err))
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

// errorType is error.type of a request that fails: the code that EventBridge gave, "timeout", what the system says of a connection, such as
// "connection_refused", or the type of what is at the bottom, since that of a client's own error is always the same.
func errorType(err error) attribute.KeyValue {
	if coded, found := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); found {
		return semconv.ErrorTypeKey.String(coded.ErrorCode())
	}
	late, found := errors.AsType[net.Error](err)
	if errors.Is(err, context.DeadlineExceeded) || (found && late.Timeout()) {
		return semconv.ErrorTypeKey.String("timeout")
	}
	if number, found := errors.AsType[syscall.Errno](err); found {
		return semconv.ErrorTypeKey.String(strings.ReplaceAll(number.Error(), " ", "_"))
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	if reflect.TypeOf(err) == reflect.TypeOf(errors.New("")) { // it only has a text
		return semconv.ErrorTypeOther
	}
	return semconv.ErrorType(err)
}
