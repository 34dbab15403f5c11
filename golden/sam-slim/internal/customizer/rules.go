// Package customizer decides what goes into tokens: the policy that you edit (policy.go), the words it is written in (rules.go), the
// guard rails that keep it within what Cognito accepts (guard.go), and the handler that Lambda calls. Wire formats belong in pretoken.
package customizer

import (
	"errors"
	"slices"

	"example.com/sam-slim/internal/pretoken"
	"example.com/sam-slim/internal/rawjson"
)

// Policy is what the function does to tokens. Its rules are applied in their order, then the lookup's findings: a later claim takes
// the place of an earlier one of the same name, and a suppressed claim or scope stays out whoever adds it.
type Policy struct {
	Rules []Rule
	// Lookup finds more claims and scopes while the user waits. Leave it nil for none.
	Lookup Finder
	// OnProblem says what happens when an attribute or the lookup brings what Cognito would refuse, or when the lookup fails.
	OnProblem Action
	// MaxSize bounds the names and values that are added to one token, in bytes; once it is encoded they take a third more. Headers of 8 KB
	// and less stand in front of most APIs.
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

// Rule adds to tokens and takes from them. Everything that it leaves empty does not restrict it.
type Rule struct {
	// Clients restricts the rule to app clients, by id.
	Clients []string
	// TriggerSources restricts the rule to reasons for making tokens.
	TriggerSources []pretoken.TriggerSource
	// Tokens restricts Claims and SuppressClaims to one kind of token.
	Tokens Tokens

	Claims         []Claim
	SuppressClaims []string
	// AddScopes and SuppressScopes change the access token, the only one with scopes.
	AddScopes      []string
	SuppressScopes []string
}

func (r Rule) appliesTo(event *pretoken.Event) bool {
	return (len(r.Clients) == 0 || slices.Contains(r.Clients, event.ClientID)) &&
		(len(r.TriggerSources) == 0 || slices.Contains(r.TriggerSources, event.TriggerSource))
}

// Tokens is a set of kinds of token. The zero value stands for both.
type Tokens int

const (
	// IDToken tells the app who the user is.
	IDToken Tokens = 1 << iota
	// AccessToken tells an API what its caller may do.
	AccessToken
)

func (t Tokens) has(token Tokens) bool { return t == 0 || t&token != 0 }

// Claim puts a value into tokens. An empty value (an attribute that the user does not have, no groups) leaves the claim out.
type Claim struct {
	Name string
	From Source
}

// Source is where the value of a claim comes from: Attribute, AttributeAs, Groups, ClientID or Static.
type Source struct {
	// value is nil, nil where the event has nothing for the claim.
	value func(*pretoken.Event) (rawjson.Value, error)
	// static tells that value is the same for every event, so that New can check it.
	static bool
}

// Attribute takes the text of a user attribute, such as "email" or "custom:tenant_id".
func Attribute(name string) Source { return AttributeAs(name, String) }

// AttributeAs takes a user attribute and reads its text as another type.
func AttributeAs(name string, as Type) Source {
	return Source{value: func(event *pretoken.Event) (rawjson.Value, error) {
		text, found := event.Attributes[name]
		if !found {
			return nil, nil
		}
		return as.read(text)
	}}
}

// Groups takes the names of the user's groups, as an array. The groups of an identity provider come after them, where attributes that have
// lists of these are named.
func Groups(attributes ...string) Source {
	return Source{value: func(event *pretoken.Event) (rawjson.Value, error) { return arrayOf(groups(event, attributes)), nil }}
}

// arrayOf is an array of texts, or nothing where there are none.
func arrayOf(values []string) rawjson.Value {
	if len(values) == 0 {
		return nil
	}
	return rawjson.Strings(values)
}

// ClientID takes the id of the app client: the only value that Cognito accepts for the claim aud of an access token.
func ClientID() Source {
	return Source{value: func(event *pretoken.Event) (rawjson.Value, error) { return rawjson.String(event.ClientID), nil }}
}

// Static takes one value for everybody: a string, number or boolean, a slice or map of these, or what has a method MarshalJSON, as a struct needs it.
func Static(value any) Source {
	return Source{static: true, value: func(*pretoken.Event) (rawjson.Value, error) { return encode(value) }}
}

// Type is how the text of an attribute is read.
type Type int

const (
	// String takes the text as it is.
	String Type = iota
	// Number takes a JSON number, of any size and precision.
	Number
	// Boolean takes true or false.
	Boolean
	// JSON takes any JSON but null, and arrays of strings, numbers and booleans only.
	JSON
	// List takes an attribute that has several values, as an array of strings. It reads a JSON array, and what Cognito makes of a list in a
	// SAML assertion, such as "[admins, on call]".
	List
)

func (t Type) read(text string) (rawjson.Value, error) {
	switch t {
	case String:
		return rawjson.String(text), nil
	case List:
		return arrayOf(list(text)), nil
	}
	value, err := rawjson.Parse([]byte(text))
	valid := err == nil
	switch kind := value.Kind(); t {
	case Number:
		valid = valid && (kind == '-' || '0' <= kind && kind <= '9')
	case Boolean:
		valid = valid && (kind == 't' || kind == 'f')
	}
	if !valid {
		return nil, errors.New("attribute is not " + [...]string{Number: "a number", Boolean: "true or false", JSON: "JSON"}[t])
	}
	return value, nil
}
