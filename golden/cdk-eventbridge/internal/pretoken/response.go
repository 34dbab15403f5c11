package pretoken

import "encoding/json"

// Response is what Cognito is asked to change. Its zero value changes nothing.
//
// It has no groupOverrideDetails on purpose: left out, the user keeps the groups; sent empty or null, Cognito drops them.
type Response struct {
	IDToken     Changes `json:"idTokenGeneration,omitzero"`
	AccessToken Changes `json:"accessTokenGeneration,omitzero"`
}

// Changes are what one token gets beyond, or without, what Cognito puts into it.
type Changes struct {
	// Claims are added, or take the place of Cognito's own.
	Claims map[string]json.RawMessage `json:"claimsToAddOrOverride,omitempty"`
	// Suppress names claims to leave out. It beats Claims.
	Suppress []string `json:"claimsToSuppress,omitempty"`
	// AddScopes and SuppressScopes are for the access token alone.
	AddScopes      []string `json:"scopesToAdd,omitempty"`
	SuppressScopes []string `json:"scopesToSuppress,omitempty"`
}

// IsZero tells that nothing changes, so that the JSON leaves the token out.
func (c Changes) IsZero() bool {
	return len(c.Claims)+len(c.Suppress)+len(c.AddScopes)+len(c.SuppressScopes) == 0
}
