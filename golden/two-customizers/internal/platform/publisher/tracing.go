package publisher

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"syscall"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of the tracer.
const scope = "example.com/two-customizers"

// tracedBus adds a span to each request of a bus. While telemetry is off, OpenTelemetry's global tracer records nothing.
// Source: OpenTelemetry semantic conventions, "AWS SDK client spans".
type tracedBus struct{ bus }

func (b tracedBus) put(ctx context.Context, entries []entry) ([]string, error) {
	const call = "EventBridge/PutEvents"
	ctx, span := otel.Tracer(scope).Start(ctx, call, trace.WithSpanKind(trace.SpanKindClient),
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

// errorType returns the attribute error.type of a failed request: EventBridge's error code, "timeout", or the system's reason why there is no
// connection, such as "connection_refused". Otherwise it is the type of the innermost error, because the outer type is always the same.
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
	if reflect.TypeOf(err) == reflect.TypeOf(errors.New("")) { // only its text says more
		return semconv.ErrorTypeOther
	}
	return semconv.ErrorType(err)
}
