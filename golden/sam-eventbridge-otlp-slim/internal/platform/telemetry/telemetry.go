// Package telemetry records a span for each invocation and sends it to a collector, together with the spans that your code starts. It builds on
// OpenTelemetry's API and SDK and adds what Lambda needs: how an invocation becomes a span, when spans are sent, and how they are encoded.
//
// Telemetry must not slow down or break a function. Spans are sent after the answer, in a bounded time, and dropped if that fails.
package telemetry

import (
	"context"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// EmitMetrics has each invocation write a line of metrics to the log, in CloudWatch's embedded metric format, where spans go somewhere
// too. CloudWatch charges for each of the metrics, see docs/traces.md.
const EmitMetrics = false

// scope is the name of the tracer.
const scope = "example.com/sam-eventbridge-otlp-slim"

// Logger writes the log. *slog.Logger implements it.
type Logger interface {
	InfoContext(ctx context.Context, message string, arguments ...any)
	WarnContext(ctx context.Context, message string, arguments ...any)
}

// Telemetry is the telemetry of one execution environment.
type Telemetry struct {
	tracer trace.Tracer
	// provider and the fields below are empty while no endpoint is configured.
	provider   *sdktrace.TracerProvider
	propagator propagation.TextMapPropagator
	buffer     *buffer
	extension  *extension
	// cold is true until the first invocation.
	cold bool
	mu   sync.Mutex
	// open has the spans of invocations that have not ended.
	open map[trace.SpanID]trace.Span
}

// Start sets up telemetry as the environment variables say. Call it before the runtime asks for its first event. It never fails: it logs what is
// wrong with the variables and ignores what it can't use.
func Start(logger Logger) *Telemetry {
	return start(logger, func(to destination, config settings) sdktrace.SpanExporter {
		return newExporter(to, config) // to use the stock exporter, see docs/traces.md
	})
}

func start(logger Logger, exporterFor func(to destination, config settings) sdktrace.SpanExporter) *Telemetry {
	ctx := context.Background()
	env := environment{getenv: os.Getenv}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.WarnContext(ctx, "telemetry", "problem", err.Error()) }))
	config := env.settings()
	to := newDestination(&env, config)
	for _, problem := range env.problems {
		logger.WarnContext(ctx, "telemetry", "problem", problem)
	}
	if config.disabled || to.endpoint == "" {
		return &Telemetry{tracer: noop.NewTracerProvider().Tracer(scope)}
	}
	t := newTelemetry(exporterFor(to, config), newPropagator(config.propagators, to.followXRay), logger, sdktrace.WithResource(describe(ctx, env.getenv)))
	otel.SetTracerProvider(t.provider)
	otel.SetTextMapPropagator(t.propagator)
	switch api := env.getenv("AWS_LAMBDA_RUNTIME_API"); {
	case api == "":
	case oneAtATime(env.getenv):
		t.extension = newExtension(api, logger, t.flushUntil)
		t.extension.start(registrationLimit)
	default:
		logger.InfoContext(ctx, "telemetry is sent before the answer", "reason", "there are several invocations at a time")
	}
	t.handleSIGTERM()
	return t
}

// newTelemetry sets up the part that does not need Lambda.
func newTelemetry(
	exporter sdktrace.SpanExporter, propagator propagation.TextMapPropagator, logger Logger, options ...sdktrace.TracerProviderOption,
) *Telemetry {
	t := &Telemetry{cold: true, buffer: newBuffer(exporter, logger), open: map[trace.SpanID]trace.Span{}, propagator: propagator}
	options = append(options, sdktrace.WithSpanProcessor(t.buffer), sdktrace.WithRawSpanLimits(spanLimits()), sdktrace.WithIDGenerator(idGenerator{}))
	t.provider = sdktrace.NewTracerProvider(options...)
	t.tracer = t.provider.Tracer(scope)
	return t
}

// oneAtATime reports whether the execution environment has one invocation at a time, which is the default.
func oneAtATime(getenv func(string) string) bool {
	most := getenv("AWS_LAMBDA_MAX_CONCURRENCY")
	return most == "" || most == "1"
}

// valueLimit is the maximum length of an attribute in bytes, unless OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT sets another.
const valueLimit = 4096

func spanLimits() sdktrace.SpanLimits {
	limits := sdktrace.NewSpanLimits() // from the environment variables
	if limits.AttributeValueLengthLimit < 0 {
		limits.AttributeValueLengthLimit = valueLimit
	}
	return limits
}

// Limits of flushes. If a flush does not end in time, its spans are dropped.
const (
	// afterAnswer limits the flush after the answer. Until it ends, the execution environment accepts no other event.
	afterAnswer = 2 * time.Second
	// beforeAnswer limits a flush that has to happen before the answer and delays it.
	beforeAnswer = 200 * time.Millisecond
	// atTheEnd limits the flush after SIGTERM. SIGKILL follows 500 ms after it.
	atTheEnd = 400 * time.Millisecond
	// margin is the time before the deadline of the invocation at which a flush ends. At the deadline, Lambda reports a timeout even if the
	// answer was posted.
	margin = 100 * time.Millisecond
)

// flushUntil sends the spans after the answer to the invocation with the deadline.
func (t *Telemetry) flushUntil(deadline time.Time) {
	t.flush(context.Background(), afterAnswer, deadline)
}

// flushNow sends the spans while the caller waits for the answer.
func (t *Telemetry) flushNow(ctx context.Context) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = time.Now().Add(time.Hour)
	}
	t.flush(context.WithoutCancel(ctx), beforeAnswer, deadline)
}

func (t *Telemetry) flush(ctx context.Context, most time.Duration, deadline time.Time) {
	budget := min(most, time.Until(deadline)-margin)
	if budget <= 0 {
		return // the spans wait for the next flush
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	_ = t.buffer.ForceFlush(ctx) // it logs its errors
}
