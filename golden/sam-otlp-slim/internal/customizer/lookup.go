package customizer

import (
	"context"
	"errors"
	"reflect"
	"time"

	"example.com/sam-otlp-slim/internal/pretoken"
)

// Lookup asks something outside the function, such as a table of tenants, about the user.
type Lookup struct {
	// Find returns what it found. Of its error only the type is logged, since texts tend to carry personal data. It must not change
	// the event, and once ctx ends nobody waits for it.
	Find func(ctx context.Context, event *pretoken.Event) (Found, error)
	// Timeout bounds Find. The user waits for it at every sign-in and token refresh, and Cognito gives the whole function 5 s.
	Timeout time.Duration
	// Tokens restricts the claims that are found to one kind of token.
	Tokens Tokens
}

// Found is what a lookup adds to tokens.
type Found struct {
	// Claims by name, with values as for Static.
	Claims map[string]any
	// Scopes are added to the access token.
	Scopes []string
}

// Finder is a Lookup.
type Finder interface {
	check() error
	addTo(ctx context.Context, draft *draft, event *pretoken.Event)
}

func (l Lookup) check() error {
	if l.Find != nil && l.Timeout <= 0 {
		return errors.New("it needs a timeout")
	}
	return nil
}

func (l Lookup) addTo(ctx context.Context, draft *draft, event *pretoken.Event) {
	if l.Find == nil {
		return
	}
	found, err := l.find(ctx, event)
	if err != nil {
		draft.problem("lookup", err)
	}
	draft.add(found, l.Tokens)
}

// answerMargin is kept between the end of a lookup and the deadline of the invocation, for writing the answer.
const answerMargin = 500 * time.Millisecond

// find calls Find and returns in time whether Find does or not.
func (l Lookup) find(ctx context.Context, event *pretoken.Event) (Found, error) {
	end := time.Now().Add(l.Timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerMargin).Before(end) {
		end = deadline.Add(-answerMargin)
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()

	type result struct {
		found Found
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if recovered := recover(); recovered != nil {
				done <- result{err: errors.New("panicked with a " + reflect.TypeOf(recovered).String())}
			}
		}()
		found, err := l.Find(ctx, event)
		if err != nil {
			err = errors.New("failed with a " + reflect.TypeOf(err).String())
		}
		done <- result{found, err}
	}()
	select {
	case result := <-done:
		return result.found, result.err
	case <-ctx.Done():
		return Found{}, errors.New("took too long")
	}
}
