package customizer

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/sam-eventbridge-otlp-slim/internal/pretoken"
)

// annotate adds to the span of the invocation what the log has of its event too. The names begin with that of the program: those of the
// semantic conventions have nothing for Cognito.
// Source: OpenTelemetry specification, "Naming", section "Recommendations for application developers".
func annotate(ctx context.Context, event *pretoken.Event) {
	trace.SpanFromContext(ctx).SetAttributes(
		attribute.String("token_customizer.trigger_source", string(event.TriggerSource)),
		attribute.String("token_customizer.client_id", event.ClientID))
}

// annotatePanic adds to the span of the invocation what the log has of a panic: its kind and where it was, and not its value.
func annotatePanic(ctx context.Context, kind, stack string) {
	trace.SpanFromContext(ctx).AddEvent(semconv.ExceptionEventName, trace.WithAttributes(semconv.ExceptionType(kind), semconv.ExceptionStacktrace(stack)))
}

// Traced returns the policy with a span around each call of its lookup. Of an error the span has the kind alone, as the log does.
func (p Policy) Traced(tracer trace.Tracer) Policy {
	if p.Lookup != nil {
		p.Lookup = p.Lookup.traced(tracer)
	}
	return p
}

// traced implements Finder.
func (l Lookup) traced(tracer trace.Tracer) Finder {
	find := l.Find
	if find == nil {
		return l
	}
	l.Find = func(ctx context.Context, event *pretoken.Event) (Found, error) {
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
	return l
}

// errorType is error.type of an error: its kind, without spaces.
func errorType(err error) attribute.KeyValue {
	kind := kindOf(err)
	if kind == "" {
		return semconv.ErrorTypeOther
	}
	return semconv.ErrorTypeKey.String(strings.ReplaceAll(kind, " ", "_"))
}
