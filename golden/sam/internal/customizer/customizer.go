package customizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/sam/internal/pretoken"
)

// Customizer applies a policy to events.
type Customizer struct {
	policy Policy
}

// New returns a customizer, or an error that lists everything in the policy that Cognito would refuse.
func New(policy Policy) (*Customizer, error) {
	if err := policy.check(); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return &Customizer{policy: policy}, nil
}

// Problem is a claim or scope that could not be given, or a lookup that brought nothing. It holds no value.
type Problem struct {
	// Name is that of the claim or scope, or "lookup".
	Name string
	// Reason goes on after the name: "attribute is not a number".
	Reason string
}

// ErrRefused says that the policy fails the sign-in because of its problems.
var ErrRefused = errors.New("refused because of problems")

// Customize returns what to change in the tokens of the event, and the problems on the way. With the policy's OnProblem at Fail, any
// problem gives ErrRefused.
func (c *Customizer) Customize(ctx context.Context, event *pretoken.Event) (pretoken.Response, []Problem, error) {
	draft := newDraft(event)
	for _, rule := range c.policy.Rules {
		if rule.appliesTo(event) {
			draft.apply(rule)
		}
	}
	if lookup := c.policy.Lookup; lookup.Find != nil {
		found, err := lookup.find(ctx, event)
		if err != nil {
			draft.problem("lookup", err)
		}
		draft.add(found, lookup.Tokens)
	}
	response := draft.response(c.policy.MaxSize)
	if len(draft.problems) > 0 && c.policy.OnProblem == Fail {
		return pretoken.Response{}, draft.problems, ErrRefused
	}
	return response, draft.problems, nil
}

// draft gathers what the rules and the lookup ask for.
type draft struct {
	event    *pretoken.Event
	tokens   []*tokenDraft
	problems []Problem
}

// tokenDraft is the draft of one token. Names keeps the order in which claims came, which the size budget goes by.
type tokenDraft struct {
	token   Tokens
	names   []string
	changes pretoken.Changes
}

func newDraft(event *pretoken.Event) *draft {
	d := &draft{event: event}
	for _, token := range []Tokens{IDToken, AccessToken} {
		d.tokens = append(d.tokens, &tokenDraft{token: token, changes: pretoken.Changes{Claims: map[string]json.RawMessage{}}})
	}
	return d
}

func (d *draft) problem(name string, reason error) {
	problem := Problem{Name: name, Reason: reason.Error()}
	if !slices.Contains(d.problems, problem) {
		d.problems = append(d.problems, problem)
	}
}

func (d *draft) apply(rule Rule) {
	for _, claim := range rule.Claims {
		value, err := claim.From.value(d.event)
		switch {
		case err != nil:
			d.problem(claim.Name, err)
		case value != nil:
			d.claim(rule.Tokens, claim.Name, value)
		}
	}
	for _, token := range d.tokens {
		if rule.Tokens.has(token.token) {
			token.changes.Suppress = append(token.changes.Suppress, rule.SuppressClaims...)
		}
		if token.token == AccessToken {
			token.changes.AddScopes = append(token.changes.AddScopes, rule.AddScopes...)
			token.changes.SuppressScopes = append(token.changes.SuppressScopes, rule.SuppressScopes...)
		}
	}
}

// add takes what a lookup found, which nobody has checked yet.
func (d *draft) add(found Found, tokens Tokens) {
	for _, name := range slices.Sorted(maps.Keys(found.Claims)) {
		value, err := encode(found.Claims[name])
		if err != nil {
			d.problem(name, err)
			continue
		}
		d.claim(tokens, name, value)
	}
	for _, scope := range found.Scopes {
		if err := checkScope(scope); err != nil {
			d.problem("scope of the lookup", err)
			continue
		}
		for _, token := range d.tokens {
			if token.token == AccessToken {
				token.changes.AddScopes = append(token.changes.AddScopes, scope)
			}
		}
	}
}

func (d *draft) claim(tokens Tokens, name string, value json.RawMessage) {
	for _, token := range d.tokens {
		if !tokens.has(token.token) {
			continue
		}
		err := checkName(token.token, name)
		if err == nil {
			err = checkValue(token.token, name, value, d.event.ClientID)
		}
		if err != nil {
			d.problem(name, err)
			continue
		}
		if _, again := token.changes.Claims[name]; !again {
			token.names = append(token.names, name)
		}
		token.changes.Claims[name] = value
	}
}

func (d *draft) response(maxSize int) pretoken.Response {
	var response pretoken.Response
	for _, token := range d.tokens {
		changes := d.finish(token, maxSize)
		if token.token == IDToken {
			response.IDToken = changes
		} else {
			response.AccessToken = changes
		}
	}
	return response
}

// finish lets suppression win and keeps the token within its budget: what came first stays.
func (d *draft) finish(token *tokenDraft, maxSize int) pretoken.Changes {
	changes := token.changes
	changes.Suppress = unique(changes.Suppress)
	changes.SuppressScopes = unique(changes.SuppressScopes)
	size := 0
	fits := func(name string, cost int) bool {
		if size+cost > maxSize {
			d.problem(name, fmt.Errorf("does not fit into the %d bytes for claims and scopes", maxSize))
			return false
		}
		size += cost
		return true
	}
	for _, name := range token.names {
		if slices.Contains(changes.Suppress, name) || !fits(name, len(name)+len(changes.Claims[name])) {
			delete(changes.Claims, name)
		}
	}
	changes.AddScopes = slices.DeleteFunc(unique(changes.AddScopes), func(scope string) bool {
		return slices.Contains(changes.SuppressScopes, scope) || !fits(scope, len(scope))
	})
	return changes
}

func unique(names []string) []string {
	var found []string
	for _, name := range names {
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// check lists what is wrong with the policy whatever event comes.
func (p Policy) check() error {
	var mistakes []error
	for i, rule := range p.Rules {
		mistake := func(what string, err error) {
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("rule %d: %s: %w", i+1, what, err))
			}
		}
		for _, claim := range rule.Claims {
			for _, token := range []Tokens{IDToken, AccessToken} {
				if rule.Tokens.has(token) {
					mistake(fmt.Sprintf("claim %q", claim.Name), claim.check(token))
				}
			}
		}
		for _, name := range rule.SuppressClaims {
			mistake(fmt.Sprintf("suppressed claim %q", name), checkSuppress(name))
		}
		for _, scope := range slices.Concat(rule.AddScopes, rule.SuppressScopes) {
			mistake(fmt.Sprintf("scope %q", scope), checkScope(scope))
		}
		for _, source := range rule.TriggerSources {
			if !source.Known() {
				mistake(fmt.Sprintf("trigger source %q", source), errors.New("unknown"))
			}
		}
	}
	if p.Lookup.Find != nil && p.Lookup.Timeout <= 0 {
		mistakes = append(mistakes, errors.New("lookup: it needs a timeout"))
	}
	if p.MaxSize <= 0 {
		mistakes = append(mistakes, errors.New("MaxSize has to be above 0"))
	}
	return errors.Join(mistakes...)
}

func (c Claim) check(token Tokens) error {
	if c.From.value == nil {
		return errors.New("it needs a source: Attribute, Groups, ClientID or Static")
	}
	if err := checkName(token, c.Name); err != nil || !c.From.static {
		return err
	}
	value, err := c.From.value(nil)
	if err != nil || c.Name == "aud" {
		return err
	}
	return checkValue(token, c.Name, value, "")
}
