// Package tokens decides what goes into tokens. It has the words that a policy is written in (policy.go, source.go, names.go, lookup.go), the
// guard rails that keep a policy within what Cognito accepts (guard.go), and the handler that Lambda calls. Wire formats belong in pretoken.
package tokens

import (
	"errors"
	"reflect"
	"slices"

	"example.com/sam-otlp/internal/platform/pretoken"
)

// Policy is what the function does to tokens. Its rules are applied in order, then what the lookup found: a later claim replaces an
// earlier one of the same name, and a suppressed claim or scope stays out even if another rule adds it.
//
// A policy works with every version of the trigger. Version 1 changes only ID tokens and carries only text: New refuses access tokens and
// scopes, and values of other types become the text of their JSON.
type Policy struct {
	Rules []Rule
	// Lookup finds more claims and scopes while the user waits. Leave it nil for none.
	Lookup Finder
	// OnProblem says what happens when the event or the lookup brings something that Cognito would refuse, or when the lookup fails.
	OnProblem Action
	// MaxSize bounds the names and values that are added to one token, in bytes. Encoded, they take a third more. Most APIs sit behind
	// servers that accept headers of 8 KB or less.
	MaxSize int
}

// Action is what happens to a sign-in that meets a problem.
type Action int

const (
	// Drop leaves out the claim or scope at fault, logs its name, and lets the user in.
	Drop Action = iota
	// Fail refuses the sign-in, and token refresh too.
	Fail
)

// Rule adds to tokens and takes from them. It applies to events that meet all of its restrictions; one that is left empty restricts nothing.
type Rule struct {
	// Clients restricts the rule to app clients, by id.
	Clients []string
	// TriggerSources restricts the rule to reasons for making tokens.
	TriggerSources []pretoken.TriggerSource
	// Providers restricts the rule to users of identity providers, by name: "Google", the name of a SAML provider, or "Cognito" for users
	// without one. See [pretoken.Event.HasProvider].
	Providers []string
	// When restricts the rule to events for which it returns true. It must not change the event. If it panics, the rule gives
	// nothing, and the claims that it would give or suppress stay out of the tokens, as do the scopes that it would suppress.
	When func(*pretoken.Event) bool
	// Tokens restricts Claims and SuppressClaims to one kind of token. Machines have no ID token.
	Tokens Tokens

	Claims         []Claim
	SuppressClaims []string
	// AddScopes and SuppressScopes change the access token, the only one with scopes.
	AddScopes      []string
	SuppressScopes []string
}

// appliesTo reports whether the event meets the rule's restrictions. Its error says that When panicked.
func (r Rule) appliesTo(event *pretoken.Event) (applies bool, err error) {
	switch {
	case len(r.Clients) > 0 && !slices.Contains(r.Clients, event.ClientID):
		return false, nil
	case len(r.TriggerSources) > 0 && !slices.Contains(r.TriggerSources, event.TriggerSource):
		return false, nil
	case len(r.Providers) > 0 && !slices.ContainsFunc(r.Providers, event.HasProvider):
		return false, nil
	case r.When == nil:
		return true, nil
	}
	defer func() {
		if recovered := recover(); recovered != nil {
			err = panicError(recovered)
		}
	}()
	return r.When(event), nil
}

// panicError says what kind of value a policy's own code panicked with. The value itself may be personal data.
func panicError(recovered any) error {
	return errors.New("panicked with a " + reflect.TypeOf(recovered).String())
}

// Tokens is a set of kinds of token. The zero value stands for all that the trigger can change.
type Tokens int

const (
	// IDToken tells the app who the user is.
	IDToken Tokens = 1 << iota
	// AccessToken tells an API what its caller may do.
	AccessToken
)

func (t Tokens) has(token Tokens) bool { return t == 0 || t&token != 0 }

// tokensOf are the tokens that a version of the trigger changes.
func tokensOf(version pretoken.Version) []Tokens {
	if version == pretoken.V1 {
		return []Tokens{IDToken}
	}
	return []Tokens{IDToken, AccessToken}
}

// Claim puts a value into tokens. An empty value (an attribute that the user does not have, no groups) leaves the claim out.
type Claim struct {
	Name string
	From Source
}
