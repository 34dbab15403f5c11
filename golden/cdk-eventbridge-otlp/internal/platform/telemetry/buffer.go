package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// maxSpans is how many spans can wait to be sent. Further spans are dropped.
	maxSpans = 2048
	// maxBatch is how many spans one request has at most.
	maxBatch = 512
	// After a failure nothing is sent for firstPause. Each further failure doubles the pause, up to longestPause. Otherwise a collector that
	// hangs would delay the execution environment after every answer.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// buffer keeps spans until they are flushed. It implements sdktrace.SpanProcessor. Unlike the SDK's processors, it sends nothing during an
// invocation.
type buffer struct {
	exporter sdktrace.SpanExporter
	logger   Logger
	now      func() time.Time
	// turn is held by the running flush. It guards the fields up to the empty line.
	turn chan struct{}
	// failures counts the failures since the last success, and resume is when to try again.
	failures int
	resume   time.Time
	// reported is true if a failure was logged since the last success. logged is the number of dropped spans in the last log line.
	reported bool
	logged   int

	mu      sync.Mutex
	spans   []sdktrace.ReadOnlySpan
	dropped int // since the start
}

func newBuffer(exporter sdktrace.SpanExporter, logger Logger) *buffer {
	return &buffer{exporter: exporter, logger: logger, now: time.Now, turn: make(chan struct{}, 1)}
}

// OnStart implements sdktrace.SpanProcessor.
func (*buffer) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor.
func (b *buffer) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.spans) == maxSpans {
		b.dropped++
		return
	}
	b.spans = append(b.spans, span)
}

// ForceFlush sends the spans of the buffer until ctx ends. It drops the spans that can't be sent, because the next invocation has spans of its
// own. During the pause after a failure it sends nothing and keeps the spans.
func (b *buffer) ForceFlush(ctx context.Context) error { return b.flush(ctx, false) }

// Shutdown implements sdktrace.SpanProcessor.
func (b *buffer) Shutdown(ctx context.Context) error {
	return errors.Join(b.flush(ctx, true), b.exporter.Shutdown(ctx))
}

func (b *buffer) flush(ctx context.Context, last bool) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return ctx.Err() // another flush is running
	}
	if !last && b.now().Before(b.resume) {
		return nil
	}
	b.mu.Lock()
	spans := b.spans
	b.spans = nil
	b.mu.Unlock()
	for len(spans) > 0 {
		batch := spans[:min(len(spans), maxBatch)]
		err := b.export(ctx, batch)
		rejected, partly := errors.AsType[*rejectedError](err)
		switch {
		case partly:
			b.drop(err, rejected.spans)
		case err != nil:
			b.pause(err)
			b.drop(err, len(spans))
			return err
		default:
			b.succeeded()
		}
		spans = spans[len(batch):]
	}
	return nil
}

// export turns a panic of the exporter into an error.
func (b *buffer) export(ctx context.Context, batch []sdktrace.ReadOnlySpan) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = fmt.Errorf("the exporter panics with a %T", recovered)
		}
	}()
	return b.exporter.ExportSpans(ctx, batch)
}

// pause sets when to try again after a failure.
func (b *buffer) pause(err error) {
	pause := min(firstPause<<min(b.failures, 10), longestPause)
	if refused, found := errors.AsType[*refusedError](err); found {
		pause = max(pause, min(refused.retryAfter, longestPause))
	}
	b.failures++
	b.resume = b.now().Add(pause)
}

// drop counts lost spans. It logs the first loss since the last success.
func (b *buffer) drop(reason error, spans int) {
	b.mu.Lock()
	b.dropped += spans
	dropped := b.dropped
	b.mu.Unlock()
	if !b.reported {
		b.reported, b.logged = true, dropped
		b.logger.WarnContext(context.Background(), "telemetry dropped", "spans", dropped, "reason", reason.Error())
	}
}

// succeeded ends the pause. It logs how many spans were dropped if the log does not say so yet.
func (b *buffer) succeeded() {
	b.mu.Lock()
	dropped := b.dropped
	b.mu.Unlock()
	b.failures, b.resume = 0, time.Time{}
	if b.reported || dropped > b.logged {
		b.logger.InfoContext(context.Background(), "telemetry arrives again", "droppedSpans", dropped)
	}
	b.reported, b.logged = false, dropped
}
