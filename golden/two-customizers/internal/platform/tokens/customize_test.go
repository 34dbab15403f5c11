package tokens_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/tokens"
)

// changes is a response in a form that is easy to write down: claims as JSON, lists as they are.
type changes struct {
	ID, Access               map[string]string
	IDSuppress, AccSuppress  []string
	AddScopes, SuppressScope []string
}

func flatten(response pretoken.Response) changes {
	claims := func(changes pretoken.Changes) map[string]string {
		if len(changes.Claims) == 0 {
			return nil
		}
		flat := map[string]string{}
		for name, value := range changes.Claims {
			flat[name] = string(value)
		}
		return flat
	}
	return changes{
		ID: claims(response.IDToken), IDSuppress: response.IDToken.Suppress,
		Access: claims(response.AccessToken), AccSuppress: response.AccessToken.Suppress,
		AddScopes: response.AccessToken.AddScopes, SuppressScope: response.AccessToken.SuppressScopes,
	}
}

// handlerOf returns a handler that logs nothing.
func handlerOf(t *testing.T, policy tokens.Policy, version pretoken.Version) *tokens.Handler {
	t.Helper()
	handler, err := tokens.New(tokens.Config{Policy: policy, Trigger: version, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func user() *pretoken.Event {
	return &pretoken.Event{
		TriggerSource: pretoken.Authentication,
		ClientID:      "web",
		Attributes: map[string]string{
			"email": "ada@example.com", "custom:seats": "9007199254740993", "custom:beta": "true", "custom:limits": `{"rows":[1,{"deep":null}]}`,
			"custom:list": `["a",1,true]`, "custom:nested": `[["a"]]`, "custom:null": "null",
		},
		Groups: []string{"admins", "billing"},
	}
}

func TestCustomize(t *testing.T) {
	rules := func(rules ...tokens.Rule) tokens.Policy { return tokens.Policy{Rules: rules, MaxSize: 100} }
	access := func(claims ...tokens.Claim) tokens.Policy {
		return rules(tokens.Rule{Tokens: tokens.AccessToken, Claims: claims})
	}
	found := func(found tokens.Found) tokens.Policy {
		return tokens.Policy{MaxSize: 100, Lookup: tokens.Lookup{
			Timeout: time.Minute,
			Tokens:  tokens.AccessToken,
			Claims:  []string{"tier", "tags", "aud", "deep", "f", "none"},
			Scopes:  []string{"reports/read"},
			Find:    func(context.Context, *pretoken.Event) (tokens.Found, error) { return found, nil },
		}}
	}
	tests := map[string]struct {
		policy   tokens.Policy
		event    func(*pretoken.Event)
		want     changes
		problems []string
	}{
		"attribute, renamed, in both tokens": {
			policy: rules(tokens.Rule{Claims: []tokens.Claim{{Name: "mail", From: tokens.Attribute("email")}}}),
			want:   changes{ID: map[string]string{"mail": `"ada@example.com"`}, Access: map[string]string{"mail": `"ada@example.com"`}},
		},
		"attribute as number, boolean and JSON": {
			policy: access(
				tokens.Claim{Name: "seats", From: tokens.AttributeAs("custom:seats", tokens.Number)},
				tokens.Claim{Name: "beta", From: tokens.AttributeAs("custom:beta", tokens.Boolean)},
				tokens.Claim{Name: "limits", From: tokens.AttributeAs("custom:limits", tokens.JSON)},
				tokens.Claim{Name: "list", From: tokens.AttributeAs("custom:list", tokens.JSON)}),
			want: changes{Access: map[string]string{
				"seats": "9007199254740993", "beta": "true", "limits": `{"rows":[1,{"deep":null}]}`, "list": `["a",1,true]`,
			}},
		},
		"lists": {
			policy: access(
				tokens.Claim{Name: "saml", From: tokens.AttributeAs("custom:ad-groups", tokens.List)},
				tokens.Claim{Name: "json", From: tokens.AttributeAs("custom:list", tokens.List)},
				tokens.Claim{Name: "none", From: tokens.AttributeAs("custom:empty", tokens.List)},
				tokens.Claim{Name: "roles", From: tokens.Groups("custom:ad-groups", "custom:absent")}),
			event: func(event *pretoken.Event) {
				event.Groups = []string{"admins"}
				event.Attributes["custom:ad-groups"], event.Attributes["custom:empty"] = "[grp one, admins, grp two]", "[]"
			},
			want: changes{Access: map[string]string{
				"saml": `["grp one","admins","grp two"]`, "json": `["a","1","true"]`, "roles": `["admins","grp one","grp two"]`,
			}},
		},
		"attribute of another type": {
			policy: access(
				tokens.Claim{Name: "number", From: tokens.AttributeAs("email", tokens.Number)},
				tokens.Claim{Name: "boolean", From: tokens.AttributeAs("custom:seats", tokens.Boolean)},
				tokens.Claim{Name: "json", From: tokens.AttributeAs("email", tokens.JSON)},
				tokens.Claim{Name: "nested", From: tokens.AttributeAs("custom:nested", tokens.JSON)},
				tokens.Claim{Name: "null", From: tokens.AttributeAs("custom:null", tokens.JSON)}),
			problems: []string{"number", "boolean", "json", "nested", "null"},
		},
		"attribute that the user does not have": {
			policy: access(tokens.Claim{Name: "plan", From: tokens.Attribute("custom:plan")}),
		},
		"an object where an ID token takes none": {
			policy: rules(tokens.Rule{Claims: []tokens.Claim{
				{Name: "address", From: tokens.AttributeAs("custom:limits", tokens.JSON)},
			}}),
			want:     changes{Access: map[string]string{"address": `{"rows":[1,{"deep":null}]}`}},
			problems: []string{"address"},
		},
		"groups and static values": {
			policy: access(
				tokens.Claim{Name: "roles", From: tokens.Groups()},
				tokens.Claim{Name: "stage", From: tokens.Static("test")}),
			want: changes{Access: map[string]string{"roles": `["admins","billing"]`, "stage": `"test"`}},
		},
		"static values of all kinds": {
			policy: access(
				tokens.Claim{Name: "million", From: tokens.Static(1e6)},
				tokens.Claim{Name: "tiny", From: tokens.Static(1e-7)},
				tokens.Claim{Name: "limit", From: tokens.Static(int64(1) << 53)},
				tokens.Claim{Name: "flags", From: tokens.Static([]bool{true, false})},
				tokens.Claim{Name: "stage", From: tokens.Static(json.RawMessage(`"x"`))},
				tokens.Claim{Name: "seats", From: tokens.Static(map[string]int{"b": 1, "a": 2})}),
			want: changes{Access: map[string]string{
				"million": "1000000", "tiny": "1e-7", "limit": "9007199254740992", "flags": "[true,false]", "stage": `"x"`, "seats": `{"a":2,"b":1}`,
			}},
		},
		"no groups": {
			policy: access(tokens.Claim{Name: "roles", From: tokens.Groups()}),
			event:  func(event *pretoken.Event) { event.Groups = nil },
		},
		"aud of the client": {
			policy: access(tokens.Claim{Name: "aud", From: tokens.ClientID()}),
			want:   changes{Access: map[string]string{"aud": `"web"`}},
		},
		"aud of somebody else": {
			policy:   access(tokens.Claim{Name: "aud", From: tokens.Static("api")}),
			problems: []string{"aud"},
		},
		"scopes and suppressed claims": {
			policy: rules(
				tokens.Rule{AddScopes: []string{"a", "b", "a"}, SuppressScopes: []string{"openid", "b"}, SuppressClaims: []string{"dev:x", "dev:x"}},
				tokens.Rule{Tokens: tokens.IDToken, SuppressClaims: []string{"email", "cognito:groups"}}),
			want: changes{
				IDSuppress: []string{"dev:x", "email", "cognito:groups"}, AccSuppress: []string{"dev:x"},
				AddScopes: []string{"a"}, SuppressScope: []string{"openid", "b"},
			},
		},
		"suppressing beats adding, a later claim an earlier one": {
			policy: rules(
				tokens.Rule{Tokens: tokens.IDToken, SuppressClaims: []string{"out"}},
				tokens.Rule{Tokens: tokens.IDToken, Claims: []tokens.Claim{
					{Name: "out", From: tokens.Static(1)}, {Name: "in", From: tokens.Static(1)}, {Name: "in", From: tokens.Static(2)},
				}}),
			want: changes{ID: map[string]string{"in": "2"}, IDSuppress: []string{"out"}},
		},
		"a later claim with a problem, and one after that": {
			policy: rules(
				tokens.Rule{Claims: []tokens.Claim{{Name: "role", From: tokens.Static("admin")}, {Name: "tier", From: tokens.Static("gold")}}},
				tokens.Rule{Tokens: tokens.AccessToken, Claims: []tokens.Claim{
					{Name: "role", From: tokens.AttributeAs("email", tokens.Number)},
					{Name: "tier", From: tokens.AttributeAs("custom:nested", tokens.JSON)},
					{Name: "tier", From: tokens.Static("none")},
				}}),
			want: changes{
				ID:     map[string]string{"role": `"admin"`, "tier": `"gold"`},
				Access: map[string]string{"tier": `"none"`},
			},
			problems: []string{"role", "tier"},
		},
		"rules for clients and trigger sources": {
			policy: rules(
				tokens.Rule{Clients: []string{"web", "app"}, AddScopes: []string{"web"}},
				tokens.Rule{Clients: []string{"app"}, AddScopes: []string{"app"}},
				tokens.Rule{TriggerSources: []pretoken.TriggerSource{pretoken.Authentication}, AddScopes: []string{"first"}},
				tokens.Rule{TriggerSources: []pretoken.TriggerSource{pretoken.RefreshTokens}, AddScopes: []string{"again"}}),
			want: changes{AddScopes: []string{"web", "first"}},
		},
		"rules for providers": {
			policy: rules(
				tokens.Rule{Providers: []string{"Google", "corp-login"}, AddScopes: []string{"federated"}},
				tokens.Rule{Providers: []string{"Cognito"}, AddScopes: []string{"native"}}),
			event: func(event *pretoken.Event) { event.Attributes["identities"] = `[{"providerName":"corp-login"}]` },
			want:  changes{AddScopes: []string{"federated"}},
		},
		"rules for native users": {
			policy: rules(
				tokens.Rule{Providers: []string{"Google"}, AddScopes: []string{"federated"}},
				tokens.Rule{Providers: []string{"Cognito"}, AddScopes: []string{"native"}}),
			want: changes{AddScopes: []string{"native"}},
		},
		"rules with a condition": {
			policy: rules(
				tokens.Rule{When: func(event *pretoken.Event) bool { return event.Attributes["custom:beta"] == "true" }, AddScopes: []string{"beta"}},
				tokens.Rule{When: func(event *pretoken.Event) bool { return event.ClientID == "app" }, AddScopes: []string{"app"}},
				tokens.Rule{Clients: []string{"app"}, When: func(*pretoken.Event) bool { return true }, AddScopes: []string{"both"}}),
			want: changes{AddScopes: []string{"beta"}},
		},
		"a condition that panics": {
			policy: rules(
				tokens.Rule{Claims: []tokens.Claim{{Name: "tier", From: tokens.Static("gold")}, {Name: "stage", From: tokens.Static("test")}}},
				tokens.Rule{
					When:   func(*pretoken.Event) bool { panic("canary") },
					Claims: []tokens.Claim{{Name: "tier", From: tokens.Static("none")}}, AddScopes: []string{"a"},
					SuppressClaims: []string{"email"}, SuppressScopes: []string{"openid"},
				}),
			want: changes{
				ID: map[string]string{"stage": `"test"`}, Access: map[string]string{"stage": `"test"`},
				IDSuppress: []string{"email"}, AccSuppress: []string{"email"}, SuppressScope: []string{"openid"},
			},
			problems: []string{"rule 2"},
		},
		"values of one's own": {
			policy: access(
				tokens.Claim{Name: "domain", From: tokens.Func(func(event *pretoken.Event) (any, error) {
					_, domain, _ := strings.Cut(event.Attributes["email"], "@")
					return domain, nil
				})},
				tokens.Claim{Name: "count", From: tokens.Func(func(event *pretoken.Event) (any, error) { return len(event.Groups), nil })},
				tokens.Claim{Name: "none", From: tokens.Func(func(*pretoken.Event) (any, error) { return nil, nil })}),
			want: changes{Access: map[string]string{"domain": `"example.com"`, "count": "2"}},
		},
		"values of one's own that will not do": {
			policy: access(
				tokens.Claim{Name: "fails", From: tokens.Func(func(*pretoken.Event) (any, error) { return "x", errors.New("canary") })},
				tokens.Claim{Name: "panics", From: tokens.Func(func(*pretoken.Event) (any, error) { panic("canary") })},
				tokens.Claim{Name: "no_json", From: tokens.Func(func(*pretoken.Event) (any, error) { return func() {}, nil })},
				tokens.Claim{Name: "nested", From: tokens.Func(func(*pretoken.Event) (any, error) { return []any{[]any{}}, nil })},
				tokens.Claim{Name: "breaks", From: tokens.Func(func(*pretoken.Event) (any, error) { return panicking{}, nil })}),
			problems: []string{"fails", "panics", "no_json", "nested", "breaks"},
		},
		"names chosen and changed": {
			policy: access(
				tokens.Claim{Name: "teams", From: tokens.Groups().Matching("team-*").TrimPrefix("team-").TrimSuffix("-eu").Map(strings.ToUpper)},
				tokens.Claim{Name: "saml", From: tokens.Listed("custom:saml", "custom:absent").Matching("app-*", "admins")},
				tokens.Claim{Name: "both", From: tokens.Groups("custom:saml").Matching("*d", "a*n*")},
				tokens.Claim{Name: "none", From: tokens.Groups().Matching("nobody")},
				tokens.Claim{Name: "panics", From: tokens.Groups().Map(func(string) string { panic("canary") })}),
			event: func(event *pretoken.Event) {
				event.Groups = []string{"team-red", "admins", "team-", "team-blue-eu", "team-red-eu"}
				event.Attributes["custom:saml"] = "[app-a, b, admins]"
			},
			want: changes{Access: map[string]string{
				"teams": `["RED","BLUE"]`, "saml": `["app-a","admins"]`, "both": `["team-red","admins"]`,
			}},
			problems: []string{"panics"},
		},
		"a machine has no ID token": {
			policy: rules(tokens.Rule{Claims: []tokens.Claim{{Name: "stage", From: tokens.Static("test")}}}),
			event:  func(event *pretoken.Event) { event.TriggerSource = pretoken.ClientCredentials },
			want:   changes{Access: map[string]string{"stage": `"test"`}},
		},
		"more than the budget": {
			policy: access(
				tokens.Claim{Name: "first", From: tokens.Static(strings.Repeat("x", 60))},
				tokens.Claim{Name: "second", From: tokens.Static(strings.Repeat("x", 60))},
				tokens.Claim{Name: "third", From: tokens.Static("x")}),
			want:     changes{Access: map[string]string{"first": `"` + strings.Repeat("x", 60) + `"`, "third": `"x"`}},
			problems: []string{"second"},
		},
		"lookup": {
			policy: found(tokens.Found{Claims: map[string]any{"tier": 3, "tags": []string{"a"}}, Scopes: []string{"reports/read"}}),
			want:   changes{Access: map[string]string{"tier": "3", "tags": `["a"]`}, AddScopes: []string{"reports/read"}},
		},
		"lookup that brings what Cognito refuses": {
			policy: found(tokens.Found{
				Claims: map[string]any{"aud": "api", "f": func() {}, "none": nil, "deep": []any{map[string]any{}}},
			}),
			problems: []string{"aud", "deep", "f", "none"},
		},
		"lookup that brings what the policy does not name": {
			policy: found(tokens.Found{
				Claims: map[string]any{"tier": 3, "ada@example.com": 1, "sub": "x", "cognito:groups": []string{"root"}, "": 1},
				Scopes: []string{"reports/read", "tenant:ada", "two scopes", ""},
			}),
			want:     changes{Access: map[string]string{"tier": "3"}, AddScopes: []string{"reports/read"}},
			problems: []string{"lookup"},
		},
		"lookup that brings a scope that the policy does not name": {
			policy:   found(tokens.Found{Scopes: []string{"tenant:ada"}}),
			problems: []string{"lookup"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			event := user()
			if test.event != nil {
				test.event(event)
			}
			for _, action := range []tokens.Action{tokens.Drop, tokens.Fail} {
				test.policy.OnProblem = action
				response, problems, err := handlerOf(t, test.policy, pretoken.V3).Customize(t.Context(), event)
				want := test.want
				if action == tokens.Fail && len(test.problems) > 0 {
					want = changes{}
					if !errors.Is(err, tokens.ErrRefused) {
						t.Errorf("error %v, want %v", err, tokens.ErrRefused)
					}
				} else if err != nil {
					t.Error(err)
				}
				if got := flatten(response); !reflect.DeepEqual(got, want) {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
				var names []string
				for _, problem := range problems {
					names = append(names, problem.Name)
				}
				if !slices.Equal(names, test.problems) {
					t.Errorf("problems %q, want those of %q", problems, test.problems)
				}
			}
		})
	}
}

// panicking is a value that cannot be encoded.
type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("canary") }

func TestNewRefuses(t *testing.T) {
	policy := tokens.Policy{
		Rules: []tokens.Rule{
			{
				TriggerSources: []pretoken.TriggerSource{"TokenGeneration_Typo"},
				Providers:      []string{"", "google"},
				Claims: []tokens.Claim{
					{Name: "sub", From: tokens.Static("x")},
					{Name: "cognito:username", From: tokens.Static("x")},
					{Name: "scope", From: tokens.Static("x")},
					{Name: "dev:x", From: tokens.Static("x")},
					{Name: "", From: tokens.Static("x")},
					{Name: "aud", From: tokens.ClientID()},
					{Name: "no_source"},
					{Name: "no_func", From: tokens.Func(nil)},
					{Name: "no_map", From: tokens.Groups().Map(nil)},
					{Name: "no_pattern", From: tokens.Groups().Matching()},
					{Name: "no_list", From: tokens.Listed()},
					{Name: "no_attribute", From: tokens.Attribute("")},
					{Name: "no_type", From: tokens.AttributeAs("email", tokens.List+1)},
					{Name: "panics", From: tokens.Static(panicking{})},
					{Name: "no_json", From: tokens.Static(make(chan int))},
					{Name: "nothing", From: tokens.Static(nil)},
					{Name: "address", From: tokens.Static(map[string]string{})},
				},
				SuppressClaims: []string{"iss", "cognito:roles"},
				AddScopes:      []string{"two scopes"},
				SuppressScopes: []string{""},
			},
		},
		Lookup: tokens.Lookup{
			Find:   func(context.Context, *pretoken.Event) (tokens.Found, error) { return tokens.Found{}, nil },
			Claims: []string{"tier", "iat", "cognito:groups", ""},
			Scopes: []string{"read write"},
		},
		OnProblem: tokens.Fail + 1,
	}
	_, err := tokens.New(tokens.Config{Policy: policy})
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{
		"config: Trigger has to be", "config: Logger is missing", "OnProblem", `provider ""`, `provider "google": Cognito spells it Google`,
		`claim "no_func"`, `claim "no_map"`, `claim "no_pattern"`, `claim "no_list"`, `claim "no_attribute"`, `claim "no_type"`, `claim "panics"`,
		`trigger source "TokenGeneration_Typo"`, `claim "sub"`, `claim "cognito:username"`, `claim "scope"`, `claim "dev:x"`, `claim ""`, `claim "aud"`,
		`claim "no_source"`, `claim "no_json"`, `claim "nothing"`, `claim "address"`, `suppressed claim "iss"`, `suppressed claim "cognito:roles"`,
		`scope "two scopes"`, `scope ""`, "MaxSize",
		"lookup: it needs a timeout", `lookup: claim "iat"`, `lookup: claim "cognito:groups"`, `lookup: claim ""`, `lookup: scope "read write"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing is said of %s in\n%v", want, err)
		}
	}
}

// TestNewWantsNamesOfALookup refuses a lookup whose claims have no names in the policy.
func TestNewWantsNamesOfALookup(t *testing.T) {
	find := func(context.Context, *pretoken.Event) (tokens.Found, error) { return tokens.Found{}, nil }
	for _, lookup := range []tokens.Lookup{{Find: find, Timeout: time.Second}, {Timeout: time.Second, Claims: []string{"tier"}}} {
		_, err := tokens.New(tokens.Config{Policy: tokens.Policy{MaxSize: 100, Lookup: &lookup}, Trigger: pretoken.V2, Logger: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "policy: lookup: it needs") {
			t.Errorf("error %v", err)
		}
	}
}

// TestNewRefusesWhatAVersionLacks lists what the versions of the trigger cannot do, each with what to do about it.
func TestNewRefusesWhatAVersionLacks(t *testing.T) {
	const v2, v3 = "or change to pretoken.V2 as docs/policy.md says", "or change to pretoken.V3 as docs/policy.md says"
	policy := tokens.Policy{
		MaxSize: 100,
		Rules: []tokens.Rule{
			{Tokens: tokens.AccessToken, SuppressClaims: []string{"plan"}},
			{AddScopes: []string{"a"}},
			{SuppressScopes: []string{"b"}},
			{TriggerSources: []pretoken.TriggerSource{pretoken.ClientCredentials}},
		},
		Lookup: tokens.Lookup{
			Timeout: time.Second, Scopes: []string{"c"}, Tokens: tokens.AccessToken,
			Find: func(context.Context, *pretoken.Event) (tokens.Found, error) { return tokens.Found{}, nil },
		},
	}
	for version, wants := range map[pretoken.Version][]string{
		pretoken.V1: {
			"policy: rule 1: version 1 of the trigger changes ID tokens only: leave Tokens out, " + v2,
			`policy: rule 2: scope "a": version 1 of the trigger has no scopes: leave it out, ` + v2,
			`policy: rule 3: scope "b": version 1 of the trigger has no scopes: leave it out, ` + v2,
			`policy: rule 4: trigger source "TokenGeneration_ClientCredentials": version 1 of the trigger is not called for machines: leave it out, ` + v3,
			"policy: lookup: version 1 of the trigger changes ID tokens only: leave Tokens out, " + v2,
			`policy: lookup: scope "c": version 1 of the trigger has no scopes: leave it out, ` + v2,
		},
		pretoken.V2: {
			`policy: rule 4: trigger source "TokenGeneration_ClientCredentials": version 2 of the trigger is not called for machines: leave it out, ` + v3,
		},
		pretoken.V3: nil,
	} {
		_, err := tokens.New(tokens.Config{Policy: policy, Trigger: version, Logger: slog.New(slog.DiscardHandler)})
		var got []string
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				line, _ = strings.CutSuffix(line, " in the user pool")
				got = append(got, line)
			}
		}
		if !slices.Equal(got, wants) {
			t.Errorf("version %s:\ngot  %q\nwant %q", version, got, wants)
		}
	}
}

// TestVersionOne gives version 1 a policy with values of all types: it carries text only.
func TestVersionOne(t *testing.T) {
	policy := tokens.Policy{
		MaxSize: 500,
		Rules: []tokens.Rule{
			{Claims: []tokens.Claim{
				{Name: "mail", From: tokens.Attribute("email")},
				{Name: "seats", From: tokens.AttributeAs("custom:seats", tokens.Number)},
				{Name: "limits", From: tokens.AttributeAs("custom:limits", tokens.JSON)},
				{Name: "saml", From: tokens.AttributeAs("custom:saml", tokens.List)},
				{Name: "roles", From: tokens.Groups()},
				{Name: "beta", From: tokens.Static(true)},
				{Name: "stage", From: tokens.Static("test")},
				{Name: "none", From: tokens.Attribute("custom:absent")},
			}},
			{Tokens: tokens.IDToken, SuppressClaims: []string{"email", "stage"}},
		},
		Lookup: tokens.Lookup{
			Timeout: time.Minute, Claims: []string{"tier"},
			Find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				return tokens.Found{Claims: map[string]any{"tier": 3}}, nil
			},
		},
	}
	event := user()
	event.Attributes["custom:saml"] = "[grp one, admins]"
	response, problems, err := handlerOf(t, policy, pretoken.V1).Customize(t.Context(), event)
	if err != nil || len(problems) > 0 {
		t.Errorf("problems %v, %v", problems, err)
	}
	want := changes{
		ID: map[string]string{
			"mail": `"ada@example.com"`, "seats": `"9007199254740993"`, "limits": `"{\"rows\":[1,{\"deep\":null}]}"`, "saml": `"[\"grp one\",\"admins\"]"`,
			"roles": `"[\"admins\",\"billing\"]"`, "beta": `"true"`, "tier": `"3"`,
		},
		IDSuppress: []string{"email", "stage"},
	}
	if got := flatten(response); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLookupThatFails(t *testing.T) {
	tests := []struct {
		find    func(context.Context, *pretoken.Event) (tokens.Found, error)
		timeout time.Duration
		reason  string
	}{
		{
			find:    func(context.Context, *pretoken.Event) (tokens.Found, error) { select {} },
			timeout: time.Millisecond,
			reason:  "took too long",
		},
		{
			find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				return tokens.Found{}, errors.New("no tenant for ada@example.com")
			},
			timeout: time.Minute,
			reason:  "failed: an error of no particular kind",
		},
		{
			find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				return tokens.Found{}, fmt.Errorf("ask for ada@example.com: %w", syscall.ECONNREFUSED)
			},
			timeout: time.Minute,
			reason:  "failed: connection refused",
		},
		{
			find:    func(context.Context, *pretoken.Event) (tokens.Found, error) { panic("ada@example.com") },
			timeout: time.Minute,
			reason:  "panicked with a string",
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			policy := tokens.Policy{
				MaxSize: 100,
				Rules:   []tokens.Rule{{SuppressClaims: []string{"kept"}}},
				Lookup:  tokens.Lookup{Find: test.find, Timeout: test.timeout, Claims: []string{"tier"}},
			}
			for _, version := range versions {
				response, problems, err := handlerOf(t, policy, version).Customize(t.Context(), user())
				if err != nil {
					t.Fatal(err)
				}
				if want := []tokens.Problem{{Name: "lookup", Reason: test.reason}}; !slices.Equal(problems, want) {
					t.Errorf("problems %q, want %q", problems, want)
				}
				if want := []string{"kept"}; !slices.Equal(response.IDToken.Suppress, want) {
					t.Errorf("suppressed %q, want %q", response.IDToken.Suppress, want)
				}
			}
		})
	}
}

// TestLookupLeavesTimeToAnswer gives a lookup more time than the invocation has.
func TestLookupLeavesTimeToAnswer(t *testing.T) {
	var granted time.Duration
	handler := handlerOf(t, tokens.Policy{MaxSize: 100, Lookup: tokens.Lookup{
		Timeout: time.Hour,
		Claims:  []string{"tier"},
		Find: func(ctx context.Context, _ *pretoken.Event) (tokens.Found, error) {
			deadline, _ := ctx.Deadline()
			granted = time.Until(deadline)
			return tokens.Found{}, nil
		},
	}}, pretoken.V2)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if _, _, err := handler.Customize(ctx, user()); err != nil {
		t.Fatal(err)
	}
	if granted > 3500*time.Millisecond {
		t.Errorf("the lookup gets %v of 4 s", granted)
	}
}

func FuzzCustomize(f *testing.F) {
	f.Add("custom:seats", "12", "seats", "a b", "client", 1)
	f.Add("email", `{"a":[1]}`, "address", "orders/read", "", 2)
	f.Add("custom:groups", "[team-a, b]", "roles", "team-*", "Google", 3)
	f.Fuzz(func(t *testing.T, attribute, text, claim, scope, client string, number int) {
		version := pretoken.Version(number)
		event := &pretoken.Event{ClientID: client, Attributes: map[string]string{attribute: text}, Groups: []string{text}}
		var claims []tokens.Claim
		for as := range tokens.List + 1 {
			claims = append(claims, tokens.Claim{Name: claim, From: tokens.AttributeAs(attribute, as)})
		}
		claims = append(claims,
			tokens.Claim{Name: claim, From: tokens.Groups(attribute)},
			tokens.Claim{Name: claim, From: tokens.Listed(attribute).Matching(scope + "*").TrimPrefix(client).TrimSuffix(text).Map(strings.ToUpper)},
			tokens.Claim{Name: claim, From: tokens.Func(func(event *pretoken.Event) (any, error) { return event.Groups[len(client)%2], nil })})
		rule := tokens.Rule{Claims: claims, Providers: []string{client, pretoken.Native}}
		lookup := tokens.Lookup{Timeout: time.Minute, Claims: []string{text, claim}, Find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
			return tokens.Found{Claims: map[string]any{text: claim, claim: []any{text}}, Scopes: []string{text}}, nil
		}}
		if version != pretoken.V1 {
			rule.AddScopes, lookup.Scopes = []string{scope}, []string{text}
		}
		policy := tokens.Policy{MaxSize: 500, Rules: []tokens.Rule{rule}, Lookup: lookup}
		handler, err := tokens.New(tokens.Config{Policy: policy, Trigger: version, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return
		}
		response, _, err := handler.Customize(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		if version == pretoken.V1 && !response.AccessToken.IsZero() {
			t.Errorf("version 1 has an access token: %+v", response.AccessToken)
		}
		for _, changes := range []pretoken.Changes{response.IDToken, response.AccessToken} {
			size := 0
			for name, value := range changes.Claims {
				if name == "" || name == "sub" || strings.HasPrefix(name, "cognito:") || !json.Valid(value) {
					t.Errorf("claim %q: %s", name, value)
				}
				if version == pretoken.V1 && value.Kind() != '"' {
					t.Errorf("version 1 carries text only, and claim %q has %s", name, value)
				}
				size += len(name) + len(value)
			}
			for _, scope := range changes.AddScopes {
				if scope == "" || strings.ContainsAny(scope, " \t\n\"") {
					t.Errorf("scope %q", scope)
				}
				size += len(scope)
			}
			if size > policy.MaxSize {
				t.Errorf("%d bytes", size)
			}
		}
	})
}
