package customizer

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"example.com/sam-v1/internal/pretoken"
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

// Problem is a claim that could not be given, or a lookup that brought nothing. It holds no value.
type Problem struct {
	// Name is that of the claim, or "lookup".
	Name string
	// Reason goes on after the name: "does not fit into the 2048 bytes for claims".
	Reason string
}

// ErrRefused says that the policy fails the sign-in because of its problems.
var ErrRefused = errors.New("refused because of problems")

// Customize returns what to change in the ID token of the event, and the problems on the way. With the policy's OnProblem at Fail, any
// problem gives ErrRefused.
func (c *Customizer) Customize(ctx context.Context, event *pretoken.Event) (pretoken.Response, []Problem, error) {
	draft := &draft{response: pretoken.Response{Claims: map[string]string{}}}
	for _, rule := range c.policy.Rules {
		if !rule.appliesTo(event) {
			continue
		}
		for _, claim := range rule.Claims {
			if value := claim.From(event); value != "" {
				draft.claim(claim.Name, value)
			}
		}
		draft.response.Suppress = append(draft.response.Suppress, rule.SuppressClaims...)
	}
	if c.policy.Lookup != nil {
		c.policy.Lookup.addTo(ctx, draft, event)
	}
	draft.finish(c.policy.MaxSize)
	if len(draft.problems) > 0 && c.policy.OnProblem == Fail {
		return pretoken.Response{}, draft.problems, ErrRefused
	}
	return draft.response, draft.problems, nil
}

// draft gathers what the rules and the lookup ask for. Names keeps the order in which claims came, which the size budget goes by.
type draft struct {
	names    []string
	response pretoken.Response
	problems []Problem
}

func (d *draft) problem(name string, reason error) {
	d.problems = append(d.problems, Problem{Name: name, Reason: reason.Error()})
}

// add takes what a lookup found, as far as the policy names it, in the order of the policy.
func (d *draft) add(found Found, lookup Lookup) {
	for _, name := range lookup.Claims {
		if value, ok := found.Claims[name]; ok {
			d.claim(name, value)
		}
	}
}

func (d *draft) claim(name, value string) {
	if err := checkName(name); err != nil {
		d.problem(name, err)
		return
	}
	if _, again := d.response.Claims[name]; !again {
		d.names = append(d.names, name)
	}
	d.response.Claims[name] = value
}

// finish lets suppression win and keeps the token within its budget: what came first stays.
func (d *draft) finish(maxSize int) {
	slices.Sort(d.response.Suppress)
	d.response.Suppress = slices.Compact(d.response.Suppress)
	size := 0
	for _, name := range d.names {
		cost := len(name) + len(d.response.Claims[name])
		switch {
		case slices.Contains(d.response.Suppress, name):
			delete(d.response.Claims, name)
		case size+cost > maxSize:
			d.problem(name, errors.New("does not fit into the "+strconv.Itoa(maxSize)+" bytes for claims"))
			delete(d.response.Claims, name)
		default:
			size += cost
		}
	}
}
