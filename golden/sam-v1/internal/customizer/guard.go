package customizer

import (
	"errors"
	"slices"
	"strings"
)

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
		return errors.New("Cognito lets nobody change it")
	}
	return nil
}
