package pretoken

import (
	"maps"
	"slices"

	"example.com/two-customizers/internal/platform/rawjson"
)

// Response is what Cognito is asked to change. Its zero value changes nothing.
//
// It has no groupOverrideDetails on purpose: left out, the user keeps the groups; sent empty or null, Cognito drops them.
type Response struct {
	IDToken Changes
	// AccessToken is out of reach of V1.
	AccessToken Changes
}

// Changes are what one token gets beyond, or without, what Cognito puts into it.
type Changes struct {
	// Claims are added, or replace Cognito's own. In V1 the values have to be text.
	Claims map[string]rawjson.Value
	// Suppress names claims to leave out. It wins over Claims.
	Suppress []string
	// AddScopes and SuppressScopes are for the access token alone.
	AddScopes      []string
	SuppressScopes []string
}

// IsZero reports whether nothing changes.
func (r Response) IsZero() bool { return r.IDToken.IsZero() && r.AccessToken.IsZero() }

// IsZero reports whether nothing changes in the token.
func (c Changes) IsZero() bool {
	return len(c.Claims)+len(c.Suppress)+len(c.AddScopes)+len(c.SuppressScopes) == 0
}

// Answer returns the event as it came, the request to the byte, with the response that Cognito is to act on.
func (e *Event) Answer(response Response) []byte {
	var answer, overrides rawjson.Object
	answer.Grow(e.size + usualResponse)
	for _, member := range e.members {
		if member.name != "response" {
			answer.Add(member.name, member.value)
		}
	}
	name, details := "claimsAndScopeOverrideDetails", response.value()
	if e.version == V1 {
		name, details = "claimsOverrideDetails", response.IDToken.value()
	}
	if string(details) == "{}" {
		details = rawjson.Value("null")
	}
	overrides.Add(name, details)
	answer.Add("response", overrides.Value())
	return answer.Value()
}

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
