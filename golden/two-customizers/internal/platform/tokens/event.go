package tokens

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"example.com/two-customizers/internal/platform/pretoken"
)

// DetailType is the detail type of the events that the function publishes. Rules match it, and the function's role allows no other: the stack
// has to change with it. A new field leaves the version as it is. A change that could break a consumer raises the version.
const DetailType = "TokensCustomized.v1"

// customized is the data of an event. It says what happened to the tokens of a sign-in, without personal data.
type customized struct {
	UserPoolID    string                 `json:"userPoolId"`
	ClientID      string                 `json:"clientId"`
	TriggerSource pretoken.TriggerSource `json:"triggerSource"`
	// Subject identifies a user without naming the user. Machines have none.
	Subject string `json:"subject,omitempty"`
	IDToken names  `json:"idToken"`
	// AccessToken is missing with version 1 of the trigger, which can't change access tokens.
	AccessToken *names `json:"accessToken,omitempty"`
}

// names are the names of a token's claims and scopes. Events never have the values of claims.
type names struct {
	Claims           []string `json:"claims,omitempty"`
	SuppressedClaims []string `json:"suppressedClaims,omitempty"`
	AddedScopes      []string `json:"addedScopes,omitempty"`
	SuppressedScopes []string `json:"suppressedScopes,omitempty"`
}

// describe returns the data of the event for an answer.
func describe(event *pretoken.Event, response pretoken.Response, version pretoken.Version) customized {
	described := customized{
		UserPoolID: event.UserPoolID, ClientID: event.ClientID, TriggerSource: event.TriggerSource, Subject: subject(event),
		IDToken: namesOf(response.IDToken),
	}
	if version != pretoken.V1 {
		accessToken := namesOf(response.AccessToken)
		described.AccessToken = &accessToken
	}
	return described
}

func namesOf(changes pretoken.Changes) names {
	return names{
		Claims: slices.Sorted(maps.Keys(changes.Claims)), SuppressedClaims: changes.Suppress,
		AddedScopes: changes.AddScopes, SuppressedScopes: changes.SuppressScopes,
	}
}

// subject is a hash of the user's sub, which is a random UUID, and of the user pool. In another pool the same person has another subject.
func subject(event *pretoken.Event) string {
	sub := event.Attributes["sub"]
	if sub == "" {
		return ""
	}
	hash := sha256.Sum256([]byte(event.UserPoolID + "/" + sub))
	return hex.EncodeToString(hash[:])
}
