// Package customizer decides what goes into ID tokens: the policy that you edit (policy.go), the words it is written in (rules.go), the
// guard rails that keep it within what Cognito accepts (guard.go), and the handler that Lambda calls. Wire formats belong in pretoken.
package customizer

import (
	"slices"

	"example.com/sam-v1/internal/pretoken"
	"example.com/sam-v1/internal/rawjson"
)

// Policy is what the function does to ID tokens. Its rules are applied in their order, then the lookup's findings: a later claim takes
// the place of an earlier one of the same name, and a suppressed claim stays out whoever adds it.
type Policy struct {
	Rules []Rule
	// Lookup finds more claims while the user waits. Leave it nil for none.
	Lookup Finder
	// OnProblem says what happens when the lookup fails or brings what Cognito would refuse, or when a claim does not fit.
	OnProblem Action
	// MaxSize bounds the names and values that are added to the token, in bytes; once it is encoded they take a third more. Headers of 8 KB
	// and less stand in front of most APIs.
	MaxSize int
}

// Action is what happens to a sign-in that meets a problem.
type Action int

const (
	// Drop leaves out the claim at fault, logs its name, and lets the user in.
	Drop Action = iota
	// Fail refuses the sign-in, and token refresh too.
	Fail
)

// Rule adds to the ID token and takes from it. Everything that it leaves empty does not restrict it.
type Rule struct {
	// Clients restricts the rule to app clients, by id.
	Clients []string
	// TriggerSources restricts the rule to reasons for making tokens.
	TriggerSources []pretoken.TriggerSource

	Claims         []Claim
	SuppressClaims []string
}

func (r Rule) appliesTo(event *pretoken.Event) bool {
	return (len(r.Clients) == 0 || slices.Contains(r.Clients, event.ClientID)) &&
		(len(r.TriggerSources) == 0 || slices.Contains(r.TriggerSources, event.TriggerSource))
}

// Claim puts a value into the ID token. An empty value (an attribute that the user does not have, no groups) leaves the claim out.
type Claim struct {
	Name string
	From Source
}

// Source is where the value of a claim comes from: Attribute, AttributeList, Groups or Static. Version 1 of the trigger carries text alone.
type Source func(*pretoken.Event) string

// Attribute takes a user attribute, such as "email" or "custom:tenant_id".
func Attribute(name string) Source {
	return func(event *pretoken.Event) string { return event.Attributes[name] }
}

// AttributeList takes a user attribute that has several values, and gives them as the text of a JSON array. It reads a JSON array, and what
// Cognito makes of a list in a SAML assertion, such as "[admins, on call]".
func AttributeList(name string) Source {
	return func(event *pretoken.Event) string { return arrayOf(list(event.Attributes[name])) }
}

// Groups takes the names of the user's groups as the text of a JSON array: a comma is allowed in the name of a group. The groups of an
// identity provider come after them, where attributes that have lists of these are named.
func Groups(attributes ...string) Source {
	return func(event *pretoken.Event) string { return arrayOf(groups(event, attributes)) }
}

// arrayOf is the text of a JSON array, or empty where there is nothing in it.
func arrayOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return string(rawjson.Strings(values))
}

// Static takes one value for everybody.
func Static(value string) Source {
	return func(*pretoken.Event) string { return value }
}
