package pretoken_test

import (
	"testing"

	"example.com/sam-v1/internal/pretoken"
)

func TestAnswer(t *testing.T) {
	tests := map[string]struct {
		response pretoken.Response
		want     string
	}{
		"no change": {want: `{"claimsOverrideDetails":null}`},
		"everything": {
			response: pretoken.Response{Claims: map[string]string{"plan": "gold"}, Suppress: []string{"email"}},
			want:     `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"plan":"gold"},"claimsToSuppress":["email"]}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			const came = `{"version":"1","request":{ "n": 9007199254740993.10, "html":"<&>" },"new":[1],`
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
