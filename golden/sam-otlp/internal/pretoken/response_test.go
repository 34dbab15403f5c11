package pretoken_test

import (
	"testing"

	"example.com/sam-otlp/internal/pretoken"
	"example.com/sam-otlp/internal/rawjson"
)

func TestAnswer(t *testing.T) {
	value := func(text string) rawjson.Value { return rawjson.Value(text) }
	tests := map[string]struct {
		response pretoken.Response
		want     string
	}{
		"no change": {want: `{"claimsAndScopeOverrideDetails":null}`},
		"ID token alone": {
			response: pretoken.Response{IDToken: pretoken.Changes{Claims: map[string]rawjson.Value{"plan": value(`"gold"`)}}},
			want:     `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}}}}`,
		},
		"everything": {
			response: pretoken.Response{
				IDToken: pretoken.Changes{Suppress: []string{"email"}},
				AccessToken: pretoken.Changes{
					Claims: map[string]rawjson.Value{"seats": value(`9007199254740993`)}, Suppress: []string{"plan"},
					AddScopes: []string{"orders/read"}, SuppressScopes: []string{"openid"},
				},
			},
			want: `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToSuppress":["email"]},"accessTokenGeneration":` +
				`{"claimsToAddOrOverride":{"seats":9007199254740993},"claimsToSuppress":["plan"],` +
				`"scopesToAdd":["orders/read"],"scopesToSuppress":["openid"]}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			const came = `{"version":"2","request":{ "n": 9007199254740993.10, "html":"<&>" },"new":[1],`
			event, err := pretoken.Parse([]byte(came + `"response":{"old":true}}`))
			if err != nil {
				t.Fatal(err)
			}
			answer := event.Answer(test.response)
			if want := came + `"response":` + test.want + `}`; string(answer) != want {
				t.Errorf("got  %s\nwant %s", answer, want)
			}
		})
	}
}
