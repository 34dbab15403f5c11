package pretoken_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"example.com/sam/internal/pretoken"
)

func TestParse(t *testing.T) {
	tests := map[string]struct {
		payload string
		want    pretoken.Event
	}{
		"all fields": {
			payload: `{"version":"2","triggerSource":"TokenGeneration_HostedAuth","region":"eu-west-1","userPoolId":"eu-west-1_x",
				"userName":"ada","callerContext":{"awsSdkVersion":"1","clientId":"client"},"request":{"userAttributes":{"email":"a@b.example"},
				"groupConfiguration":{"groupsToOverride":["admins"],"iamRolesToOverride":[],"preferredRole":"arn"},
				"scopes":["openid"],"clientMetadata":{"device":"web"}},"response":{}}`,
			want: pretoken.Event{
				TriggerSource: pretoken.HostedAuth, Region: "eu-west-1", UserPoolID: "eu-west-1_x", UserName: "ada", ClientID: "client",
				Attributes: map[string]string{"email": "a@b.example"}, Groups: []string{"admins"}, Scopes: []string{"openid"},
				ClientMetadata: map[string]string{"device": "web"},
			},
		},
		"nothing":            {payload: `{}`},
		"nulls":              {payload: `{"version":null,"callerContext":null,"request":{"userAttributes":null,"groupConfiguration":null,"scopes":null}}`},
		"null request":       {payload: `{"request":null,"response":null}`},
		"arrays for objects": {payload: `{"callerContext":[],"request":{"userAttributes":[],"groupConfiguration":[],"clientMetadata":[]}}`},
		"a role in an array": {
			payload: `{"request":{"groupConfiguration":{"preferredRole":["arn"],"groupsToOverride":["admins"]}},"response":{"claimsAndScopeOverrideDetails":[]}}`,
			want:    pretoken.Event{Groups: []string{"admins"}},
		},
		"texts of other types": {
			payload: `{"version":2,"request":{"userAttributes":{"n":9007199254740993,"b":true,"o":{},"a":[],"z":null,"e":"","s":"x"},
				"groupConfiguration":{"groupsToOverride":[1,null,"admins"]}}}`,
			want: pretoken.Event{
				Attributes: map[string]string{"n": "9007199254740993", "b": "true", "s": "x"},
				Groups:     []string{"1", "admins"},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			event, err := pretoken.Parse([]byte(test.payload))
			if err != nil {
				t.Fatal(err)
			}
			got := pretoken.Event{
				TriggerSource: event.TriggerSource, Region: event.Region, UserPoolID: event.UserPoolID, UserName: event.UserName,
				ClientID: event.ClientID, Groups: event.Groups, Scopes: event.Scopes,
			}
			if len(event.Attributes) > 0 {
				got.Attributes = event.Attributes
			}
			if len(event.ClientMetadata) > 0 {
				got.ClientMetadata = event.ClientMetadata
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const secret = "ada-secret"
	for name, payload := range map[string]string{
		"nothing":         ``,
		"no JSON":         secret,
		"an array":        `["` + secret + `"]`,
		"null":            `null`,
		"two values":      `{} {"a":"` + secret + `"}`,
		"half an event":   `{"userName":"` + secret + `"`,
		"byte order mark": "\ufeff" + `{"userName":"` + secret + `"}`,
		"other version":   `{"version":"0","userName":"` + secret + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pretoken.Parse([]byte(payload))
			if err == nil {
				t.Fatal("want an error")
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells what the event holds: %v", err)
			}
			if said := strings.Contains(err.Error(), "byte order mark"); said != strings.HasPrefix(payload, "\ufeff") {
				t.Errorf("the error says of a byte order mark: %v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	samples, err := filepath.Glob("../../events/*.json")
	if err != nil || len(samples) == 0 {
		f.Fatalf("no sample events: %v", err)
	}
	for _, sample := range samples {
		payload, err := os.ReadFile(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(`{"request":{"userAttributes":[],"groupConfiguration":{"preferredRole":["arn"]}},"response":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		event, err := pretoken.Parse(payload)
		if err != nil {
			return
		}
		answer := event.Answer(pretoken.Response{})
		if !json.Valid(answer) {
			t.Fatalf("the answer is not JSON: %s", answer)
		}
		again, err := pretoken.Parse(answer)
		if err != nil {
			t.Fatalf("the answer cannot be parsed: %v", err)
		}
		if second := again.Answer(pretoken.Response{}); !bytes.Equal(answer, second) {
			t.Fatalf("the answer changes when it is answered again:\n%s\n%s", answer, second)
		}
	})
}
