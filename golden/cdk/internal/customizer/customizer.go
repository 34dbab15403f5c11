package customizer

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"example.com/cdk/internal/pretoken"
	"example.com/cdk/internal/rawjson"
)

// Customizer applies a policy to events.
type Customizer struct {
	policy Policy
}

// New returns a customizer, or an error that lists everything in the policy that Cognito would refuse.
func New(policy Policy) (*Customizer, error) {
	if err := policy.check(); err != nil {
		return nil, errors.New("policy: " + err.Error())
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
	if c.policy.Lookup != nil {
		c.policy.Lookup.addTo(ctx, draft, event)
	}
	response := draft.response(c.policy.MaxSize)
	if len(draft.problems) > 0 && c.policy.OnProblem == Fail {
		return pretoken.Response{}, draft.problems, ErrRefused
	}
	return response, draft.problems, nil
}

// draft gathers what the rules and the lookup ask for.
type draft struct {
	event                     *pretoken.Event
	tokens                    []*tokenDraft
	addScopes, suppressScopes []string
	problems                  []Problem
}

// tokenDraft is the draft of one token's claims. Names keeps the order in which they came, which the size budget goes by.
type tokenDraft struct {
	token    Tokens
	names    []string
	claims   map[string]rawjson.Value
	suppress []string
}

func newDraft(event *pretoken.Event) *draft {
	d := &draft{event: event}
	for _, token := range []Tokens{IDToken, AccessToken} {
		d.tokens = append(d.tokens, &tokenDraft{token: token, claims: map[string]rawjson.Value{}})
	}
	return d
}

func (d *draft) problem(name string, reason error) {
	problem := Problem{Name: name, Reason: reason.Error()}
	if !slices.Contains(d.problems, problem) {
		d.problems = append(d.problems, problem)
	}
}

// refuse leaves a claim out of tokens. What an earlier rule has put there goes too: the claim was to have another value.
func (d *draft) refuse(tokens Tokens, name string, reason error) {
	d.problem(name, reason)
	for _, token := range d.tokens {
		if tokens.has(token.token) {
			delete(token.claims, name)
			token.names = slices.DeleteFunc(token.names, func(given string) bool { return given == name })
		}
	}
}

func (d *draft) apply(rule Rule) {
	for _, claim := range rule.Claims {
		value, err := claim.From.value(d.event)
		switch {
		case err != nil:
			d.refuse(rule.Tokens, claim.Name, err)
		case value != nil:
			d.claim(rule.Tokens, claim.Name, value)
		}
	}
	for _, token := range d.tokens {
		if rule.Tokens.has(token.token) {
			token.suppress = append(token.suppress, rule.SuppressClaims...)
		}
	}
	d.addScopes = append(d.addScopes, rule.AddScopes...)
	d.suppressScopes = append(d.suppressScopes, rule.SuppressScopes...)
}

// add takes what a lookup found, as far as the policy names it, in the order of the policy.
func (d *draft) add(found Found, lookup Lookup) {
	for _, name := range lookup.Claims {
		value, ok := found.Claims[name]
		if !ok {
			continue
		}
		encoded, err := encode(value)
		if err != nil {
			d.refuse(lookup.Tokens, name, err)
			continue
		}
		d.claim(lookup.Tokens, name, encoded)
	}
	for _, scope := range lookup.Scopes {
		if slices.Contains(found.Scopes, scope) {
			d.addScopes = append(d.addScopes, scope)
		}
	}
}

func (d *draft) claim(tokens Tokens, name string, value rawjson.Value) {
	for _, token := range d.tokens {
		if !tokens.has(token.token) {
			continue
		}
		err := checkName(token.token, name)
		if err == nil {
			err = checkValue(token.token, name, value, d.event.ClientID)
		}
		if err != nil {
			d.refuse(token.token, name, err)
			continue
		}
		if _, again := token.claims[name]; !again {
			token.names = append(token.names, name)
		}
		token.claims[name] = value
	}
}

// response lets suppression win and keeps each token within its budget: what came first stays, claims before scopes.
func (d *draft) response(maxSize int) pretoken.Response {
	var response pretoken.Response
	for _, token := range d.tokens {
		left := maxSize
		fits := func(name string, size int) bool {
			if size > left {
				d.problem(name, errors.New("does not fit into the "+strconv.Itoa(maxSize)+" bytes for claims and scopes"))
				return false
			}
			left -= size
			return true
		}
		for _, name := range token.names {
			if slices.Contains(token.suppress, name) || !fits(name, len(name)+len(token.claims[name])) {
				delete(token.claims, name)
			}
		}
		changes := pretoken.Changes{Claims: token.claims, Suppress: unique(token.suppress)}
		if token.token == IDToken {
			response.IDToken = changes
			continue
		}
		changes.SuppressScopes = unique(d.suppressScopes)
		changes.AddScopes = slices.DeleteFunc(unique(d.addScopes), func(scope string) bool {
			return slices.Contains(d.suppressScopes, scope) || !fits(scope, len(scope))
		})
		response.AccessToken = changes
	}
	return response
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
