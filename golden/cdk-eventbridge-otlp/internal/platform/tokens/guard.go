package tokens

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"example.com/cdk-eventbridge-otlp/internal/platform/pretoken"
	"example.com/cdk-eventbridge-otlp/internal/platform/rawjson"
)

// check returns everything that is wrong with the policy whatever event comes.
func (p Policy) check(version pretoken.Version) []error {
	var mistakes []error
	for i, rule := range p.Rules {
		for _, mistake := range rule.check(version) {
			mistakes = append(mistakes, errors.New("policy: rule "+strconv.Itoa(i+1)+": "+mistake.Error()))
		}
	}
	if p.Lookup != nil {
		for _, mistake := range p.Lookup.check(version) {
			mistakes = append(mistakes, errors.New("policy: lookup: "+mistake.Error()))
		}
	}
	if p.OnProblem != Drop && p.OnProblem != Fail {
		mistakes = append(mistakes, errors.New("policy: OnProblem has to be Drop or Fail"))
	}
	if p.MaxSize <= 0 {
		mistakes = append(mistakes, errors.New("policy: MaxSize has to be above 0"))
	}
	return mistakes
}

func (r Rule) check(version pretoken.Version) []error {
	var mistakes []error
	mistake := func(what, name string, err error) {
		if err != nil {
			mistakes = append(mistakes, errors.New(what+" "+strconv.Quote(name)+": "+err.Error()))
		}
	}
	if err := checkTokens(version, r.Tokens); err != nil {
		mistakes = append(mistakes, err)
	}
	for _, source := range r.TriggerSources {
		mistake("trigger source", string(source), checkTriggerSource(version, source))
	}
	for _, provider := range r.Providers {
		mistake("provider", provider, checkProvider(provider))
	}
	for _, claim := range r.Claims {
		mistake("claim", claim.Name, claim.check(version, r.Tokens))
	}
	for _, name := range r.SuppressClaims {
		mistake("suppressed claim", name, checkSuppress(name))
	}
	for _, scope := range slices.Concat(r.AddScopes, r.SuppressScopes) {
		mistake("scope", scope, checkScope(version, scope))
	}
	return mistakes
}

func (c Claim) check(version pretoken.Version, tokens Tokens) error {
	if c.From == nil {
		return errors.New("it needs a source: Attribute, AttributeAs, Groups, Listed, ClientID, Static or Func")
	}
	if err := c.From.check(); err != nil {
		return err
	}
	constant, isConstant := c.From.(constant)
	for _, token := range tokensOf(version) {
		if !tokens.has(token) {
			continue
		}
		if err := checkName(token, c.Name); err != nil {
			return err
		}
		if !isConstant || c.Name == "aud" { // aud is right for one app client only
			continue
		}
		value, err := valueOf(constant, nil)
		if err == nil {
			err = checkValue(token, c.Name, value, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// later says how to get a version of the trigger that can do more.
func later(version pretoken.Version) string {
	return "or change to pretoken.V" + version.String() + " as docs/policy.md says"
}

// checkTokens says why a version of the trigger cannot change the tokens, or nil.
func checkTokens(version pretoken.Version, tokens Tokens) error {
	if version == pretoken.V1 && tokens == AccessToken {
		return errors.New("version 1 of the trigger changes ID tokens only: leave Tokens out, " + later(pretoken.V2))
	}
	return nil
}

// checkTriggerSource says why a version of the trigger never has the trigger source, or nil.
func checkTriggerSource(version pretoken.Version, source pretoken.TriggerSource) error {
	switch {
	case !source.Known():
		return errors.New("unknown: use one of pretoken's trigger sources")
	case source == pretoken.ClientCredentials && version < pretoken.V3:
		return errors.New("version " + version.String() + " of the trigger is not called for machines: leave it out, " + later(pretoken.V3))
	}
	return nil
}

// fixedProviders are the names that Cognito itself gives to providers.
var fixedProviders = []string{pretoken.Native, "Facebook", "Google", "LoginWithAmazon", "SignInWithApple"}

// checkProvider says why no user can have the identity provider, or nil.
func checkProvider(name string) error {
	if name == "" {
		return errors.New("a provider needs a name")
	}
	for _, fixed := range fixedProviders {
		if name != fixed && strings.EqualFold(name, fixed) {
			return errors.New("Cognito spells it " + fixed)
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

// checkName says why a claim cannot be added to a token, or nil.
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

// checkSuppress says why a claim cannot be left out of a token, or nil. Without cognito:groups a token has no cognito:roles and no
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

// checkValue says why a claim that checkName accepts cannot have the value in a token of the app client, or nil.
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

// checkScope says why a scope cannot be added or suppressed, or nil. Source: RFC 6749, section 3.3.
func checkScope(version pretoken.Version, scope string) error {
	if version == pretoken.V1 {
		return errors.New("version 1 of the trigger has no scopes: leave it out, " + later(pretoken.V2))
	}
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

// shape is the distinction that Cognito makes between values of claims.
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
