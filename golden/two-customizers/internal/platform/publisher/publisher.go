// Package publisher publishes events to an EventBridge bus while an invocation is under way. It publishes in a bounded time, logs and counts
// each outcome, and decides whether the invocation fails when an event is lost.
//
// The package knows nothing about the events: what happened and how to describe it belongs to the caller.
package publisher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Failure says what happens to an invocation whose event can't be published.
type Failure int

const (
	// LetIn answers as if the event had been published: the function fails open.
	LetIn Failure = iota
	// Refuse returns an error, so that the invocation can fail: the function fails closed.
	Refuse
)

// ErrNotPublished means that the event was not published and that Config.OnFailure is Refuse.
var ErrNotPublished = errors.New("event not published")

// Logger writes the log. *slog.Logger implements it.
type Logger interface {
	InfoContext(ctx context.Context, message string, namesAndValues ...any)
	WarnContext(ctx context.Context, message string, namesAndValues ...any)
}

// Config configures a Publisher. Only Source and Logger are required.
type Config struct {
	// Source is the source of each event, which rules match, such as "shop.orders". The function's role allows no other source.
	Source string
	// Logger gets one line for each event, with its metrics.
	Logger Logger
	// OnFailure says what happens to an invocation whose event can't be published. The default is LetIn.
	OnFailure Failure
	// Timeout limits how long an invocation waits for its event to be published. The default is 800 ms.
	Timeout time.Duration
	// Margin is the time that remains for the answer: publishing stops this long before the deadline of the invocation. The default is
	// 500 ms.
	Margin time.Duration
	// Namespace is where CloudWatch shows how many events were published, failed, and were dropped. The stack's alarm watches it. The default
	// is the part of Source before the first dot.
	Namespace string
}

const (
	defaultTimeout = 800 * time.Millisecond
	defaultMargin  = 500 * time.Millisecond
)

// WithDefaults returns the configuration with the default of each setting that is missing.
func (c Config) WithDefaults() Config {
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Margin = cmp.Or(c.Margin, defaultMargin)
	prefix, _, _ := strings.Cut(c.Source, ".")
	c.Namespace = cmp.Or(c.Namespace, prefix)
	return c
}

// Publisher publishes events to one bus.
type Publisher struct {
	config  Config
	bus     bus
	busName string
}

// New returns a publisher to the bus whose name or ARN is in EVENT_BUS_NAME. If the environment lacks something, New still succeeds and
// each event fails: OnFailure decides what follows.
func New(config Config) *Publisher {
	config = config.WithDefaults()
	return &Publisher{config: config, bus: tracedBus{newEventBridge(config.Timeout)}, busName: os.Getenv("EVENT_BUS_NAME")}
}

// Publish publishes an event with a detail type, such as "OrderPlaced.v1", and data that can be encoded as JSON. Then it logs and counts
// the outcome. It returns early enough to answer the invocation. Its only error is ErrNotPublished, and only if OnFailure is Refuse.
func (p *Publisher) Publish(ctx context.Context, detailType string, data any) error {
	counts, err := p.publish(ctx, detailType, data)
	attributes := counts.attributes(p.config.Namespace)
	if err == nil {
		p.config.Logger.InfoContext(ctx, "event published", attributes...)
		return nil
	}
	p.config.Logger.WarnContext(ctx, "event not published", append(attributes, "reason", err.Error())...)
	if p.config.OnFailure == Refuse {
		return ErrNotPublished
	}
	return nil
}

func (p *Publisher) publish(ctx context.Context, detailType string, data any) (outcome counts, err error) {
	defer func() {
		if recovered := recover(); recovered != nil { // OnFailure applies to panics too
			outcome, err = counts{failed: 1}, fmt.Errorf("panicked with a %T", recovered)
		}
	}()
	if p.busName == "" {
		return counts{dropped: 1}, errors.New("no bus: set EVENT_BUS_NAME")
	}
	event, err := newEntry(ctx, p.config.Source, detailType, data)
	if err != nil {
		return counts{dropped: 1}, err
	}
	event.busName = p.busName
	end := time.Now().Add(p.config.Timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-p.config.Margin).Before(end) {
		end = deadline.Add(-p.config.Margin)
	}
	if time.Until(end) <= 0 {
		return counts{dropped: 1}, errors.New("no time left before the deadline")
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	return p.send(ctx, []entry{event})
}
