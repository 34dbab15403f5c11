package tokens

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel"
	attributes "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/two-customizers/internal/platform/pretoken"
)

// ErrorType is the value of error.type in the span of a sign-in that fails.
func (e signInError) ErrorType() string { return string(e) }

// annotate adds the trigger source and the client to the span of the invocation. The log has them too. Their names begin with that of the
// program, because the semantic conventions have none for Cognito.
// Source: OpenTelemetry specification, "Naming", section "Recommendations for application developers".
func annotate(ctx context.Context, event *pretoken.Event) {
	trace.SpanFromContext(ctx).SetAttributes(
		attributes.String("token_customizer.trigger_source", string(event.TriggerSource)),
		attributes.String("token_customizer.client_id", event.ClientID))
}

// annotatePanic adds a panic to the span of the invocation: its kind and where it was, but not its value, which may be personal data.
func annotatePanic(ctx context.Context, kind, stack string) {
	trace.SpanFromContext(ctx).AddEvent(semconv.ExceptionEventName, trace.WithAttributes(semconv.ExceptionType(kind), semconv.ExceptionStacktrace(stack)))
}

// scope names what makes the spans.
const scope = "example.com/two-customizers"

type finding func(ctx context.Context, event *pretoken.Event) (Found, error)

// traced returns a lookup's Find with a span around each call, made by the global tracer provider, which telemetry sets. Of an error the span
// has the kind alone, as the log does.
func traced(find finding) finding {
	return func(ctx context.Context, event *pretoken.Event) (Found, error) {
		tracer := otel.Tracer(scope)
		ctx, span := tracer.Start(ctx, "lookup", trace.WithSpanKind(trace.SpanKindInternal))
		returned := false
		defer func() {
			if !returned {
				span.SetStatus(codes.Error, "panic")
				span.SetAttributes(semconv.ErrorTypeKey.String(string(panicked)))
			}
			span.End()
		}()
		// Nobody waits for a lookup that takes too long, so its span ends too.
		stop := context.AfterFunc(ctx, func() {
			span.SetStatus(codes.Error, "took too long")
			span.SetAttributes(semconv.ErrorTypeKey.String("timeout"))
			span.End()
		})
		defer stop()
		found, err := find(ctx, event)
		returned = true
		if err != nil {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(errorType(err))
		}
		return found, err
	}
}

// errorType is error.type of an error: its kind, without spaces.
func errorType(err error) attributes.KeyValue {
	kind := kindOf(err)
	if kind == "" {
		return semconv.ErrorTypeOther
	}
	return semconv.ErrorTypeKey.String(strings.ReplaceAll(kind, " ", "_"))
}
