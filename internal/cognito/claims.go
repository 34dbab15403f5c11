package cognito

import (
	"fmt"
	"slices"
	"strings"
)

// kindOfToken tells the two tokens apart, in words.
type kindOfToken string

const (
	idToken     kindOfToken = "ID token"
	accessToken kindOfToken = "access token"
)

// claim names a claim of the token for a finding.
func (k kindOfToken) claim(name string) string { return fmt.Sprintf("%s claim %q", k, name) }

func scopeSubject(scope string) string { return fmt.Sprintf("scope %q", scope) }

// Claims with rules of their own.
const (
	scopeClaim  = "scope"
	audClaim    = "aud"
	groupsClaim = "cognito:groups"
	rolesClaim  = "cognito:roles"
	roleClaim   = "cognito:preferred_role"
)

// Source: the table in the guide's "Claims and scopes reference".
var (
	// fixed claims can be neither added nor modified nor suppressed.
	fixed = []string{
		"acr", "amr", "at_hash", audClaim, "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities", "iss",
		"jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version",
	}
	// grouped claims follow from the groups.
	grouped = []string{groupsClaim, rolesClaim, roleClaim}
	// simple claims hold no array and no object in an ID token.
	simple = []string{"address", "email_verified", "phone_number_verified", "updated_at"}
)

// allows reports whether Cognito adds or overrides the claim, and reports why not.
func (j *judge) allows(token kindOfToken, claim member) bool {
	refuse := func(text string) bool {
		j.find(Error, token.claim(claim.name), "%s", text)
		return false
	}
	switch {
	case claim.name == "":
		return refuse("needs a name")
	case claim.name == scopeClaim:
		return refuse("cannot be set: scopes change through scopesToAdd and scopesToSuppress")
	case slices.Contains(grouped, claim.name):
		return refuse("cannot be set: groups and roles change through groupOverrideDetails")
	case strings.HasPrefix(claim.name, "cognito:"):
		return refuse("cannot be set: Cognito keeps cognito: claims to itself")
	case strings.HasPrefix(claim.name, "dev:"):
		return refuse("cannot be set: a dev: claim can only be suppressed")
	case claim.name == audClaim && token == accessToken:
		if text, ok := parseText(claim.value); !ok || text != j.event.client {
			return refuse("can only be the id of the app client, callerContext.clientId")
		}
		return true
	case slices.Contains(fixed, claim.name):
		return refuse("cannot be set: Cognito lets nobody change it")
	}
	return j.allowsValue(token, claim)
}

// allowsValue reports whether a claim can have its value: text in version 1; from version 2 on text, a number, a boolean, an array of
// these, or an object.
func (j *judge) allowsValue(token kindOfToken, claim member) bool {
	subject := token.claim(claim.name)
	is := kindOf(claim.value)
	switch {
	case j.event.version == "1" && is != stringKind:
		j.refuse(subject, "is not a string, the only type of version 1")
		return false
	case is == nullKind:
		j.find(Error, subject, "is null, which is no value: leave the claim out or suppress it")
		return false
	case is == arrayKind:
		items, _ := parseArray(claim.value)
		for _, item := range items {
			if kind := kindOf(item); kind != stringKind && kind != numberKind && kind != booleanKind {
				j.find(Error, subject, "is an array of more than strings, numbers and booleans")
				return false
			}
		}
	}
	if token == idToken && (is == arrayKind || is == objectKind) && slices.Contains(simple, claim.name) {
		j.find(Error, subject, "cannot be an array or an object")
		return false
	}
	return true
}

// allowsSuppressing reports whether Cognito leaves the claim out, and reports why not.
func (j *judge) allowsSuppressing(token kindOfToken, name string) bool {
	refuse := func(text string) bool {
		j.find(Error, token.claim(name), "%s", text)
		return false
	}
	switch {
	case name == "":
		return refuse("needs a name")
	case name == scopeClaim:
		return refuse("cannot be suppressed: scopes change through scopesToAdd and scopesToSuppress")
	case name == rolesClaim || name == roleClaim:
		return refuse("cannot be suppressed by itself: suppress " + groupsClaim)
	case name != groupsClaim && strings.HasPrefix(name, "cognito:"):
		return refuse("cannot be suppressed: Cognito keeps cognito: claims to itself")
	case slices.Contains(fixed, name):
		return refuse("cannot be suppressed: Cognito lets nobody change it")
	}
	return true
}

// allowsScope reports whether a scope can be added or suppressed: the guide forbids blanks, RFC 6749 (section 3.3) all but printable ASCII
// without the quote and the backslash.
func (j *judge) allowsScope(scope string) bool {
	subject := scopeSubject(scope)
	switch {
	case scope == "":
		j.find(Error, subject, "needs a name")
	case strings.ContainsAny(scope, " \t\r\n"):
		j.find(Error, subject, "holds a blank: list scopes one by one")
	case strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
		j.find(Error, subject, "holds a character that RFC 6749 does not allow in a scope")
	default:
		return true
	}
	return false
}

