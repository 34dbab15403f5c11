package pretoken

import (
	"maps"
	"slices"

	"example.com/sam-v1/internal/rawjson"
)

// Response is what Cognito is asked to change in the ID token, the only one that version 1 reaches. Its zero value changes nothing.
//
// It has no groupOverrideDetails on purpose: left out, the user keeps the groups; sent empty or null, Cognito drops them.
type Response struct {
	// Claims are added, or take the place of Cognito's own.
	Claims map[string]string
	// Suppress names claims to leave out. It beats Claims.
	Suppress []string
}

// IsZero tells that nothing changes.
func (r Response) IsZero() bool { return len(r.Claims)+len(r.Suppress) == 0 }

// MarshalJSON implements json.Marshaler: it is what Cognito gets as claimsOverrideDetails.
func (r Response) MarshalJSON() ([]byte, error) { return r.value(), nil }

func (r Response) value() rawjson.Value {
	var details rawjson.Object
	if len(r.Claims) > 0 {
		var claims rawjson.Object
		for _, name := range slices.Sorted(maps.Keys(r.Claims)) {
			claims.Add(name, rawjson.String(r.Claims[name]))
		}
		details.Add("claimsToAddOrOverride", claims.Value())
	}
	if len(r.Suppress) > 0 {
		details.Add("claimsToSuppress", rawjson.Strings(r.Suppress))
	}
	return details.Value()
}
