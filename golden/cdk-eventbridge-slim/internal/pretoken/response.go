package pretoken

import (
	"maps"
	"slices"

	"example.com/cdk-eventbridge-slim/internal/rawjson"
)

// Response is what Cognito is asked to change. Its zero value changes nothing.
//
// It has no groupOverrideDetails on purpose: left out, the user keeps the groups; sent empty or null, Cognito drops them.
type Response struct {
	IDToken     Changes
	AccessToken Changes
}

// Changes are what one token gets beyond, or without, what Cognito puts into it.
type Changes struct {
	// Claims are added, or take the place of Cognito's own.
	Claims map[string]rawjson.Value
	// Suppress names claims to leave out. It beats Claims.
	Suppress []string
	// AddScopes and SuppressScopes are for the access token alone.
	AddScopes      []string
	SuppressScopes []string
}

// IsZero tells that nothing changes.
func (r Response) IsZero() bool { return r.IDToken.IsZero() && r.AccessToken.IsZero() }

// IsZero tells that nothing changes in the token.
func (c Changes) IsZero() bool {
	return len(c.Claims)+len(c.Suppress)+len(c.AddScopes)+len(c.SuppressScopes) == 0
}

// MarshalJSON implements json.Marshaler: it is what Cognito gets as claimsAndScopeOverrideDetails.
func (r Response) MarshalJSON() ([]byte, error) { return r.value(), nil }

func (r Response) value() rawjson.Value {
	var details rawjson.Object
	if !r.IDToken.IsZero() {
		details.Add("idTokenGeneration", r.IDToken.value())
	}
	if !r.AccessToken.IsZero() {
		details.Add("accessTokenGeneration", r.AccessToken.value())
	}
	return details.Value()
}

func (c Changes) value() rawjson.Value {
	var changes rawjson.Object
	if len(c.Claims) > 0 {
		var claims rawjson.Object
		for _, name := range slices.Sorted(maps.Keys(c.Claims)) {
			claims.Add(name, c.Claims[name])
		}
		changes.Add("claimsToAddOrOverride", claims.Value())
	}
	for _, list := range []struct {
		name  string
		names []string
	}{
		{"claimsToSuppress", c.Suppress},
		{"scopesToAdd", c.AddScopes},
		{"scopesToSuppress", c.SuppressScopes},
	} {
		if len(list.names) > 0 {
			changes.Add(list.name, rawjson.Strings(list.names))
		}
	}
	return changes.Value()
}
