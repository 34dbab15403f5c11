package pretoken_test

import (
	"testing"

	"example.com/two-customizers/internal/platform/pretoken"
)

func TestHasProvider(t *testing.T) {
	const (
		google = `{"userId":"1","providerName":"Google","providerType":"Google","issuer":null,"primary":true,"dateCreated":1612345678}`
		saml   = `{"userId":"ada","providerName":"corp-login","providerType":"SAML","issuer":"urn:corp","primary":false,"dateCreated":1612345678}`
	)
	event := func(userName, status, identities string) *pretoken.Event {
		return &pretoken.Event{UserName: userName, Attributes: map[string]string{"cognito:user_status": status, "identities": identities}}
	}
	providers := []string{"Google", "corp-login", "Cognito", "google", ""}
	for name, test := range map[string]struct {
		event *pretoken.Event
		want  string // of the providers
	}{
		"native":                               {event("ada", "CONFIRMED", ""), "Cognito"},
		"no attributes":                        {&pretoken.Event{UserName: "ada"}, "Cognito"},
		"Google":                               {event("google_1", "EXTERNAL_PROVIDER", "["+google+"]"), "Google"},
		"SAML":                                 {event("corp-login_ada", "EXTERNAL_PROVIDER", "["+saml+"]"), "corp-login"},
		"linked to two":                        {event("ada", "CONFIRMED", "["+google+","+saml+"]"), "Google corp-login"},
		"a name with a provider, but native":   {event("Google_1", "CONFIRMED", ""), "Cognito"},
		"a name with a provider, and external": {event("Corp-Login_ada", "EXTERNAL_PROVIDER", ""), "corp-login"},
		"external without a provider":          {event("ada", "EXTERNAL_PROVIDER", ""), ""},
		"the name of a provider alone":         {event("corp-login_", "EXTERNAL_PROVIDER", ""), ""},
		"external and called after the pool":   {event("Cognito_ada", "EXTERNAL_PROVIDER", ""), ""},
		"identities that are not JSON":         {event("corp-login_ada", "EXTERNAL_PROVIDER", "[{"), "corp-login"},
		"an identity without a name":           {event("ada", "CONFIRMED", `[{"userId":"1"}]`), ""},
		"a machine":                            {&pretoken.Event{TriggerSource: pretoken.ClientCredentials}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, provider := range providers {
				if !test.event.HasProvider(provider) {
					continue
				}
				if got != "" {
					got += " "
				}
				got += provider
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
