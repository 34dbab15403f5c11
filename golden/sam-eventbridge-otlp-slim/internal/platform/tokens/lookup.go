package tokens

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/pretoken"
)

// Lookup asks something outside the function, such as a table of tenants, about the user. See docs/lookup.md.
type Lookup struct {
	// Find returns what it found. Only the kind of its error is logged, such as AccessDeniedException or timeout, since texts tend to carry
	// personal data. It must not change the event. If it goes on after ctx ends, its result is ignored. It is called for machines too, which
	// have no attributes and no sub.
	Find func(ctx context.Context, event *pretoken.Event) (Found, error)
	// Timeout bounds Find. The user waits for it at every sign-in and token refresh, and Cognito gives the whole function 5 s.
	Timeout time.Duration
	// Claims names every claim that Find may bring. These names are logged and published, so a name that Find makes up is left out: it may say
	// something about the user.
	Claims []string
	// Scopes names every scope that Find may bring, for the same reason.
	Scopes []string
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

// Finder is a Lookup. The interface keeps code that only a lookup needs out of a function without one.
type Finder interface {
	check(version pretoken.Version) []error
	addTo(ctx context.Context, draft *draft, event *pretoken.Event)
}

func (l Lookup) check(version pretoken.Version) []error {
	if l.Find == nil {
		return []error{errors.New("it needs Find; leave Lookup nil for none")}
	}
	var mistakes []error
	if l.Timeout <= 0 {
		mistakes = append(mistakes, errors.New("it needs a timeout"))
	}
	if err := checkTokens(version, l.Tokens); err != nil {
		mistakes = append(mistakes, err)
	}
	if len(l.Claims)+len(l.Scopes) == 0 {
		mistakes = append(mistakes, errors.New("it needs Claims or Scopes, the names of what it may bring"))
	}
	for _, name := range l.Claims {
		for _, token := range tokensOf(version) {
			if err := checkName(token, name); l.Tokens.has(token) && err != nil {
				mistakes = append(mistakes, errors.New("claim "+strconv.Quote(name)+": "+err.Error()))
				break
			}
		}
	}
	for _, scope := range l.Scopes {
		if err := checkScope(version, scope); err != nil {
			mistakes = append(mistakes, errors.New("scope "+strconv.Quote(scope)+": "+err.Error()))
		}
	}
	return mistakes
}

func (l Lookup) addTo(ctx context.Context, draft *draft, event *pretoken.Event) {
	found, err := l.find(ctx, event)
	if err != nil {
		draft.problem("lookup", err)
	}
	if !l.declares(found) {
		draft.problem("lookup", errors.New("brought what the policy does not name"))
	}
	draft.add(found, l)
}

// declares reports whether the policy names everything that was found.
func (l Lookup) declares(found Found) bool {
	for name := range found.Claims {
		if !slices.Contains(l.Claims, name) {
			return false
		}
	}
	for _, scope := range found.Scopes {
		if !slices.Contains(l.Scopes, scope) {
			return false
		}
	}
	return true
}

// answerMargin is kept between the end of a lookup and the deadline of the invocation, for writing the answer.
const answerMargin = 500 * time.Millisecond

// find calls Find and returns in time, even if Find does not.
func (l Lookup) find(ctx context.Context, event *pretoken.Event) (Found, error) {
	end := time.Now().Add(l.Timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerMargin).Before(end) {
		end = deadline.Add(-answerMargin)
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()

	find := traced(l.Find)
	type result struct {
		found Found
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if recovered := recover(); recovered != nil {
				done <- result{err: panicError(recovered)}
			}
		}()
		found, err := find(ctx, event)
		if err != nil {
			err = failed(err)
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
