package pretoken

import (
	"strings"

	"example.com/two-customizers/internal/platform/rawjson"
)

// Native is what HasProvider calls the user pool itself.
const Native = "Cognito"

// HasProvider reports whether the user comes from an identity provider, by its name in the user pool: "Google", "Facebook",
// "SignInWithApple", "LoginWithAmazon", or the name that a SAML or OpenID Connect provider was given. "Cognito" stands for users that have
// no identity provider. A user who is linked to several providers has each of them: the event does not say which one was used this time.
//
// Cognito sets both attributes that this reads, and users cannot write them. The user's name counts only if Cognito says that it has made
// the user for a provider: anybody may sign up as Google_1.
//
// Source: Amazon Cognito Developer Guide, "Linking federated users to an existing user profile" and "User pool sign-in with third party
// identity providers".
func (e *Event) HasProvider(name string) bool {
	identities, err := rawjson.Parse([]byte(e.Attributes["identities"]))
	linked := false
	if err == nil {
		for identity := range identities.Elements() {
			linked = true
			if identity.Member("providerName").Text() == name {
				return true
			}
		}
	}
	if linked || e.TriggerSource == ClientCredentials {
		return false
	}
	if e.Attributes["cognito:user_status"] != "EXTERNAL_PROVIDER" {
		return name == Native
	}
	// In pools that ignore case, the name of the user is google_123.
	prefix := name + "_"
	return name != Native && len(e.UserName) > len(prefix) && strings.EqualFold(e.UserName[:len(prefix)], prefix)
}
