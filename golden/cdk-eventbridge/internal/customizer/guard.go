package customizer

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"example.com/cdk-eventbridge/internal/rawjson"
)

// check lists what is wrong with the policy whatever event comes.
func (p Policy) check() error {
	var mistakes []error
	for i, rule := range p.Rules {
		mistake := func(what, name string, err error) {
			if err != nil {
				mistakes = append(mistakes, errors.New("rule "+strconv.Itoa(i+1)+": "+what+" "+strconv.Quote(name)+": "+err.Error()))
			}
		}
		for _, claim := range rule.Claims {
			mistake("claim", claim.Name, claim.check(rule.Tokens))
		}
		for _, name := range rule.SuppressClaims {
			mistake("suppressed claim", name, checkSuppress(name))
		}
		for _, scope := range slices.Concat(rule.AddScopes, rule.SuppressScopes) {
			mistake("scope", scope, checkScope(scope))
		}
		for _, source := range rule.TriggerSources {
			if !source.Known() {
				mistake("trigger source", string(source), errors.New("unknown"))
			}
		}
	}
	if p.Lookup != nil {
		for _, err := range p.Lookup.check() {
			mistakes = append(mistakes, errors.New("lookup: "+err.Error()))
		}
	}
	if p.MaxSize <= 0 {
		mistakes = append(mistakes, errors.New("MaxSize has to be above 0"))
	}
	return errors.Join(mistakes...)
}

func (c Claim) check(tokens Tokens) error {
	if c.From.value == nil {
		return errors.New("it needs a source: Attribute, Groups, ClientID or Static")
	}
	for _, token := range []Tokens{IDToken, AccessToken} {
		if !tokens.has(token) {
			continue
		}
		if err := checkName(token, c.Name); err != nil {
			return err
		}
		if !c.From.static || c.Name == "aud" { // aud is right for one app client only
			continue
		}
		value, err := c.From.value(nil)
		if err == nil {
			err = checkValue(token, c.Name, value, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Cognito's rules for what a trigger may change. Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
var (
	// unchangeable claims are set by Cognito alone.
	unchangeable = []string{
		"acr", "amr", "at_hash", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities", "iss", "jti",
		"nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version",
	}
	// simple claims of the ID token hold neither an array nor an object.
	simple = []string{"address", "email_verified", "phone_number_verified", "updated_at"}
)

// checkName tells why a claim cannot be added to a token, or nil.
func checkName(token Tokens, name string) error {
	switch {
	case strings.HasPrefix(name, "dev:"):
		return errors.New("a dev: claim can only be suppressed")
	case strings.HasPrefix(name, "cognito:"):
		return errors.New("a cognito: claim cannot be set")
	case name == "aud" && token == AccessToken:
		return nil
	}
	return checkChange(name)
}

// checkSuppress tells why a claim cannot be left out of a token, or nil. Without cognito:groups a token has no cognito:roles and no
// cognito:preferred_role either.
func checkSuppress(name string) error {
	if strings.HasPrefix(name, "cognito:") && name != "cognito:groups" {
		return errors.New("of the cognito: claims only cognito:groups can be suppressed")
	}
	return checkChange(name)
}

func checkChange(name string) error {
	switch {
	case name == "":
		return errors.New("a claim needs a name")
	case name == "scope":
		return errors.New("scope changes through AddScopes and SuppressScopes")
	case name == "aud" || slices.Contains(unchangeable, name):
		return errors.New("only Cognito can set it")
	}
	return nil
}

// checkValue tells why a claim that checkName accepts cannot have the value in a token of the app client, or nil.
func checkValue(token Tokens, name string, value rawjson.Value, clientID string) error {
	if name == "aud" {
		if !bytes.Equal(value, rawjson.String(clientID)) {
			return errors.New("aud can only be the id of the app client")
		}
		return nil
	}
	switch shapeOf(value) {
	case scalar:
		return nil
	case array:
		for item := range value.Elements() {
			if shapeOf(item) != scalar {
				return errors.New("an array can hold strings, numbers and booleans only")
			}
		}
	case object:
	default:
		return errors.New("null is not a value")
	}
	if token == IDToken && slices.Contains(simple, name) {
		return errors.New("it cannot be an array or an object in an ID token")
	}
	return nil
}

// checkScope tells why a scope cannot be added or suppressed, or nil. Source: RFC 6749, section 3.3.
func checkScope(scope string) error {
	if scope == "" {
		return errors.New("a scope needs a name")
	}
	for _, char := range []byte(scope) {
		if char <= ' ' || char == '"' || char == '\\' || char > '~' {
			return errors.New("a scope has printable ASCII characters only, and no space, quote or backslash")
		}
	}
	return nil
}

// shape is what Cognito tells apart in the value of a claim.
type shape int

const (
	null shape = iota
	scalar
	array
	object
)

func shapeOf(value rawjson.Value) shape {
	switch value.Kind() {
	case 'n':
		return null
	case '[':
		return array
	case '{':
		return object
	}
	return scalar
}
