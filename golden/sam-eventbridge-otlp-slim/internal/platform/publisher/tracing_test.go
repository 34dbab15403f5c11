package publisher

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// spanExporter collects spans as they end.
type spanExporter []sdktrace.ReadOnlySpan

func (s *spanExporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	*s = append(*s, spans...)
	return nil
}

func (*spanExporter) Shutdown(context.Context) error { return nil }

// busFunc is a bus with one answer.
type busFunc func() ([]string, error)

func (b busFunc) put(context.Context, []entry) ([]string, error) { return b() }

func (busFunc) retryable(error) bool { return false }

// codedError is an error with a code, like the errors of the AWS SDK.
type codedError string

func (e codedError) Error() string { return string(e) }

func (e codedError) ErrorCode() string { return string(e) }

func failing(err error) busFunc {
	return func() ([]string, error) { return nil, fmt.Errorf("operation error: %w", err) }
}

// TestTraced expects a span with the outcome of each request.
func TestTraced(t *testing.T) {
	for name, test := range map[string]struct {
		bus    busFunc
		status codes.Code
		kind   string
	}{
		"taken":   {func() ([]string, error) { return []string{""}, nil }, codes.Unset, ""},
		"refused": {func() ([]string, error) { return []string{"ThrottlingException"}, nil }, codes.Error, "ThrottlingException"},
		"fails":   {failing(errors.New("no")), codes.Error, "_OTHER"},
		"nobody listens": {
			failing(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), codes.Error, "connection_refused",
		},
		"late":         {failing(os.ErrDeadlineExceeded), codes.Error, "timeout"},
		"no such host": {failing(&net.DNSError{Name: "events.example"}), codes.Error, "*net.DNSError"},
		"denied":       {failing(codedError("AccessDeniedException")), codes.Error, "AccessDeniedException"},
		"hangs":        {failing(context.DeadlineExceeded), codes.Error, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			spans := &spanExporter{}
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
			otel.SetTracerProvider(provider)
			defer otel.SetTracerProvider(noop.NewTracerProvider())
			ctx, invocation := provider.Tracer("test").Start(t.Context(), "invocation")
			want, wantErr := test.bus()
			if got, err := (tracedBus{test.bus}).put(ctx, []entry{{}}); len(got) != len(want) || !errors.Is(err, wantErr) && err.Error() != wantErr.Error() {
				t.Errorf("the bus gives %q, %v", got, err)
			}
			if len(*spans) != 1 {
				t.Fatalf("%d spans", len(*spans))
			}
			span := (*spans)[0]
			if span.Parent().SpanID() != invocation.SpanContext().SpanID() || span.InstrumentationScope().Name != scope {
				t.Errorf("parent %s, scope %q", span.Parent().SpanID(), span.InstrumentationScope().Name)
			}
			attributes := map[string]string{}
			for _, pair := range span.Attributes() {
				attributes[string(pair.Key)] = pair.Value.AsString()
			}
			if span.Name() != "EventBridge/PutEvents" || span.SpanKind() != trace.SpanKindClient || span.Status().Code != test.status ||
				attributes["error.type"] != test.kind || attributes["rpc.system.name"] != "aws-api" {
				t.Errorf("span %s, status %+v, attributes %v", span.Name(), span.Status(), attributes)
			}
		})
	}
}

// TestUntraced sends a request without a span in the context, as functions do whose telemetry is off.
func TestUntraced(t *testing.T) {
	bus := tracedBus{busFunc(func() ([]string, error) { return []string{""}, nil })}
	if got, err := bus.put(t.Context(), []entry{{}}); err != nil || len(got) != 1 {
		t.Errorf("the bus gives %q, %v", got, err)
	}
}
