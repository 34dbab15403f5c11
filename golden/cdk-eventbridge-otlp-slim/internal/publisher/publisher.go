// Package publisher tells an EventBridge bus that tokens were customized: what happened, and to whom in terms that name nobody. It also
// decides what a sign-in does when that fails. What goes into the tokens does not belong here.
package publisher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"example.com/cdk-eventbridge-otlp-slim/internal/lambdaruntime"
	"example.com/cdk-eventbridge-otlp-slim/internal/pretoken"
)

// Failure is what becomes of a sign-in whose event cannot be published.
type Failure int

const (
	// LetIn answers the sign-in all the same: it fails open.
	LetIn Failure = iota
	// Refuse fails the sign-in: it fails closed.
	Refuse
)

// ErrNotPublished says that the sign-in has to fail because its event was not published.
var ErrNotPublished = errors.New("event not published")

// bus takes events.
type bus interface {
	// put sends entries in one request. It returns the code with which each was refused, in their order, empty for one that was taken.
	put(ctx context.Context, entries []entry) ([]string, error)
	// retryable tells whether a request that failed with the error is worth another attempt.
	retryable(err error) bool
}

// Publisher publishes an event for each answer. It implements customizer.Publisher.
type Publisher struct {
	bus       bus
	busName   string
	onFailure Failure
	logger    *lambdaruntime.Logger
}

// New returns a publisher to the bus whose name or ARN is in EVENT_BUS_NAME. What is missing in the environment does not keep the
// function from starting: it fails each event, and what that does to sign-ins is for OnFailure to say.
func New(logger *lambdaruntime.Logger) *Publisher {
	return &Publisher{bus: newEventBridge(), busName: os.Getenv("EVENT_BUS_NAME"), onFailure: OnFailure, logger: logger}
}

// Publish tells the bus what the response does to the event's tokens, and logs and counts whether the bus took it. It returns in time to
// answer Cognito whatever the bus does. The error is ErrNotPublished, where OnFailure is Refuse.
func (p *Publisher) Publish(ctx context.Context, event *pretoken.Event, response pretoken.Response) error {
	counts, err := p.publish(ctx, event, response)
	if err == nil {
		p.logger.InfoContext(ctx, "event published", counts.attributes()...)
		return nil
	}
	p.logger.WarnContext(ctx, "event not published", append(counts.attributes(), "reason", err.Error())...)
	if p.onFailure == Refuse {
		return ErrNotPublished
	}
	return nil
}

func (p *Publisher) publish(ctx context.Context, event *pretoken.Event, response pretoken.Response) (became counts, err error) {
	defer func() {
		if recovered := recover(); recovered != nil { // which is no reason to refuse the sign-in either
			became, err = counts{failed: 1}, fmt.Errorf("panicked with a %T", recovered)
		}
	}()
	if p.busName == "" {
		return counts{dropped: 1}, errors.New("no bus: set EVENT_BUS_NAME")
	}
	told, err := newEntry(ctx, p.busName, event, response)
	if err != nil {
		return counts{dropped: 1}, err
	}
	end := time.Now().Add(timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerMargin).Before(end) {
		end = deadline.Add(-answerMargin)
	}
	if time.Until(end) <= 0 {
		return counts{dropped: 1}, errors.New("no time left before the deadline")
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	return p.send(ctx, []entry{told})
}

// send puts entries on the bus. What is refused is sent again, and nothing else is, until the attempts or the time are used up.
func (p *Publisher) send(ctx context.Context, entries []entry) (counts, error) {
	total := len(entries)
	for attempt := 1; ; attempt++ {
		refused, err := p.attempt(ctx, entries)
		entries = refused
		if err == nil {
			return counts{published: total}, nil
		}
		if attempt < attempts && p.retryable(err) && pause(ctx, backoff) {
			continue
		}
		return counts{published: total - len(entries), failed: len(entries)}, err
	}
}

// refusedError lists the codes of entries that a bus did not take.
type refusedError []string

func (e refusedError) Error() string { return "refused by the bus: " + strings.Join(e, ", ") }

// attempt makes one request and returns the entries that have not been taken.
func (p *Publisher) attempt(ctx context.Context, entries []entry) ([]entry, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	codes, err := p.bus.put(ctx, entries)
	if err != nil {
		return entries, err
	}
	if len(codes) != len(entries) {
		return entries, fmt.Errorf("the bus answers for %d of %d events", len(codes), len(entries))
	}
	var refused []entry
	var reasons refusedError
	for i, code := range codes {
		if code != "" {
			refused = append(refused, entries[i])
			reasons = append(reasons, code)
		}
	}
	if refused == nil {
		return nil, nil
	}
	return refused, reasons
}

func (p *Publisher) retryable(err error) bool {
	_, refused := errors.AsType[refusedError](err)
	return refused || errors.Is(err, context.DeadlineExceeded) || p.bus.retryable(err)
}

// pause waits, and reports false if the context ends first.
func pause(ctx context.Context, duration time.Duration) bool {
	select {
	case <-time.After(duration):
		return true
	case <-ctx.Done():
		return false
	}
}
