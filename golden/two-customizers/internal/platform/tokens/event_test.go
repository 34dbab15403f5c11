package tokens

import (
	"encoding/json"
	"testing"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/rawjson"
)

// TestDescribe uses an event in which every value and everything that names a user contains the word canary.
func TestDescribe(t *testing.T) {
	event := &pretoken.Event{
		TriggerSource: pretoken.Authentication, UserPoolID: "eu-west-1_x", ClientID: "web", UserName: "canary-user",
		Attributes: map[string]string{"email": "canary@example.com"}, Groups: []string{"canary-group"},
		ClientMetadata: map[string]string{"canary": "canary"},
	}
	response := pretoken.Response{
		IDToken: pretoken.Changes{Claims: map[string]rawjson.Value{"mail": rawjson.String("canary")}, Suppress: []string{"phone_number"}},
		AccessToken: pretoken.Changes{
			Claims:    map[string]rawjson.Value{"plan": rawjson.String("canary"), "mail": rawjson.String("canary")},
			AddScopes: []string{"orders/read"}, SuppressScopes: []string{"openid"},
		},
	}
	const (
		idToken     = `"idToken":{"claims":["mail"],"suppressedClaims":["phone_number"]}`
		accessToken = `,"accessToken":{"claims":["mail","plan"],"addedScopes":["orders/read"],"suppressedScopes":["openid"]}`
	)
	const where = `{"userPoolId":"eu-west-1_x","clientId":"web","triggerSource":"TokenGeneration_Authentication",`
	for sub, subject := range map[string]string{
		"canary-sub": `"subject":"e61f8824fef923b95a18ebc6058fdd92fbf0250c2586a329dbed3481b7bae5c4",`,
		"":           "",
	} {
		event.Attributes["sub"] = sub
		for version, changes := range map[pretoken.Version]string{
			pretoken.V1: idToken, pretoken.V2: idToken + accessToken, pretoken.V3: idToken + accessToken,
		} {
			got, err := json.Marshal(describe(event, response, version))
			if want := where + subject + changes + "}"; err != nil || string(got) != want {
				t.Errorf("version %s: got  %s, %v\nwant %s", version, got, err, want)
			}
		}
	}
}
