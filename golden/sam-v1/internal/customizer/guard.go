package customizer

import (
	"errors"
	"slices"
	"strconv"
	"strings"
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
			err := checkName(claim.Name)
			if err == nil && claim.From == nil {
				err = errors.New("it needs a source: Attribute, AttributeList, Groups or Static")
			}
			mistake("claim", claim.Name, err)
		}
		for _, name := range rule.SuppressClaims {
			mistake("suppressed claim", name, checkSuppress(name))
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

// unchangeable claims are set by Cognito alone. Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
var unchangeable = []string{
	"acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities", "iss", "jti",
	"nbf", "nonce", "origin_jti", "scope", "sub", "token_use", "username", "version",
}

// checkName tells why a claim cannot be added, or nil.
func checkName(name string) error {
	switch {
	case strings.HasPrefix(name, "dev:"):
		return errors.New("a dev: claim can only be suppressed")
	case strings.HasPrefix(name, "cognito:"):
		return errors.New("a cognito: claim cannot be set")
	}
	return checkChange(name)
}

// checkSuppress tells why a claim cannot be left out, or nil. Without cognito:groups a token has no cognito:roles and no
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
	case slices.Contains(unchangeable, name):
		return errors.New("only Cognito can set it")
	}
	return nil
}
