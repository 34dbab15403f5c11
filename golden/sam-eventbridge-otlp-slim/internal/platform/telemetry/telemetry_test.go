package telemetry

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/lambdaruntime"
)

// TestMain hides the environment variables of the machine from the tests.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "OTLP_") || name == "AWS_LAMBDA_RUNTIME_API" {
			_ = os.Unsetenv(name)
		}
	}
	m.Run()
}

// recorder is an exporter that keeps spans.
type recorder struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
	// sizes of the batches.
	sizes []int
	// export is called for each batch if it is there.
	export func(ctx context.Context) error
}

func (r *recorder) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if r.export != nil {
		if err := r.export(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, spans...)
	r.sizes = append(r.sizes, len(spans))
	return nil
}

func (*recorder) Shutdown(context.Context) error { return nil }

func (r *recorder) all() []sdktrace.ReadOnlySpan {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spans
}

// logs is a Logger that keeps lines.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) InfoContext(_ context.Context, message string, arguments ...any) {
	l.add("INFO "+message, arguments)
}

func (l *logs) WarnContext(_ context.Context, message string, arguments ...any) {
	l.add("WARN "+message, arguments)
}

func (l *logs) add(line string, arguments []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimSpace(line+" "+fmt.Sprintln(arguments...)))
}

func (l *logs) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// answers is a handler that returns the event.
type answers struct{}

func (answers) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// handlerFunc is a function as a handler.
type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

const (
	requestID   = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
	functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:demo"
)

// invocationContext is what the runtime gives to a handler, with a deadline in a minute.
func invocationContext(t *testing.T, header string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx = lambdaruntime.NewContext(ctx, &lambdaruntime.LambdaContext{AwsRequestID: requestID, InvokedFunctionArn: functionARN + ":live"})
	return context.WithValue(ctx, headerKey, header) //nolint:staticcheck // the runtime's key is a plain text
}

// newTestTelemetry has no extension, so it flushes before the answer.
func newTestTelemetry(t *testing.T) (*Telemetry, *recorder, *logs) {
	t.Helper()
	recorder, logger := &recorder{}, &logs{}
	return newTelemetry(recorder, newPropagator([]string{xrayName}, false), logger), recorder, logger
}

// invokeAndFlush invokes a handler with a trace header, and flushes with more time than a call has. It returns the error of the flush.
func invokeAndFlush(t *testing.T, tracing *Telemetry, header string) error {
	t.Helper()
	tracing.extension = newExtension("127.0.0.1:1", &logs{}, func(time.Time) {})
	tracing.extension.active.Store(true) // so that nothing is flushed before the answer
	if answer, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, header), []byte("{}")); err != nil || string(answer) != "{}" {
		t.Fatalf("answers %s, %v", answer, err)
	}
	return tracing.buffer.ForceFlush(t.Context())
}

// patience is how long a test waits for something that must happen. It is long enough for a busy machine.
const patience = time.Minute

func await[T any](t *testing.T, what <-chan T, name string) (got T) {
	t.Helper()
	select {
	case got = <-what:
	case <-time.After(patience):
		t.Fatalf("%s: that does not happen", name)
	}
	return got
}

// attributesOf are the attributes of a span, as text.
func attributesOf(span sdktrace.ReadOnlySpan) map[string]string {
	found := map[string]string{}
	for _, pair := range span.Attributes() {
		found[string(pair.Key)] = pair.Value.String()
	}
	return found
}

// TestSilent expects telemetry to do nothing while no endpoint is configured or it is turned off.
func TestSilent(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"no endpoint":       {},
		"no usable address": {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		"disabled":          {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		"no exporter":       {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range variables {
				t.Setenv(variable, value)
			}
			logger := &logs{}
			tracing := Start(logger)
			if handler := tracing.Wrap(answers{}); handler != (answers{}) {
				t.Errorf("the handler is wrapped: %T", handler)
			}
			_, span := tracing.tracer.Start(t.Context(), "lookup")
			defer span.End()
			if span.IsRecording() {
				t.Error("spans are recorded")
			}
			if lines := logger.all(); (len(lines) == 1) != (name == "no usable address") {
				t.Errorf("logged %q", lines)
			}
		})
	}
}

// startOwn is Start with the project's own exporter, whichever Start takes.
func startOwn(logger Logger) *Telemetry {
	return start(logger, func(to destination, config settings) sdktrace.SpanExporter { return newExporter(to, config) })
}

// TestStart sends a span with the same setup as on Lambda, but without Lambda.
func TestStart(t *testing.T) {
	arrived := make(chan map[string]any, 1)
	server := collector(t, func(_ string, body []byte) int {
		var batch map[string]any
		if err := json.Unmarshal(body, &batch); err != nil {
			t.Error(err)
		}
		arrived <- batch
		return 200
	})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server)
	t.Setenv("OTEL_TRACES_SAMPLER", "nonsense")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=identity,broken")
	t.Setenv("OTEL_PROPAGATORS", "b3,xray")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	logger := &logs{}
	if err := invokeAndFlush(t, startOwn(logger), header+";Sampled=1"); err != nil {
		t.Fatal(err)
	}
	if batch := await(t, arrived, "the span arrives"); len(batch) != 1 {
		t.Errorf("got %v", batch)
	}
	lines := logger.all()
	if len(lines) != 3 {
		t.Errorf("logged %d lines for three mistakes: %q", len(lines), lines)
	}
}

// TestSeveralAtATime expects a log line which says that no extension sends spans after the answer.
func TestSeveralAtATime(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", "2")
	logger := &logs{}
	if tracing := Start(logger); tracing.extension != nil {
		t.Error("there is an extension")
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "before the answer") {
		t.Errorf("logged %q", lines)
	}
}
