package cognito_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/cognito"
)

// sample returns a sample event by its name.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("..", "invoke", "examples", "cognito", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// fields takes an event apart.
func fields(t testing.TB, event []byte) map[string]json.RawMessage {
	t.Helper()
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(event, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// with returns an event with one of its members replaced, or removed if the value is empty.
func with(t testing.TB, event []byte, name, value string) []byte {
	t.Helper()
	members := fields(t, event)
	delete(members, name)
	if value != "" {
		members[name] = json.RawMessage(value)
	}
	var changed bytes.Buffer
	encoder := json.NewEncoder(&changed)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(members); err != nil {
		t.Fatal(err)
	}
	return changed.Bytes()
}

// answer returns an event with the response of a function.
func answer(t testing.TB, event []byte, response string) []byte {
	t.Helper()
	return with(t, event, "response", response)
}

func apply(t testing.TB, event, answer []byte) cognito.Outcome {
	t.Helper()
	outcome, err := cognito.Apply(event, answer)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// lines writes a token down: a mark, a claim and its value a line, Cognito's own left out.
func lines(token *cognito.Token) []string {
	if token == nil {
		return []string{"none"}
	}
	var found []string
	for _, claim := range token.Claims {
		if sign, touched := map[cognito.Mark]string{cognito.Added: "+", cognito.Changed: "~", cognito.Suppressed: "-"}[claim.Mark]; touched {
			found = append(found, fmt.Sprintf("%s %s %s", sign, claim.Name, claim.Value))
		}
	}
	return found
}

func findings(outcome cognito.Outcome) []string {
	var found []string
	for _, finding := range outcome.Findings {
		found = append(found, finding.String())
	}
	return found
}

func TestOwnClaims(t *testing.T) {
	const (
		user   = `"sub":"1f0c5d1e-7f7b-4c57-9a83-0c9d8f2b6a11"`
		iss    = `"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E"`
		id     = `"cognito:username":"1f0c5d1e-7f7b-4c57-9a83-0c9d8f2b6a11","aud":"7k3v9q2m4s1t8w5x6y0z2a4b6c","token_use":"id"`
		client = `"client_id":"7k3v9q2m4s1t8w5x6y0z2a4b6c","token_use":"access"`
		name   = `"username":"1f0c5d1e-7f7b-4c57-9a83-0c9d8f2b6a11"`
		groups = `"cognito:groups":["admins","billing"]`
		roles  = `"cognito:roles":["arn:aws:iam::123456789012:role/billing"],"cognito:preferred_role":"arn:aws:iam::123456789012:role/billing"`
		scopes = `"scope":"openid email aws.cognito.signin.user.admin"`
		ada    = `"email_verified":true,"email":"ada@example.com","name":"Ada Example","custom:tenant_id":"acme-42","custom:plan":"gold",` +
			`"phone_number_verified":false,"phone_number":"+15555550100"`
	)
	join := func(parts ...string) string { return "{" + strings.Join(parts, ",") + "}" }
	tests := map[string]struct{ id, access string }{
		"v1-authentication": {
			id:     join(user, groups, roles, iss, id, ada),
			access: join(user, groups, iss, client, name),
		},
		"v2-hosted-auth": {
			id:     join(user, groups, roles, iss, id, ada),
			access: join(user, groups, iss, client, scopes, name),
		},
		"v3-refresh-tokens": {
			id:     join(user, iss, id, ada),
			access: join(user, iss, client, scopes, name),
		},
		"v3-client-credentials": {
			access: join(`"sub":"7k3v9q2m4s1t8w5x6y0z2a4b6c"`, iss, client, `"scope":"orders/read orders/write"`),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			event := sample(t, name)
			outcome := apply(t, event, event)
			if outcome.IDToken != nil {
				if diff := cmp.Diff(test.id, string(outcome.IDToken.Payload())); diff != "" {
					t.Errorf("ID token (-want +got):\n%s", diff)
				}
			} else if test.id != "" {
				t.Error("there is no ID token")
			}
			if diff := cmp.Diff(test.access, string(outcome.AccessToken.Payload())); diff != "" {
				t.Errorf("access token (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttributesInIDToken(t *testing.T) {
	event := with(t, sample(t, "v2-authentication"), "request", `{"userAttributes":{
		"sub":"ada","cognito:user_status":"CONFIRMED","email_verified":"false","custom:seats":"9007199254740993","name":"<Ada> & \u00e9",
		"identities":"[ {\"userId\": \"7\"} ]","dev:secret":"x","custom:odd":12345678901234567890}}`)
	const want = `{"sub":"ada","iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E",` +
		`"cognito:username":"1f0c5d1e-7f7b-4c57-9a83-0c9d8f2b6a11","aud":"7k3v9q2m4s1t8w5x6y0z2a4b6c","token_use":"id",` +
		`"email_verified":false,"custom:seats":"9007199254740993","name":"<Ada> & é","identities":[{"userId":"7"}],"dev:secret":"x",` +
		`"custom:odd":12345678901234567890}`
	if diff := cmp.Diff(want, string(apply(t, event, event).IDToken.Payload())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRules has one entry for each rule of Cognito's. The sample user has the groups admins and billing, and a role.
func TestRules(t *testing.T) {
	v1 := func(details string) string { return `{"claimsOverrideDetails":` + details + `}` }
	v2 := func(details string) string { return `{"claimsAndScopeOverrideDetails":` + details + `}` }
	id := func(changes string) string { return v2(`{"idTokenGeneration":` + changes + `}`) }
	access := func(changes string) string { return v2(`{"accessTokenGeneration":` + changes + `}`) }
	groups := func(overrides string) string { return v2(`{"groupOverrideDetails":` + overrides + `}`) }
	tests := map[string]struct {
		event      string // v2-authentication if empty
		response   string
		id, access []string
		findings   []string
		refused    bool
	}{
		"nothing":           {response: v2(`null`)},
		"an empty response": {response: `{}`},
		"null parts": {
			response: v2(`{"idTokenGeneration":null,` +
				`"accessTokenGeneration":{"claimsToAddOrOverride":null,"claimsToSuppress":null,"scopesToAdd":null}}`),
		},
		"a claim in each token": {
			response: v2(`{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold","email":"a@b"}},` +
				`"accessTokenGeneration":{"claimsToAddOrOverride":{"n":1}}}`),
			id:     []string{`~ email "a@b"`, `+ plan "gold"`},
			access: []string{`+ n 1`},
		},
		"a claim with Cognito's own value": {response: id(`{"claimsToAddOrOverride":{"email":"ada@example.com","custom:plan":"gold"}}`)},
		"every type, digit for digit": {
			response: access(`{"claimsToAddOrOverride":{"s":"<&>","i":9007199254740993,"f":1.10,"e":1.7976931348623157E308,"b":false,` +
				`"a":["x",18446744073709551616,true],"o":{"deep":[null,{"n":9007199254740993}]},"aud":"7k3v9q2m4s1t8w5x6y0z2a4b6c"}}`),
			access: []string{
				`+ s "<&>"`, `+ i 9007199254740993`, `+ f 1.10`, `+ e 1.7976931348623157E308`, `+ b false`,
				`+ a ["x",18446744073709551616,true]`, `+ o {"deep":[null,{"n":9007199254740993}]}`, `+ aud "7k3v9q2m4s1t8w5x6y0z2a4b6c"`,
			},
		},
		"null and nested arrays": {
			response: access(`{"claimsToAddOrOverride":{"none":null,"deep":[["a"]],"objects":[{}],"nulls":[null],"kept":[]}}`),
			access:   []string{`+ kept []`},
			findings: []string{
				`error: access token claim "none" is null, which is no value: leave the claim out or suppress it`,
				`error: access token claim "deep" is an array of more than strings, numbers and booleans`,
				`error: access token claim "objects" is an array of more than strings, numbers and booleans`,
				`error: access token claim "nulls" is an array of more than strings, numbers and booleans`,
			},
		},
		"complex values of simple claims": {
			response: v2(`{"idTokenGeneration":{"claimsToAddOrOverride":` +
				`{"address":{"a":1},"email_verified":[true],"updated_at":1,"phone_number_verified":{}}},"accessTokenGeneration":{"claimsToAddOrOverride":{"address":{"a":1}}}}`),
			id:     []string{`+ updated_at 1`},
			access: []string{`+ address {"a":1}`},
			findings: []string{
				`error: ID token claim "address" cannot be an array or an object`,
				`error: ID token claim "email_verified" cannot be an array or an object`,
				`error: ID token claim "phone_number_verified" cannot be an array or an object`,
			},
		},
		"a foreign aud": {
			response: v2(`{"idTokenGeneration":{"claimsToAddOrOverride":{"aud":"7k3v9q2m4s1t8w5x6y0z2a4b6c"}},` +
				`"accessTokenGeneration":{"claimsToAddOrOverride":{"aud":"api"}}}`),
			findings: []string{
				`error: ID token claim "aud" cannot be set: Cognito lets nobody change it`,
				`error: access token claim "aud" can only be the id of the app client, callerContext.clientId`,
			},
		},
		"claims with a prefix, scope, no name": {
			response: access(`{"claimsToAddOrOverride":{"cognito:groups":["root"],"cognito:username":"x","dev:x":"x","scope":"root","":"x"}}`),
			findings: []string{
				`error: access token claim "cognito:groups" cannot be set: groups and roles change through groupOverrideDetails`,
				`error: access token claim "cognito:username" cannot be set: Cognito keeps cognito: claims to itself`,
				`error: access token claim "dev:x" cannot be set: a dev: claim can only be suppressed`,
				`error: access token claim "scope" cannot be set: scopes change through scopesToAdd and scopesToSuppress`,
				`error: access token claim "" needs a name`,
			},
		},
		"suppressed claims": {
			response: id(`{"claimsToSuppress":["email","custom:plan","dev:x","unknown"]}`),
			id:       []string{`- email "ada@example.com"`, `- custom:plan "gold"`},
		},
		"suppressed groups": {
			response: id(`{"claimsToSuppress":["cognito:groups"]}`),
			id: []string{
				`- cognito:groups ["admins","billing"]`, `- cognito:roles ["arn:aws:iam::123456789012:role/billing"]`,
				`- cognito:preferred_role "arn:aws:iam::123456789012:role/billing"`,
			},
		},
		"suppressed roles alone, and what cannot be suppressed": {
			response: access(`{"claimsToSuppress":["cognito:roles","cognito:preferred_role","cognito:username","sub","scope","aud",""]}`),
			findings: []string{
				`error: access token claim "cognito:roles" cannot be suppressed by itself: suppress cognito:groups`,
				`error: access token claim "cognito:preferred_role" cannot be suppressed by itself: suppress cognito:groups`,
				`error: access token claim "cognito:username" cannot be suppressed: Cognito keeps cognito: claims to itself`,
				`error: access token claim "sub" cannot be suppressed: Cognito lets nobody change it`,
				`error: access token claim "scope" cannot be suppressed: scopes change through scopesToAdd and scopesToSuppress`,
				`error: access token claim "aud" cannot be suppressed: Cognito lets nobody change it`,
				`error: access token claim "" needs a name`,
			},
		},
		"suppressing beats adding": {
			response: id(`{"claimsToAddOrOverride":{"plan":"gold","email":"a@b"},"claimsToSuppress":["plan","email"]}`),
			id:       []string{`- email "a@b"`},
			findings: []string{
				`warning: ID token claim "plan" is both added and suppressed: Cognito suppresses it`,
				`warning: ID token claim "email" is both added and suppressed: Cognito suppresses it`,
			},
		},
		"scopes": {
			response: access(`{"scopesToAdd":["orders/read","openid","orders/read"],"scopesToSuppress":["email","unknown"]}`),
			access:   []string{`~ scope "openid aws.cognito.signin.user.admin orders/read"`},
		},
		"scopes that change nothing": {response: access(`{"scopesToAdd":["openid"],"scopesToSuppress":["unknown"]}`)},
		"no scope left": {
			response: access(`{"scopesToSuppress":["openid","email","aws.cognito.signin.user.admin"]}`),
			access:   []string{`- scope "openid email aws.cognito.signin.user.admin"`},
		},
		"scopes that are none": {
			response: access(`{"scopesToAdd":["two scopes","","a\"b","caf\u00e9","both"],"scopesToSuppress":["x\ty","both"]}`),
			findings: []string{
				`error: scope "two scopes" holds a blank: list scopes one by one`,
				`error: scope "" needs a name`,
				`error: scope "a\"b" holds a character that RFC 6749 does not allow in a scope`,
				`error: scope "café" holds a character that RFC 6749 does not allow in a scope`,
				`error: scope "x\ty" holds a blank: list scopes one by one`,
				`warning: scope "both" is both added and suppressed: it is taken to be suppressed`,
			},
		},
		"groups copied": {
			response: groups(`{"groupsToOverride":["admins","billing"],"iamRolesToOverride":["arn:aws:iam::123456789012:role/billing"],` +
				`"preferredRole":"arn:aws:iam::123456789012:role/billing"}`),
		},
		"groups replaced": {
			response: groups(`{"groupsToOverride":["readers"],"iamRolesToOverride":["r1","r2"],"preferredRole":"r1"}`),
			id:       []string{`~ cognito:groups ["readers"]`, `~ cognito:roles ["r1","r2"]`, `~ cognito:preferred_role "r1"`},
			access:   []string{`~ cognito:groups ["readers"]`},
		},
		"groups dropped by null": {
			response: groups(`null`),
			id: []string{
				`- cognito:groups ["admins","billing"]`, `- cognito:roles ["arn:aws:iam::123456789012:role/billing"]`,
				`- cognito:preferred_role "arn:aws:iam::123456789012:role/billing"`,
			},
			access: []string{`- cognito:groups ["admins","billing"]`},
			findings: []string{
				`loss: groupOverrideDetails is empty or null, so the user loses the groups: leave it out to keep them, ` +
					`suppress cognito:groups to hide them`,
			},
		},
		"groups dropped by the nulls of aws-lambda-go": {
			response: groups(`{"groupsToOverride":null,"iamRolesToOverride":null,"preferredRole":null}`),
			id: []string{
				`- cognito:groups ["admins","billing"]`, `- cognito:roles ["arn:aws:iam::123456789012:role/billing"]`,
				`- cognito:preferred_role "arn:aws:iam::123456789012:role/billing"`,
			},
			access: []string{`- cognito:groups ["admins","billing"]`},
			findings: []string{
				`loss: groupOverrideDetails has only null members, so the user loses the groups: leave it out to keep them, ` +
					`suppress cognito:groups to hide them`,
			},
		},
		"groups dropped from a user without any": {
			event: "v2-refresh-tokens", response: groups(`{}`),
			findings: []string{`warning: groupOverrideDetails is empty or null: a user who has groups would lose them; leave it out to keep them`},
		},
		"groups given to a user without any": {
			event: "v2-refresh-tokens", response: groups(`{"groupsToOverride":["readers"],"iamRolesToOverride":["r1"],"preferredRole":"r1"}`),
			id:     []string{`+ cognito:groups ["readers"]`, `+ cognito:roles ["r1"]`, `+ cognito:preferred_role "r1"`},
			access: []string{`+ cognito:groups ["readers"]`},
		},
		"no groups on purpose": {
			response: groups(`{"groupsToOverride":[],"iamRolesToOverride":["arn:aws:iam::123456789012:role/billing"],` +
				`"preferredRole":"arn:aws:iam::123456789012:role/billing"}`),
			id: []string{`- cognito:groups ["admins","billing"]`}, access: []string{`- cognito:groups ["admins","billing"]`},
			findings: []string{`warning: groupOverrideDetails has no groupsToOverride, so the user loses the groups`},
		},
		"groups without roles": {
			response: groups(`{"groupsToOverride":["admins","billing"]}`),
			id: []string{
				`- cognito:roles ["arn:aws:iam::123456789012:role/billing"]`,
				`- cognito:preferred_role "arn:aws:iam::123456789012:role/billing"`,
			},
			findings: []string{`warning: groupOverrideDetails has no iamRolesToOverride, so the user loses the roles of the groups`},
		},
		"groups without the preferred role": {
			response: groups(`{"groupsToOverride":["admins","billing"],"iamRolesToOverride":["arn:aws:iam::123456789012:role/billing"]}`),
			id:       []string{`- cognito:preferred_role "arn:aws:iam::123456789012:role/billing"`},
			findings: []string{`warning: groupOverrideDetails has no preferredRole, so the user loses the preferred role`},
		},
		"version 1": {
			event: "v1-authentication",
			response: v1(`{"claimsToAddOrOverride":{"plan":"gold"},"claimsToSuppress":["email"],` +
				`"groupOverrideDetails":{"groupsToOverride":["readers"],"iamRolesToOverride":["r"],"preferredRole":"r"}}`),
			id: []string{
				`~ cognito:groups ["readers"]`, `~ cognito:roles ["r"]`, `~ cognito:preferred_role "r"`,
				`- email "ada@example.com"`, `+ plan "gold"`,
			},
			access: []string{`~ cognito:groups ["readers"]`},
		},
		"version 1 takes strings alone": {
			event:    "v1-authentication",
			response: v1(`{"claimsToAddOrOverride":{"seats":5,"roles":["a"],"none":null,"plan":"gold"}}`),
			refused:  true,
			findings: []string{
				`error: ID token claim "seats" is not a string, the only type of version 1`,
				`error: ID token claim "roles" is not a string, the only type of version 1`,
				`error: ID token claim "none" is not a string, the only type of version 1`,
			},
		},
		"version 2 in version 1": {
			event:    "v1-authentication",
			response: `{"claimsOverrideDetails":{"idTokenGeneration":{},"scopesToAdd":["x"]},"claimsAndScopeOverrideDetails":{}}`,
			findings: []string{
				`error: response has claimsAndScopeOverrideDetails, which has no place there in version 1: Cognito ignores it`,
				`error: claimsOverrideDetails has idTokenGeneration, which has no place there in version 1: Cognito ignores it`,
				`error: claimsOverrideDetails has scopesToAdd, which has no place there in version 1: Cognito ignores it`,
			},
		},
		"version 1 in version 2": {
			response: `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"plan":"gold"}}}`,
			findings: []string{`error: response has claimsOverrideDetails, which has no place there in version 2: Cognito ignores it`},
		},
		"parts in the wrong place": {
			response: v2(`{"claimsToAddOrOverride":{"x":1},"idTokenGeneration":{"scopesToAdd":["x"],"groupOverrideDetails":{}}}`),
			findings: []string{
				`error: claimsAndScopeOverrideDetails has claimsToAddOrOverride, which has no place there in version 2: Cognito ignores it`,
				`error: idTokenGeneration has scopesToAdd, which has no place there in version 2: Cognito ignores it`,
				`error: idTokenGeneration has groupOverrideDetails, which has no place there in version 2: Cognito ignores it`,
			},
		},
		"unknown fields": {
			response: `{"a":1,"ClaimsAndScopeOverrideDetails":{},` +
				`"claimsAndScopeOverrideDetails":{"b":1,"accessTokenGeneration":{"c":1},"groupOverrideDetails":{"d":1}}}`,
			id: []string{
				`- cognito:groups ["admins","billing"]`, `- cognito:roles ["arn:aws:iam::123456789012:role/billing"]`,
				`- cognito:preferred_role "arn:aws:iam::123456789012:role/billing"`,
			},
			access: []string{`- cognito:groups ["admins","billing"]`},
			findings: []string{
				`warning: response has a field that Cognito does not know: "a"`,
				`warning: response has a field that Cognito does not know: "ClaimsAndScopeOverrideDetails"`,
				`warning: claimsAndScopeOverrideDetails has a field that Cognito does not know: "b"`,
				`warning: accessTokenGeneration has a field that Cognito does not know: "c"`,
				`warning: groupOverrideDetails has a field that Cognito does not know: "d"`,
				`warning: groupOverrideDetails has no groupsToOverride, so the user loses the groups`,
			},
		},
		"the same claim twice": {
			response: id(`{"claimsToAddOrOverride":{"plan":"silver","plan":"gold"}}`),
			id:       []string{`+ plan "gold"`},
			findings: []string{`warning: claimsToAddOrOverride has "plan" more than once: the last one is taken to count`},
		},
		"other types than those of the guide": {
			response: `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":[],"accessTokenGeneration":{"claimsToAddOrOverride":[],` +
				`"claimsToSuppress":"email","scopesToAdd":[1]},"groupOverrideDetails":{"groupsToOverride":"admins","preferredRole":["r"]}}}`,
			refused: true,
			findings: []string{
				`error: idTokenGeneration is not an object`,
				`error: claimsToAddOrOverride is not an object`,
				`error: claimsToSuppress is not an array of strings`,
				`error: scopesToAdd is not an array of strings`,
				`error: groupsToOverride is not an array of strings`,
				`error: preferredRole is not a string`,
				`warning: groupOverrideDetails has no groupsToOverride, so the user loses the groups`,
			},
		},
		"an array for the details, as in the guide's sample": {
			response: v2(`[]`), refused: true,
			findings: []string{`error: claimsAndScopeOverrideDetails is not an object`},
		},
		"a response that is text": {response: `"ok"`, refused: true, findings: []string{`error: response is not an object`}},
		"a machine": {
			event:    "v3-client-credentials",
			response: access(`{"claimsToAddOrOverride":{"caller_type":"machine"},"scopesToSuppress":["orders/write"]}`),
			id:       []string{"none"}, access: []string{`~ scope "orders/read"`, `+ caller_type "machine"`},
		},
		"what a machine does not have": {
			event:    "v3-client-credentials",
			response: v2(`{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}},"groupOverrideDetails":{"groupsToOverride":["root"]}}`),
			id:       []string{"none"},
			findings: []string{
				`warning: idTokenGeneration changes nothing: a machine has no ID token`,
				`warning: groupOverrideDetails changes nothing: a machine has no groups`,
			},
		},
		"a large token": {
			response: access(`{"claimsToAddOrOverride":{"big":"` + strings.Repeat("x", 2044) + `"}}`),
			access:   []string{`+ big "` + strings.Repeat("x", 2044) + `"`},
			findings: []string{
				`warning: access token gets large: 2049 bytes of claims and scopes from the trigger, 2374 in all; ` +
					`headers of more than 8 KB are refused in many places`,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.event == "" {
				test.event = "v2-authentication"
			}
			event := sample(t, test.event)
			outcome := apply(t, event, answer(t, event, test.response))
			if diff := cmp.Diff(test.findings, findings(outcome)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if outcome.Refused != test.refused {
				t.Errorf("refused %v, want %v", outcome.Refused, test.refused)
			}
			if test.refused {
				if outcome.IDToken != nil || outcome.AccessToken != nil {
					t.Error("there are tokens although the answer is refused")
				}
				return
			}
			if diff := cmp.Diff(test.id, lines(outcome.IDToken)); diff != "" {
				t.Errorf("ID token (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.access, lines(outcome.AccessToken)); diff != "" {
				t.Errorf("access token (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFixedClaims tries each claim that Cognito keeps to itself, in both tokens.
func TestFixedClaims(t *testing.T) {
	event := sample(t, "v2-authentication")
	for claim := range strings.FieldsSeq("acr amr at_hash auth_time azp client_id cognito:mfa cognito:username device_key event_id exp iat identities " +
		"iss jti nbf nonce origin_jti sub token_use username version") {
		t.Run(claim, func(t *testing.T) {
			changes := `{"claimsToAddOrOverride":{"` + claim + `":"x"},"claimsToSuppress":["` + claim + `"]}`
			outcome := apply(t, event, answer(t, event,
				`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":`+changes+`,"accessTokenGeneration":`+changes+`}}`))
			warning := slices.ContainsFunc(outcome.Findings, func(f cognito.Finding) bool { return f.Severity != cognito.Error })
			if len(outcome.Findings) != 4 || warning {
				t.Errorf("findings %q, want 4 errors", findings(outcome))
			}
			if touched := slices.Concat(lines(outcome.IDToken), lines(outcome.AccessToken)); len(touched) > 0 {
				t.Errorf("changed: %q", touched)
			}
		})
	}
}

func TestResultingGroupsAndScopes(t *testing.T) {
	event := sample(t, "v2-authentication")
	outcome := apply(t, event, answer(t, event, `{"claimsAndScopeOverrideDetails":{
		"idTokenGeneration":{"claimsToSuppress":["cognito:groups"]},
		"accessTokenGeneration":{"scopesToAdd":["orders/read"],"scopesToSuppress":["email","openid"]},
		"groupOverrideDetails":{"groupsToOverride":["readers"],"iamRolesToOverride":["r"],"preferredRole":"r"}}}`))
	if outcome.IDToken.Groups != nil {
		t.Errorf("groups of the ID token: %q", outcome.IDToken.Groups)
	}
	if want := []string{"readers"}; !slices.Equal(outcome.AccessToken.Groups, want) {
		t.Errorf("groups of the access token: %q, want %q", outcome.AccessToken.Groups, want)
	}
	if want := []string{"aws.cognito.signin.user.admin", "orders/read"}; !slices.Equal(outcome.AccessToken.Scopes, want) {
		t.Errorf("scopes %q, want %q", outcome.AccessToken.Scopes, want)
	}
	if claim, found := outcome.AccessToken.Claim("scope"); !found || string(claim.Value) != `"aws.cognito.signin.user.admin orders/read"` {
		t.Errorf("scope is %s", claim.Value)
	}
}

// TestEcho changes an answer outside its response.
func TestEcho(t *testing.T) {
	event := with(t, sample(t, "v2-authentication"), "request", `{"userAttributes":{"sub":"ada","n":9007199254740993},"scopes":[]}`)
	as := func(name, value string) []byte { return with(t, event, name, value) }
	const not = " is not what was sent: return the event as it came, and the response with it"
	const missing = " is missing from the answer: return the event as it came, and the response with it"
	tests := map[string]struct {
		answer   []byte
		findings []string
		refused  bool
	}{
		"as it came":        {answer: event},
		"other white space": {answer: as("request", `{ "scopes" : [ ],"userAttributes":{"n":9007199254740993,"sub":"ada"} }`)},
		"a number rounded": {
			answer:   as("request", `{"userAttributes":{"sub":"ada","n":9007199254740992},"scopes":[]}`),
			findings: []string{"error: request" + not},
		},
		"a field of the request": {
			answer:   as("request", `{"userAttributes":{"sub":"ada","n":9007199254740993}}`),
			findings: []string{"error: request" + not},
		},
		"null for what was not sent": {
			answer: as("request", `{"userAttributes":{"sub":"ada","n":9007199254740993,"name":null},"scopes":[],"clientMetadata":null}`),
		},
		"null for what was sent": {
			answer:   as("request", `{"userAttributes":{"sub":"ada","n":9007199254740993},"scopes":null}`),
			findings: []string{"error: request" + not},
		},
		"null for an item of a list": {
			answer:   as("request", `{"userAttributes":{"sub":"ada","n":9007199254740993},"scopes":[null]}`),
			findings: []string{"error: request" + not},
		},
		"no request":      {answer: as("request", ""), findings: []string{"error: request" + missing}},
		"another version": {answer: as("version", `"1"`), findings: []string{"error: version" + not}},
		"another source":  {answer: as("triggerSource", `"TokenGeneration_HostedAuth"`), findings: []string{"error: triggerSource" + not}},
		"another user":    {answer: as("userName", `"eve"`), findings: []string{"error: userName" + not}},
		"another client":  {answer: as("callerContext", `{"clientId":"x"}`), findings: []string{"error: callerContext" + not}},
		"a field more": {
			answer:   as("extra", `1`),
			findings: []string{`warning: answer has a field that was not sent and that Cognito ignores: "extra"`},
		},
		"no response": {
			answer:   as("response", ""),
			findings: []string{"error: answer has no response: Cognito wants the event back with its response filled in"},
		},
		"not JSON":                {answer: []byte("{"), refused: true, findings: []string{"error: answer is not JSON"}},
		"nothing":                 {refused: true, findings: []string{"error: answer is not JSON"}},
		"two values":              {answer: []byte("{} {}"), refused: true, findings: []string{"error: answer is not JSON"}},
		"null":                    {answer: []byte("null"), refused: true, findings: []string{"error: answer is not a JSON object"}},
		"an array of many events": {answer: []byte("[{}]"), refused: true, findings: []string{"error: answer is not a JSON object"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			outcome := apply(t, event, test.answer)
			if diff := cmp.Diff(test.findings, findings(outcome)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if outcome.Refused != test.refused {
				t.Errorf("refused %v, want %v", outcome.Refused, test.refused)
			}
			if failed := strings.HasPrefix(strings.Join(test.findings, " "), "error"); outcome.Failed() != failed {
				t.Errorf("failed %v, want %v", outcome.Failed(), failed)
			}
		})
	}
}

// TestLargeUser has more attributes than fit into a token. That is a finding only if the trigger adds to it.
// TestNullInRequest leaves out what was sent as null.
func TestNullInRequest(t *testing.T) {
	event := with(t, sample(t, "v2-authentication"), "request", `{"userAttributes":{"sub":"ada"},"clientMetadata":null}`)
	outcome := apply(t, event, with(t, event, "request", `{"userAttributes":{"sub":"ada"}}`))
	if len(outcome.Findings) > 0 {
		t.Errorf("findings %q, want none", findings(outcome))
	}
}

// TestLoss tells what users lose from what Cognito refuses.
func TestLoss(t *testing.T) {
	event := sample(t, "v2-authentication")
	for name, test := range map[string]struct {
		response           string
		failed, onlyLosses bool
	}{
		"nothing":     {response: `{}`},
		"lost groups": {response: `{"groupOverrideDetails":{"groupsToOverride":null}}`, failed: true, onlyLosses: true},
		"a refusal":   {response: `{"idTokenGeneration":{"claimsToAddOrOverride":{"sub":"x"}}}`, failed: true},
		"both":        {response: `{"groupOverrideDetails":null,"idTokenGeneration":{"claimsToAddOrOverride":{"sub":"x"}}}`, failed: true},
		"a warning":   {response: `{"unknown":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			outcome := apply(t, event, answer(t, event, `{"claimsAndScopeOverrideDetails":`+test.response+`}`))
			if outcome.Failed() != test.failed || outcome.OnlyLosses() != test.onlyLosses {
				t.Errorf("failed %v, only losses %v: %q", outcome.Failed(), outcome.OnlyLosses(), findings(outcome))
			}
		})
	}
}

func TestLargeUser(t *testing.T) {
	event := with(t, sample(t, "v1-authentication"), "request", `{"userAttributes":{"sub":"ada","custom:notes":"`+strings.Repeat("x", 4096)+`"}}`)
	if outcome := apply(t, event, event); len(outcome.Findings) > 0 {
		t.Errorf("findings %q", findings(outcome))
	}
	outcome := apply(t, event, answer(t, event, `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"plan":"gold"}}}`))
	if len(outcome.Findings) != 1 || outcome.Findings[0].Severity != cognito.Warning {
		t.Errorf("findings %q, want one warning", findings(outcome))
	}
}

func TestManagedLoginWithoutOpenID(t *testing.T) {
	event := with(t, sample(t, "v2-hosted-auth"), "request", `{"userAttributes":{"sub":"ada"},"scopes":["orders/read"]}`)
	if outcome := apply(t, event, event); outcome.IDToken != nil || outcome.AccessToken == nil {
		t.Errorf("ID token %v, access token %v", outcome.IDToken, outcome.AccessToken)
	}
}

func TestNotAnEvent(t *testing.T) {
	const secret = "ada@example.com"
	event := with(t, sample(t, "v1-authentication"), "userName", `"`+secret+`"`)
	for name, event := range map[string][]byte{
		"nothing":              nil,
		"text":                 []byte(secret),
		"an array":             []byte(`["` + secret + `"]`),
		"half an event":        event[:len(event)/2],
		"another version":      with(t, event, "version", `"`+secret+`"`),
		"no version":           with(t, event, "version", ""),
		"another trigger":      with(t, event, "triggerSource", `"PreSignUp_SignUp"`),
		"a machine in v1":      with(t, event, "triggerSource", `"TokenGeneration_ClientCredentials"`),
		"a machine in v2":      with(t, with(t, event, "version", `"2"`), "triggerSource", `"TokenGeneration_ClientCredentials"`),
		"no request":           with(t, event, "request", ""),
		"a request of another": with(t, event, "request", `[]`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cognito.Apply(event, event)
			if !errors.Is(err, cognito.ErrNotEvent) {
				t.Fatalf("error %v, want %v", err, cognito.ErrNotEvent)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells what the event holds: %v", err)
			}
		})
	}
}

// TestSampleEvents answers every sample event as it came, and with a claim in each token.
func TestSampleEvents(t *testing.T) {
	names, err := filepath.Glob("../invoke/examples/cognito/*.json")
	if err != nil || len(names) != 16 {
		t.Fatalf("%d sample events, %v", len(names), err)
	}
	for _, path := range names {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			event := sample(t, name)
			version, machine := name[1:2], strings.HasSuffix(name, "client-credentials")

			outcome := apply(t, event, event)
			if len(outcome.Findings) > 0 {
				t.Errorf("findings %q", findings(outcome))
			}
			if outcome.Version != version || !strings.HasPrefix(outcome.Source, "TokenGeneration_") {
				t.Errorf("version %s, source %s", outcome.Version, outcome.Source)
			}
			if (outcome.IDToken == nil) != machine || outcome.AccessToken == nil {
				t.Errorf("ID token %v, access token %v", outcome.IDToken, outcome.AccessToken)
			}
			for _, row := range outcome.Table().Rows {
				if row.Touched() {
					t.Errorf("%s is touched", row.Claim)
				}
			}

			response := `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}},` +
				`"accessTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}}}}`
			added := []string{`+ plan "gold"`}
			switch {
			case version == "1":
				response = `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"plan":"gold"}}}`
			case machine:
				response = `{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}}}}`
			}
			outcome = apply(t, event, answer(t, event, response))
			if len(outcome.Findings) > 0 {
				t.Errorf("findings %q", findings(outcome))
			}
			if got := lines(outcome.IDToken); !machine && !slices.Equal(got, added) {
				t.Errorf("ID token %q, want %q", got, added)
			}
			if got := lines(outcome.AccessToken); (version != "1") != slices.Equal(got, added) {
				t.Errorf("access token %q", got)
			}
		})
	}
}

func TestTable(t *testing.T) {
	event := with(t, sample(t, "v3-authentication"), "request", `{"userAttributes":{"sub":"ada","email":"a@b"},"scopes":["openid"]}`)
	outcome := apply(t, event, answer(t, event, `{"claimsAndScopeOverrideDetails":{
		"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"},"claimsToSuppress":["email"]},
		"accessTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold","seats":5},"scopesToAdd":["x"]}}}`))
	var got []string
	for _, row := range outcome.Table().Rows {
		if row.Touched() {
			got = append(got, fmt.Sprintf("%s|%s %s|%s %s", row.Claim, row.ID.Mark, row.ID.Value, row.Access.Mark, row.Access.Value))
		} else {
			got = append(got, row.Claim)
		}
	}
	want := []string{
		"sub", "iss", "cognito:username", "aud", "token_use", `email|suppressed "a@b"| `, `plan|added "gold"|added "gold"`,
		"client_id", `scope| |changed "openid x"`, "username", `seats| |added 5`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzApply looks for answers that break the judge or get past it.
func FuzzApply(f *testing.F) {
	names, err := filepath.Glob("../invoke/examples/cognito/*.json")
	if err != nil || len(names) == 0 {
		f.Fatalf("no sample events: %v", err)
	}
	for _, name := range names {
		event, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(event, event)
		f.Add(event, answer(f, event, `{"claimsAndScopeOverrideDetails":{
			"idTokenGeneration":{"claimsToAddOrOverride":{"sub":"x","a":[1]},"claimsToSuppress":["email"]},
			"accessTokenGeneration":{"claimsToAddOrOverride":{"o":{"n":9007199254740993}},"scopesToAdd":["a b","c"]},
			"groupOverrideDetails":null}}`))
		f.Add(event, answer(f, event, `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"a":"b"},"groupOverrideDetails":{"groupsToOverride":["x"]}}}`))
	}
	fixed := strings.Fields("sub iss aud client_id username token_use cognito:username exp")
	f.Fuzz(func(t *testing.T, event, answer []byte) {
		outcome, err := cognito.Apply(event, answer)
		if err != nil {
			return
		}
		if outcome.Refused != (outcome.AccessToken == nil) || outcome.Refused && !outcome.Failed() {
			t.Fatalf("refused %v, access token %v, findings %q", outcome.Refused, outcome.AccessToken, outcome.Findings)
		}
		for kind, token := range map[string]*cognito.Token{"ID": outcome.IDToken, "access": outcome.AccessToken} {
			if token == nil {
				continue
			}
			if !json.Valid(token.Payload()) {
				t.Errorf("the payload of the %s token is not JSON: %s", kind, token.Payload())
			}
			seen := map[string]bool{}
			for _, claim := range token.Claims {
				if seen[claim.Name] || bytes.ContainsRune(claim.Value, '\n') {
					t.Errorf("claim %q of the %s token is there twice or not compact: %s", claim.Name, kind, claim.Value)
				}
				seen[claim.Name] = true
				client := kind == "access" && claim.Name == "aud"
				if claim.Mark != cognito.Kept && slices.Contains(fixed, claim.Name) && !client {
					t.Errorf("%s of the %s token is %s", claim.Name, kind, claim.Mark)
				}
			}
		}
	})
}

// TestManyClaims would take minutes if each claim were compared with every other.
func TestManyClaims(t *testing.T) {
	const count = 30_000
	var claims, names strings.Builder
	for i := range count {
		fmt.Fprintf(&claims, `,"a%d":"x","cognito:%d":null`, i, i)
		fmt.Fprintf(&names, `,"a%d","sub"`, i)
	}
	event := sample(t, "v2-authentication")
	outcome := apply(t, event, answer(t, event, `{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{
		"claimsToAddOrOverride":{`+claims.String()[1:]+`},"claimsToSuppress":[`+names.String()[1:]+`],
		"scopesToAdd":[`+names.String()[1:]+`],"scopesToSuppress":[`+names.String()[1:]+`]}}}`))
	if want := 3*count + 2; len(outcome.Findings) < want { // each claim twice, each scope once, sub in two places
		t.Errorf("%d findings, want %d", len(outcome.Findings), want)
	}
}
