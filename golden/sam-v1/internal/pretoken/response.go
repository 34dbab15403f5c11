package pretoken

// Response is what Cognito is asked to change in the ID token, the only one that version 1 reaches. Its zero value changes nothing.
//
// It has no groupOverrideDetails on purpose: left out, the user keeps the groups; sent empty or null, Cognito drops them.
type Response struct {
	// Claims are added, or take the place of Cognito's own.
	Claims map[string]string `json:"claimsToAddOrOverride,omitempty"`
	// Suppress names claims to leave out. It beats Claims.
	Suppress []string `json:"claimsToSuppress,omitempty"`
}

// IsZero tells that nothing changes.
func (r Response) IsZero() bool { return len(r.Claims)+len(r.Suppress) == 0 }
