package tokens

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/rawjson"
)

// Problem is a claim or scope that could not be given, or a rule or lookup that failed. It holds no value.
type Problem struct {
	// Name is that of the claim or scope, "lookup", or the number of the rule, such as "rule 2".
	Name string
	// Reason continues the sentence: "attribute is not a number".
	Reason string
}

// ErrRefused says that the policy fails the sign-in because of its problems.
var ErrRefused = errors.New("refused because of problems")

// Customize returns what to change in the tokens of the event, and the problems on the way. With the policy's OnProblem at Fail, any
// problem gives ErrRefused.
func (h *Handler) Customize(ctx context.Context, event *pretoken.Event) (pretoken.Response, []Problem, error) {
	draft := newDraft(event, h.trigger)
	for i, rule := range h.policy.Rules {
		switch applies, err := rule.appliesTo(event); {
		case err != nil:
			draft.problem("rule "+strconv.Itoa(i+1), errors.New("its condition "+err.Error()))
			draft.withhold(rule)
		case applies:
			draft.apply(rule)
		}
	}
	if h.policy.Lookup != nil {
		h.policy.Lookup.addTo(ctx, draft, event)
	}
	response := draft.response(h.policy.MaxSize)
	if len(draft.problems) > 0 && h.policy.OnProblem == Fail {
		return pretoken.Response{}, draft.problems, ErrRefused
	}
	return response, draft.problems, nil
}

// draft gathers what the rules and the lookup ask for.
type draft struct {
	event                     *pretoken.Event
	version                   pretoken.Version
	tokens                    []*tokenDraft
	addScopes, suppressScopes []string
	problems                  []Problem
}

// tokenDraft is the draft of one token's claims. Names keeps the order in which they came: if they do not all fit, the first ones stay.
type tokenDraft struct {
	token    Tokens
	names    []string
	claims   map[string]rawjson.Value
	suppress []string
}

func newDraft(event *pretoken.Event, version pretoken.Version) *draft {
	d := &draft{event: event, version: version}
	for _, token := range tokensOf(version) {
		if token == IDToken && event.TriggerSource == pretoken.ClientCredentials {
			continue
		}
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

// refuse leaves a claim out of tokens because of a problem.
func (d *draft) refuse(tokens Tokens, name string, reason error) {
	d.problem(name, reason)
	d.remove(tokens, name)
}

// remove leaves a claim out of tokens. What an earlier rule has put there goes too: the claim was to have another value.
func (d *draft) remove(tokens Tokens, name string) {
	for _, token := range d.tokens {
		if tokens.has(token.token) {
			delete(token.claims, name)
			token.names = slices.DeleteFunc(token.names, func(given string) bool { return given == name })
		}
	}
}

func (d *draft) apply(rule Rule) {
	for _, claim := range rule.Claims {
		value, err := valueOf(claim.From, d.event)
		switch {
		case err != nil:
			d.refuse(rule.Tokens, claim.Name, err)
		case value != nil:
			d.claim(rule.Tokens, claim.Name, value)
		}
	}
	d.suppress(rule)
	d.addScopes = append(d.addScopes, rule.AddScopes...)
}

// withhold is for a rule of which nobody knows whether it applies: its claims are left out, whoever gave them, and so is what it suppresses.
func (d *draft) withhold(rule Rule) {
	for _, claim := range rule.Claims {
		d.remove(rule.Tokens, claim.Name)
	}
	d.suppress(rule)
}

func (d *draft) suppress(rule Rule) {
	for _, token := range d.tokens {
		if rule.Tokens.has(token.token) {
			token.suppress = append(token.suppress, rule.SuppressClaims...)
		}
	}
	d.suppressScopes = append(d.suppressScopes, rule.SuppressScopes...)
}

// add takes what a lookup found, as far as the policy names it, in the order of the policy.
func (d *draft) add(found Found, lookup Lookup) {
	for _, name := range lookup.Claims {
		value, ok := found.Claims[name]
		if !ok {
			continue
		}
		encoded, err := valueOf(Static(value), d.event)
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
		token.claims[name] = d.carried(value)
	}
}

// carried is a value as the version of the trigger carries it: version 1 has text only, so other values become the text of their JSON.
func (d *draft) carried(value rawjson.Value) rawjson.Value {
	if d.version == pretoken.V1 && value.Kind() != '"' {
		return rawjson.String(string(value))
	}
	return value
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