// tokens makes the tokens of the event with what is wanted.
func (j *judge) tokens(w wanted) (id, access *Token) {
	access = j.event.accessToken()
	if j.event.hasIDToken() {
		id = j.event.idToken()
		id.setGroups(w.groups, true)
		id.change(w.id)
		j.weigh(idToken, id, w.id)
	}
	access.setGroups(w.groups, false)
	access.change(w.access)
	access.changeScopes(w.access)
	j.weigh(accessToken, access, w.access)
	return id, access
}

// setGroups replaces the groups. Only an ID token tells their roles.
func (t *Token) setGroups(g *groups, roles bool) {
	if g == nil {
		return
	}
	t.Groups = g.names
	t.replace(groupsClaim, g.names)
	if !roles {
		return
	}
	t.replace(rolesClaim, g.roles)
	if g.role == "" {
		t.suppress(roleClaim)
	} else {
		t.set(Claim{Name: roleClaim, Value: encode(g.role)})
	}
}

// replace sets a claim, or suppresses it if there are no values.
func (t *Token) replace(name string, values []string) {
	if len(values) == 0 {
		t.suppress(name)
		return
	}
	t.set(Claim{Name: name, Value: encode(values)})
}

// change adds, overrides and suppresses: "if your function both suppresses and replaces a claim value, then Amazon Cognito suppresses
// the claim".
func (t *Token) change(c changes) {
	indexes := map[string]int{} // an answer may hold any number of claims
	for i, claim := range slices.Backward(t.Claims) {
		indexes[claim.Name] = i
	}
	for _, claim := range c.claims {
		i, found := indexes[claim.name]
		if !found {
			i = len(t.Claims)
			indexes[claim.name] = i
		}
		t.setAt(i, Claim{Name: claim.name, Value: compact(claim.value)})
	}
	t.suppress(c.suppress...)
	if slices.Contains(c.suppress, groupsClaim) {
		t.suppress(rolesClaim, roleClaim)
		t.Groups = nil
	}
}

// set adds a claim or changes one, in its place.
func (t *Token) set(claim Claim) {
	i := slices.IndexFunc(t.Claims, func(c Claim) bool { return c.Name == claim.Name })
	if i < 0 {
		i = len(t.Claims)
	}
	t.setAt(i, claim)
}

// setAt is set for a claim whose place is known; at the end of all it is new.
func (t *Token) setAt(i int, claim Claim) {
	switch {
	case i == len(t.Claims):
		claim.Mark = Added
		t.Claims = append(t.Claims, claim)
		return
	case t.Claims[i].Mark == Added:
		claim.Mark = Added
	case same(t.Claims[i].Value, claim.Value):
		claim.Mark = Kept
	default:
		claim.Mark = Changed
	}
	t.Claims[i] = claim
}

// suppress takes out claims of Cognito's own, which are remembered, or that were added, which are not.
func (t *Token) suppress(names ...string) {
	out := set(names)
	t.Claims = slices.DeleteFunc(t.Claims, func(c Claim) bool { return out[c.Name] && c.Mark == Added })
	for i := range t.Claims {
		if out[t.Claims[i].Name] {
			t.Claims[i].Mark = Suppressed
		}
	}
}

// changeScopes adds scopes and takes others out.
func (t *Token) changeScopes(c changes) {
	scopes, there, out := slices.Clone(t.Scopes), set(t.Scopes), set(c.suppressScopes)
	for _, scope := range c.addScopes { // each is there once
		if !there[scope] {
			scopes = append(scopes, scope)
		}
	}
	scopes = slices.DeleteFunc(scopes, func(scope string) bool { return out[scope] })
	if slices.Equal(scopes, t.Scopes) {
		return
	}
	t.Scopes = scopes
	if len(scopes) == 0 {
		t.suppress(scopeClaim)
		return
	}
	t.set(Claim{Name: scopeClaim, Value: encode(strings.Join(scopes, " "))})
}

func set(texts []string) map[string]bool {
	members := make(map[string]bool, len(texts))
	for _, text := range texts {
		members[text] = true
	}
	return members
}

// Bytes above which a token gets too large for comfort. Cognito has no such limit, but what stands in front of an API often allows
// 8 KB for all headers, and a token's payload grows by a third when it is encoded.
const (
	maxAdded   = 2048
	maxPayload = 4096
)

func (j *judge) weigh(token kindOfToken, t *Token, c changes) {
	added := 0
	for _, claim := range t.Claims {
		if claim.Name != scopeClaim && (claim.Mark == Added || claim.Mark == Changed) {
			added += len(claim.Name) + len(claim.Value)
		}
	}
	for _, scope := range c.addScopes {
		added += len(scope)
	}
	if payload := len(t.Payload()); added > maxAdded || added > 0 && payload > maxPayload {
		j.find(Warning, string(token), "gets large: %d bytes of claims and scopes from the trigger, %d in all; headers of more than 8 KB are "+
			"refused in many places", added, payload)
	}
}
