package cognitotoken

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

var (
	// claimPattern is stricter than Cognito: what it allows needs no quoting in a shell, a URL or a policy language.
	claimPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$`)
	// customPattern follows Amazon Cognito API Reference, SchemaAttributeType: the name has at most 20 characters.
	customPattern = regexp.MustCompile(`^custom:[A-Za-z0-9_.-]{1,20}$`)
)

// standardAttributes are those that every user pool knows. Source: Amazon Cognito Developer Guide, "Working with user attributes".
var standardAttributes = []string{
	"address", "birthdate", "cognito:user_status", "email", "email_verified", "family_name", "gender", "given_name", "identities", "locale",
	"middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "sub",
	"updated_at", "website", "zoneinfo",
}

// unchangeableClaims cannot be added by a trigger. Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
var unchangeableClaims = []string{
	"acr", "amr", "at_hash", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities", "iss", "jti", "nbf",
	"nonce", "origin_jti", "sub", "token_use", "username", "version",
}

// parseClaims reads pairs as --claims takes them.
func parseClaims(text string) (claims []generator.Pair, problems []string) {
	const most = 50
	if strings.TrimSpace(text) == "" {
		return nil, []string{"at least one claim is needed, such as tenant_id=custom:tenant_id"}
	}
	pairs := strings.Split(text, ",")
	if len(pairs) > most {
		return nil, []string{fmt.Sprintf("%d claims are more than the %d that can start a policy", len(pairs), most)}
	}
	for _, pair := range pairs {
		name, attribute, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found {
			problems = append(problems, fmt.Sprintf("%q is not a pair: write claim=attribute, such as tenant_id=custom:tenant_id", generator.Shorten(pair)))
			continue
		}
		if problem := checkClaim(name); problem != "" {
			problems = append(problems, problem)
		}
		if problem := checkAttribute(attribute); problem != "" {
			problems = append(problems, problem)
		}
		if slices.ContainsFunc(claims, func(c generator.Pair) bool { return c.Left == name }) {
			problems = append(problems, fmt.Sprintf("claim %q is given twice: name each once", generator.Shorten(name)))
		}
		claims = append(claims, generator.Pair{Left: name, Right: attribute})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return claims, nil
}

// checkClaim says why Cognito would refuse to copy an attribute into the claim, or nothing.
func checkClaim(name string) string {
	quoted := fmt.Sprintf("claim %q", generator.Shorten(name))
	switch {
	case strings.HasPrefix(name, "cognito:"):
		return quoted + " belongs to Cognito, which lets nobody set a cognito: claim: choose another name"
	case strings.HasPrefix(name, "dev:"):
		return quoted + " can only be suppressed, as every dev: claim: choose another name"
	case name == "aud":
		return `claim "aud" can only be the app client's id, which no attribute holds: remove it (with v2 and v3, see ClientID in the generated policy)`
	case name == "scope":
		return `claim "scope" changes by adding and suppressing scopes: remove it (with v2 and v3, see AddScopes in the generated policy)`
	case slices.Contains(unchangeableClaims, name):
		return quoted + " is set by Cognito, which lets nobody change it: choose another name"
	case !claimPattern.MatchString(name):
		return quoted + " is not a name: use letters, digits and _ . : / -"
	case len(name) > 128:
		return fmt.Sprintf("a claim has %d characters: 128 are allowed", len(name))
	}
	return ""
}

// checkAttribute says why no user has the attribute, or nothing.
func checkAttribute(name string) string {
	quoted := fmt.Sprintf("attribute %q", generator.Shorten(name))
	switch {
	case slices.Contains(standardAttributes, name) || customPattern.MatchString(name):
		return ""
	case customPattern.MatchString("custom:" + name):
		if similar := generator.Nearest(name, standardAttributes); similar != "" {
			return quoted + " is not a standard attribute: did you mean " + similar + ", or custom:" + name + "?"
		}
		return quoted + " is not a standard attribute: did you mean custom:" + name + "?"
	}
	return quoted + " is neither a standard attribute nor custom: and 1 to 20 letters, digits and _ . -"
}
