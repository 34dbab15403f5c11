package cognito

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// clientCredentials is the trigger source of machines.
const clientCredentials = "TokenGeneration_ClientCredentials"

// sources are the trigger sources and the version of the trigger that first has them.
var sources = map[string]string{
	"TokenGeneration_HostedAuth":           "1",
	"TokenGeneration_Authentication":       "1",
	"TokenGeneration_NewPasswordChallenge": "1",
	"TokenGeneration_AuthenticateDevice":   "1",
	"TokenGeneration_RefreshTokens":        "1",
	clientCredentials:                      "3",
}

// event is what Cognito sent. It is read tolerantly: the guide's own samples have a preferredRole that is an array.
type event struct {
	members object

	version, source, region, pool, user, client string

	attributes object
	groups     []string
	roles      []string
	role       string // the preferred one
	scopes     []string
}

func parseEvent(payload []byte) (event, error) {
	members, ok := parseObject(payload)
	if !ok {
		return event{}, errors.New("it is not a JSON object")
	}
	e := event{
		members: members,
		version: members.text("version"),
		source:  members.text("triggerSource"),
		region:  members.text("region"),
		pool:    members.text("userPoolId"),
		user:    members.text("userName"),
		client:  members.child("callerContext").text("clientId"),
	}
	first, known := sources[e.source]
	switch {
	case !slices.Contains([]string{"1", "2", "3"}, e.version):
		return event{}, errors.New("its version is not 1, 2 or 3")
	case !known:
		return event{}, errors.New("its triggerSource is none of TokenGeneration_HostedAuth, _Authentication, _NewPasswordChallenge, " +
			"_AuthenticateDevice, _RefreshTokens and _ClientCredentials")
	case e.version < first:
		return event{}, errors.New("Cognito sends no " + e.source + " in version " + e.version)
	}
	raw, _ := members.get("request")
	request, ok := parseObject(raw)
	if !ok {
		return event{}, errors.New("it has no request")
	}
	e.attributes = request.child("userAttributes")
	groups := request.child("groupConfiguration")
	raw, _ = groups.get("groupsToOverride")
	e.groups, _ = parseTexts(raw)
	raw, _ = groups.get("iamRolesToOverride")
	e.roles, _ = parseTexts(raw)
	e.role = groups.text("preferredRole")
	if e.version != "1" {
		raw, _ = request.get("scopes")
		e.scopes, _ = parseTexts(raw)
	}
	return e, nil
}

// machine tells that the tokens are not for a user.
func (e event) machine() bool { return e.source == clientCredentials }

// hasIDToken follows the guide's "Authorize endpoint": with managed login there is an ID token only if openid is asked for. An event of
// version 1 doesn't tell the scopes, and one for refreshed tokens not where they came from: for these there is one.
func (e event) hasIDToken() bool {
	if e.machine() {
		return false
	}
	return e.source != "TokenGeneration_HostedAuth" || e.version == "1" || slices.Contains(e.scopes, "openid")
}

// issuer follows the guide's "Understanding the identity (ID) token". The domain is that of AWS's regions outside China.
func (e event) issuer() string { return "https://cognito-idp." + e.region + ".amazonaws.com/" + e.pool }

// idToken is what Cognito puts into an ID token by itself. The app client is taken to be allowed to read every attribute of the event.
// Source: Amazon Cognito Developer Guide, "Understanding the identity (ID) token".
func (e event) idToken() *Token {
	t := &Token{}
	t.own("sub", e.attributes.text("sub"))
	t.ownGroups(e.groups)
	t.ownList(rolesClaim, e.roles)
	t.own(roleClaim, e.role)
	t.own("iss", e.issuer())
	t.own("cognito:username", e.user)
	t.own("aud", e.client)
	t.own("token_use", "id")
	for _, attribute := range e.attributes {
		if attribute.name == "sub" || strings.HasPrefix(attribute.name, "cognito:") {
			continue
		}
		if _, again := t.Claim(attribute.name); !again {
			t.Claims = append(t.Claims, Claim{Name: attribute.name, Value: attributeValue(attribute), Mark: Kept})
		}
	}
	return t
}

// attributeValue is the value of an attribute in an ID token, as the payload in the guide shows it: the two *_verified are booleans,
// identities is an array, everything else is text.
func attributeValue(attribute member) json.RawMessage {
	text, ok := parseText(attribute.value)
	if !ok {
		return compact(attribute.value)
	}
	switch attribute.name {
	case "email_verified", "phone_number_verified":
		if text == "true" || text == "false" {
			return json.RawMessage(text)
		}
	case "identities":
		if kindOf([]byte(text)) == arrayKind && json.Valid([]byte(text)) {
			return compact([]byte(text))
		}
	}
	return encode(text)
}

// accessToken is what Cognito puts into an access token by itself.
// Source: Amazon Cognito Developer Guide, "Understanding the access token"; that the sub of a machine is its app client's id is what
// such tokens show.
func (e event) accessToken() *Token {
	t := &Token{}
	if e.machine() {
		t.own("sub", e.client)
	} else {
		t.own("sub", e.attributes.text("sub"))
		t.ownGroups(e.groups)
	}
	t.own("iss", e.issuer())
	t.own("client_id", e.client)
	t.own("token_use", "access")
	if len(e.scopes) > 0 {
		t.own(scopeClaim, strings.Join(e.scopes, " "))
	}
	t.Scopes = e.scopes
	if !e.machine() {
		t.own("username", e.user)
	}
	return t
}

func (t *Token) own(name, value string) {
	if value != "" {
		t.Claims = append(t.Claims, Claim{Name: name, Value: encode(value), Mark: Kept})
	}
}

func (t *Token) ownList(name string, values []string) {
	if len(values) > 0 {
		t.Claims = append(t.Claims, Claim{Name: name, Value: encode(values), Mark: Kept})
	}
}

func (t *Token) ownGroups(groups []string) {
	t.ownList(groupsClaim, groups)
	t.Groups = groups
}
