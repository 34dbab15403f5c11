package telemetry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// makeSpans makes spans that are not sent yet.
func makeSpans(t *testing.T, tracing *Telemetry, count int) {
	t.Helper()
	for range count {
		_, span := tracing.tracer.Start(t.Context(), "span")
		span.End()
	}
}

func TestBatchesAreBounded(t *testing.T) {
	tracing, recorder, logger := newTestTelemetry(t)
	makeSpans(t, tracing, 1000)
	if err := tracing.buffer.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(recorder.sizes, []int{512, 488}) {
		t.Errorf("batches of %v", recorder.sizes)
	}
	makeSpans(t, tracing, maxSpans+7)
	if err := tracing.buffer.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(recorder.all()); got != 1000+maxSpans {
		t.Errorf("%d spans", got)
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "droppedSpans 7") {
		t.Errorf("logged %q", lines)
	}
}

// TestFailure expects that spans are dropped which can't be sent, that this is logged once, that the pause grows with each failure, and that the
// log says when spans arrive again.
func TestFailure(t *testing.T) {
	tracing, recorder, logger := newTestTelemetry(t)
	now := time.Now()
	tracing.buffer.now = func() time.Time { return now }
	attempts := 0
	failure := error(&refusedError{text: "busy"})
	recorder.export = func(context.Context) error { attempts++; return failure }
	flush := func() {
		makeSpans(t, tracing, 1)
		_ = tracing.buffer.ForceFlush(t.Context())
	}
	want := 0
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		flush()
		want++
		now = now.Add(pause*time.Second - 1)
		flush()
		if attempts != want {
			t.Fatalf("%d attempts, not %d, within %d s", attempts, want, pause)
		}
		now = now.Add(1)
	}
	failure = &refusedError{text: "busy", retryAfter: 10 * time.Second}
	tracing.buffer.failures = 0
	flush()
	if pause := tracing.buffer.resume.Sub(now); pause != 10*time.Second {
		t.Errorf("waits %s for a collector that asks for 10 s", pause)
	}
	now = now.Add(time.Minute)
	recorder.export = nil
	flush()
	flush()
	lines := logger.all()
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "WARN telemetry dropped spans 1 reason busy") || lines[1] != "INFO telemetry arrives again droppedSpans 15" {
		t.Errorf("logged %q", lines)
	}
	if got := len(recorder.all()); got != 2 {
		t.Errorf("%d spans arrive", got)
	}
}

// TestPartialSuccess goes on, and counts what was rejected.
func TestPartialSuccess(t *testing.T) {
	tracing, recorder, logger := newTestTelemetry(t)
	recorder.export = func(context.Context) error { return &rejectedError{3} }
	makeSpans(t, tracing, 600)
	if err := tracing.buffer.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "spans 3") || tracing.buffer.dropped != 6 {
		t.Errorf("logged %q, dropped %d", lines, tracing.buffer.dropped)
	}
}

func TestExporterPanics(t *testing.T) {
	tracing, recorder, logger := newTestTelemetry(t)
	recorder.export = func(context.Context) error { panic("secret") }
	makeSpans(t, tracing, 1)
	if err := tracing.buffer.ForceFlush(t.Context()); err == nil {
		t.Error("no error")
	}
	if lines := logger.all(); len(lines) != 1 || strings.Contains(lines[0], "secret") {
		t.Errorf("logged %q", lines)
	}
}

// TestFlushesTakeTurns lets a flush wait for another one until its time is over. Its spans remain in the buffer.
func TestFlushesTakeTurns(t *testing.T) {
	tracing, recorder, _ := newTestTelemetry(t)
	reached, release := make(chan struct{}), make(chan struct{})
	recorder.export = func(context.Context) error {
		close(reached)
		<-release
		return nil
	}
	makeSpans(t, tracing, 1)
	done := make(chan error)
	go func() { done <- tracing.buffer.ForceFlush(t.Context()) }()
	await(t, reached, "the first flush")
	makeSpans(t, tracing, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tracing.buffer.ForceFlush(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the second flush gives %v", err)
	}
	close(release)
	if err := await(t, done, "the end of the first flush"); err != nil {
		t.Error(err)
	}
	recorder.export = nil
	if err := tracing.buffer.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := len(recorder.all()); got != 2 {
		t.Errorf("%d spans", got)
	}
}
