package telemetry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/lambdaruntime"
)

// Handler answers invocations. Every lambda.Handler implements it.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Wrap returns a handler that records a span for each invocation of next. It does not change the event, the answer or the error. While no
// endpoint is configured, it returns next.
func (t *Telemetry) Wrap(next Handler) Handler {
	if t.provider == nil {
		return next
	}
	return &handler{telemetry: t, next: next}
}

type handler struct {
	telemetry *Telemetry
	next      Handler
}

// Invoke implements Handler.
func (h *handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	t := h.telemetry
	began := time.Now()
	cold := t.firstTime()
	call := invocationOf(ctx)
	spanCtx, span := t.begin(ctx, call, cold)
	defer func() {
		recovered := recover()
		switch {
		case recovered != nil:
			recordPanic(span, recovered)
		case err != nil:
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
			span.SetAttributes(errorType(err))
		}
		t.end(span)
		if EmitMetrics {
			writeMetrics(os.Stdout, began, time.Since(began), cold, recovered != nil || err != nil)
		}
		if recovered != nil {
			t.flushNow(ctx)  // the process is about to exit
			panic(recovered) // the runtime reports it
		}
		t.afterwards(ctx, call.requestID)
	}()
	return h.next.Invoke(spanCtx, payload)
}

// begin starts the span of an invocation.
// Source: OpenTelemetry semantic conventions, "Instrumenting AWS Lambda" and "Semantic conventions for FaaS spans".
func (t *Telemetry) begin(ctx context.Context, call invocation, cold bool) (context.Context, trace.Span) {
	attributes := []attribute.KeyValue{semconv.FaaSTriggerOther, semconv.FaaSColdstart(cold)}
	if call.requestID != "" {
		attributes = append(attributes, semconv.FaaSInvocationID(call.requestID))
	}
	if call.functionARN != "" {
		attributes = append(attributes, semconv.AWSLambdaInvokedARN(call.functionARN))
	}
	// The ARN is arn:aws:lambda:REGION:ACCOUNT:function:NAME, and may end in :ALIAS. The resource's id has no alias.
	if parts := strings.Split(call.functionARN, ":"); len(parts) >= 7 {
		attributes = append(attributes, semconv.CloudAccountID(parts[4]), semconv.CloudResourceID(strings.Join(parts[:7], ":")))
	}
	name := os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	if name == "" {
		name = "invocation"
	}
	parent := t.propagator.Extract(ctx, propagation.MapCarrier{traceHeader: call.traceHeader})
	_, span := t.tracer.Start(parent, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...))
	t.mu.Lock()
	t.open[span.SpanContext().SpanID()] = span
	t.mu.Unlock()
	ctx = trace.ContextWithSpan(ctx, span)
	// Code that calls AWS services reads the header from the context. It has to find this span there, not its parent.
	header := propagation.MapCarrier{}
	if t.propagator.Inject(ctx, header); header[traceHeader] != "" {
		ctx = context.WithValue(ctx, headerKey, header[traceHeader]) //nolint:staticcheck // the runtime's key is a string
	}
	return ctx, span
}

func (t *Telemetry) end(span trace.Span) {
	span.End()
	t.mu.Lock()
	delete(t.open, span.SpanContext().SpanID())
	t.mu.Unlock()
}

// firstTime reports whether this is the first invocation of an execution environment whose init phase the user waited for.
func (t *Telemetry) firstTime() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	cold := t.cold && os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") != "provisioned-concurrency"
	t.cold = false
	return cold
}

// afterwards lets the extension flush the spans after the answer, or flushes them now if there is no extension.
func (t *Telemetry) afterwards(ctx context.Context, requestID string) {
	if t.extension != nil {
		// The runtime cancels the context of an invocation when it has posted the answer. The extension must know even if it is not active now:
		// its next poll may return this invocation.
		context.AfterFunc(ctx, func() { t.extension.posted(requestID) })
	}
	if t.extension == nil || !t.extension.active.Load() {
		t.flushNow(ctx)
	}
}

// recordPanic records the type of a panic and its stack, but not its value, which may be personal data.
func recordPanic(span trace.Span, recovered any) {
	kind := fmt.Sprintf("%T", recovered)
	span.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(
		semconv.ExceptionType(kind), semconv.ExceptionStacktrace(string(debug.Stack()))))
	span.SetStatus(codes.Error, "panic")
	span.SetAttributes(semconv.ErrorTypeKey.String("panic"))
}

// errorType returns the attribute error.type of a failed invocation: the type that the handler's error names, "timeout", or the error's Go type.
func errorType(err error) attribute.KeyValue {
	kind := semconv.ErrorType(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return semconv.ErrorTypeKey.String("timeout")
	case kind.Value.AsString() == "*errors.errorString": // only its text says more
		return semconv.ErrorTypeOther
	}
	return kind
}

// errStopped is the error of an invocation that Lambda ends before its answer because it timed out.
var errStopped = errors.New("stopped before its answer")

// handleSIGTERM sends the remaining spans when Lambda ends the execution environment. Lambda sends SIGTERM only to functions with an extension.
// Source: Lambda Developer Guide, "Shutdown phase".
func (t *Telemetry) handleSIGTERM() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		t.mu.Lock()
		for _, span := range t.open {
			span.SetStatus(codes.Error, errStopped.Error())
			span.SetAttributes(semconv.ErrorTypeKey.String("timeout"))
			span.End()
		}
		t.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), atTheEnd)
		defer cancel()
		_ = t.provider.Shutdown(ctx)
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(syscall.SIGTERM) // which now ends the process
		}
	}()
}

// invocation describes an invocation.
type invocation struct {
	requestID, functionARN, traceHeader string
}

// headerKey is the context key under which the runtime stores the trace header.
const headerKey = "x-amzn-trace-id"

// invocationOf reads the context that the runtime passes to handlers. It does not read the trace header from the environment, where it may belong
// to another invocation.
func invocationOf(ctx context.Context) invocation {
	var call invocation
	call.traceHeader, _ = ctx.Value(headerKey).(string)
	if known, ok := lambdaruntime.FromContext(ctx); ok {
		call.requestID, call.functionARN = known.AwsRequestID, known.InvokedFunctionArn
	}
	return call
}
