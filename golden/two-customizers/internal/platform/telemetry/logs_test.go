package telemetry

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
)

// TestLogCorrelation expects the ids of the span in log lines of an invocation, and the unchanged X-Ray header in its context.
func TestLogCorrelation(t *testing.T) {
	tracing, recorder, _ := newTestTelemetry(t)
	var log bytes.Buffer
	logger := slog.New(LogHandler(slog.NewTextHandler(&log, nil))).With("a", 1)
	var sent any
	handler := tracing.Wrap(handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		logger.InfoContext(ctx, "inside")
		sent = ctx.Value(headerKey)
		return nil, nil
	}))
	for _, sampled := range []string{";Sampled=0", ";Sampled=1"} {
		log.Reset()
		if _, err := handler.Invoke(invocationContext(t, header+sampled), nil); err != nil {
			t.Fatal(err)
		}
		span := recorder.all()[len(recorder.all())-1].SpanContext()
		if want := "a=1 trace_id=" + rootID + " span_id=" + span.SpanID().String(); !strings.Contains(log.String(), want) {
			t.Errorf("logged %q, without %s", log.String(), want)
		}
		if sent != header+sampled {
			t.Errorf("the trace header is %v, not %s", sent, header+sampled)
		}
	}
	log.Reset()
	logger.WithGroup("g").Info("outside")
	if strings.Contains(log.String(), "trace_id") {
		t.Errorf("logged %q", log.String())
	}
}
