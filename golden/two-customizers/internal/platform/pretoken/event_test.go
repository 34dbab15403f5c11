package pretoken_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"example.com/two-customizers/internal/platform/pretoken"
)

// versions are those of the trigger.
var versions = []pretoken.Version{pretoken.V1, pretoken.V2, pretoken.V3}

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
			event, err := pretoken.Parse([]byte(test.payload), pretoken.V2)
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
			_, err := pretoken.Parse([]byte(payload), pretoken.V2)
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

// TestParseRefusesOtherVersions reads an event of each version as each version.
func TestParseRefusesOtherVersions(t *testing.T) {
	for _, sent := range versions {
		for _, version := range versions {
			_, err := pretoken.Parse([]byte(`{"version":"`+sent.String()+`"}`), version)
			if refused := err != nil; refused != (sent != version) {
				t.Errorf("version %s read as %s: %v", sent, version, err)
			}
			if fix := "set LambdaVersion to V" + version.String() + "_0"; err != nil && !strings.Contains(err.Error(), fix) {
				t.Errorf("the error does not say %q: %v", fix, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	samples, err := filepath.Glob("../../../events/*/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, sample := range samples {
		payload, err := os.ReadFile(sample)
		if err != nil {
			f.Fatal(err)
		}
		for _, version := range versions {
			f.Add(payload, int(version))
		}
	}
	f.Add([]byte(`{"request":{"userAttributes":[],"groupConfiguration":{"preferredRole":["arn"]}},"response":[]}`), 2)
	f.Fuzz(func(t *testing.T, payload []byte, number int) {
		version := pretoken.Version(number)
		event, err := pretoken.Parse(payload, version)
		if err != nil {
			return
		}
		event.HasProvider("Google") // must not panic
		answer := event.Answer(pretoken.Response{})
		if !json.Valid(answer) {
			t.Fatalf("the answer is not JSON: %s", answer)
		}
		again, err := pretoken.Parse(answer, version)
		if err != nil {
			t.Fatalf("the answer cannot be parsed: %v", err)
		}
		if second := again.Answer(pretoken.Response{}); !bytes.Equal(answer, second) {
			t.Fatalf("the answer changes when it is answered again:\n%s\n%s", answer, second)
		}
	})
}
