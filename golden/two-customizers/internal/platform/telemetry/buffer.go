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
	// maxSpans is how many spans wait to be sent at most. More are dropped.
	maxSpans = 2048
	// maxBatch is how many spans are sent at a time.
	maxBatch = 512
	// After a failure nothing is sent for firstPause, after each further one for twice as long, and for longestPause at most: a collector
	// that hangs would hold up the execution environment after every answer.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// buffer keeps spans until they are flushed. It implements sdktrace.SpanProcessor. Unlike the SDK's own it sends nothing in the middle
// of an invocation.
type buffer struct {
	exporter sdktrace.SpanExporter
	logger   Logger
	now      func() time.Time
	// turn is held by the flush that is at work, to which the fields up to the empty line belong.
	turn chan struct{}
	// failures since the last success, and when to try again.
	failures int
	resume   time.Time
	// reported is true if the log has a line since the last success, and logged is how many dropped spans the last line told of.
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

// ForceFlush sends the spans that there are until ctx ends. Those that cannot be sent are dropped: they are not tried again, since the
// next invocation has spans of its own. After a failure it waits for its time, with the spans.
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
		return ctx.Err() // another flush is at work
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

// export keeps a panic of the exporter from ending the process.
func (b *buffer) export(ctx context.Context, batch []sdktrace.ReadOnlySpan) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = fmt.Errorf("the exporter panics with a %T", recovered)
		}
	}()
	return b.exporter.ExportSpans(ctx, batch)
}

// pause says when to try again after a failure.
func (b *buffer) pause(err error) {
	pause := min(firstPause<<min(b.failures, 10), longestPause)
	if refused, found := errors.AsType[*refusedError](err); found {
		pause = max(pause, min(refused.retryAfter, longestPause))
	}
	b.failures++
	b.resume = b.now().Add(pause)
}

// drop counts spans that are lost, and says so once until there is success again.
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

// succeeded says how many spans were dropped, if there is news.
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
