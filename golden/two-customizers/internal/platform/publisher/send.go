package publisher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// attempts is how often an event is sent.
	attempts = 2
	// backoff is the pause between two attempts.
	backoff = 100 * time.Millisecond
)

// attemptTimeout limits one attempt. It is shorter than the timeout of all attempts: the first one may use a connection that broke while the
// function was frozen.
func attemptTimeout(timeout time.Duration) time.Duration { return timeout * 5 / 8 }

// bus accepts events.
type bus interface {
	// put sends entries in one request. For each entry it returns the error code, which is empty if the bus accepted the entry.
	put(ctx context.Context, entries []entry) ([]string, error)
	// retryable reports whether a request that failed with err is worth another attempt.
	retryable(err error) bool
}

// send puts entries on the bus. It sends the entries that were refused again until no attempt or no time is left.
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

// refusedError lists the codes of the entries that a bus refused.
type refusedError []string

func (e refusedError) Error() string { return "refused by the bus: " + strings.Join(e, ", ") }

// attempt makes one request and returns the entries that the bus did not accept.
func (p *Publisher) attempt(ctx context.Context, entries []entry) ([]entry, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout(p.config.Timeout))
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

// pause waits. It returns false if the context ends first.
func pause(ctx context.Context, duration time.Duration) bool {
	select {
	case <-time.After(duration):
		return true
	case <-ctx.Done():
		return false
	}
}
