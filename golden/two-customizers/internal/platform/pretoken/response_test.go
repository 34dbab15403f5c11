package pretoken_test

import (
	"testing"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/rawjson"
)

func TestAnswer(t *testing.T) {
	value := func(text string) rawjson.Value { return rawjson.Value(text) }
	tests := map[string]struct {
		response pretoken.Response
		first    string // of version 1
		later    string // of the others
	}{
		"no change": {first: `null`, later: `null`},
		"ID token alone": {
			response: pretoken.Response{IDToken: pretoken.Changes{
				Claims: map[string]rawjson.Value{"plan": value(`"gold"`)}, Suppress: []string{"email"},
			}},
			first: `{"claimsToAddOrOverride":{"plan":"gold"},"claimsToSuppress":["email"]}`,
			later: `{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"},"claimsToSuppress":["email"]}}`,
		},
		"access token alone": {
			response: pretoken.Response{AccessToken: pretoken.Changes{Suppress: []string{"plan"}}},
			first:    `null`,
			later:    `{"accessTokenGeneration":{"claimsToSuppress":["plan"]}}`,
		},
		"everything": {
			response: pretoken.Response{
				IDToken: pretoken.Changes{Suppress: []string{"email"}},
				AccessToken: pretoken.Changes{
					Claims: map[string]rawjson.Value{"seats": value(`9007199254740993`)}, Suppress: []string{"plan"},
					AddScopes: []string{"orders/read"}, SuppressScopes: []string{"openid"},
				},
			},
			first: `{"claimsToSuppress":["email"]}`,
			later: `{"idTokenGeneration":{"claimsToSuppress":["email"]},"accessTokenGeneration":` +
				`{"claimsToAddOrOverride":{"seats":9007199254740993},"claimsToSuppress":["plan"],` +
				`"scopesToAdd":["orders/read"],"scopesToSuppress":["openid"]}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, version := range versions {
				came := `{"version":"` + version.String() + `","request":{ "n": 9007199254740993.10, "html":"<&>" },"new":[1],`
				event, err := pretoken.Parse([]byte(came+`"response":{"old":true}}`), version)
				if err != nil {
					t.Fatal(err)
				}
				want := came + `"response":{"claimsAndScopeOverrideDetails":` + test.later + `}}`
				if version == pretoken.V1 {
					want = came + `"response":{"claimsOverrideDetails":` + test.first + `}}`
				}
				if answer := event.Answer(test.response); string(answer) != want {
					t.Errorf("version %s:\ngot  %s\nwant %s", version, answer, want)
				}
			}
		})
	}
}
