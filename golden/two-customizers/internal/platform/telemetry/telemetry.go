// Package telemetry makes a span of each invocation and sends it, with the spans that the code makes by itself, to where OpenTelemetry is
// collected. It is built on the official API and SDK; here is what Lambda needs on top: how an invocation becomes a span, when spans
// leave, and how they are written.
//
// It never makes a function slower or break: spans leave after the answer, in a bounded time, and are dropped where they cannot.
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

// scope names what makes the spans.
const scope = "example.com/two-customizers"

// Logger is what is logged with; *slog.Logger is one.
type Logger interface {
	InfoContext(ctx context.Context, message string, arguments ...any)
	WarnContext(ctx context.Context, message string, arguments ...any)
}

// Telemetry is the telemetry of one execution environment.
type Telemetry struct {
	tracer trace.Tracer
	// provider and all that follows is empty while no endpoint is configured.
	provider   *sdktrace.TracerProvider
	propagator propagation.TextMapPropagator
	buffer     *buffer
	extension  *extension
	// cold is true until the first invocation.
	cold bool
	mu   sync.Mutex
	// open are the spans of invocations that have not come to their end.
	open map[trace.SpanID]trace.Span
}

// Start sets telemetry up as the environment variables say. It must be called before the runtime asks for its first event, and never
// fails: what is wrong with the variables is logged, and what is in doubt is left out.
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

// newTelemetry makes what needs no Lambda.
func newTelemetry(
	exporter sdktrace.SpanExporter, propagator propagation.TextMapPropagator, logger Logger, options ...sdktrace.TracerProviderOption,
) *Telemetry {
	t := &Telemetry{cold: true, buffer: newBuffer(exporter, logger), open: map[trace.SpanID]trace.Span{}, propagator: propagator}
	options = append(options, sdktrace.WithSpanProcessor(t.buffer), sdktrace.WithRawSpanLimits(spanLimits()), sdktrace.WithIDGenerator(idGenerator{}))
	t.provider = sdktrace.NewTracerProvider(options...)
	t.tracer = t.provider.Tracer(scope)
	return t
}

// Tracer makes the spans of the function's own code. They go nowhere while no endpoint is configured.
func (t *Telemetry) Tracer() trace.Tracer { return t.tracer }

// oneAtATime tells whether the execution environment has one invocation at a time, as it has unless told otherwise.
func oneAtATime(getenv func(string) string) bool {
	most := getenv("AWS_LAMBDA_MAX_CONCURRENCY")
	return most == "" || most == "1"
}

// valueLimit bounds the text of an attribute, in bytes, unless OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT does.
const valueLimit = 4096

func spanLimits() sdktrace.SpanLimits {
	limits := sdktrace.NewSpanLimits() // with what the environment variables say
	if limits.AttributeValueLengthLimit < 0 {
		limits.AttributeValueLengthLimit = valueLimit
	}
	return limits
}

// Limits of flushes. Where a flush is not over in time, its spans are dropped.
const (
	// afterAnswer bounds the flush after the answer. The execution environment takes no other event until it is over.
	afterAnswer = 2 * time.Second
	// beforeAnswer bounds the flush that has to be before the answer, which is later by as much.
	beforeAnswer = 200 * time.Millisecond
	// atTheEnd bounds the flush between SIGTERM and SIGKILL, which is 500 ms later.
	atTheEnd = 400 * time.Millisecond
	// margin is kept free before the deadline of the invocation: after it, Lambda would call a good answer timed out.
	margin = 100 * time.Millisecond
)

// flushUntil sends what there is after an answer, for the invocation with the deadline.
func (t *Telemetry) flushUntil(deadline time.Time) {
	t.flush(context.Background(), afterAnswer, deadline)
}

// flushNow sends what there is while the caller waits for the answer.
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
	_ = t.buffer.ForceFlush(ctx) // logged there
}
