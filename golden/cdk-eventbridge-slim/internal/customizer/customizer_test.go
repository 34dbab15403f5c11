package customizer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/cdk-eventbridge-slim/internal/customizer"
	"example.com/cdk-eventbridge-slim/internal/pretoken"
)

// tokens is a response in a form that is easy to write down: claims as JSON, lists as they are.
type tokens struct {
	ID, Access               map[string]string
	IDSuppress, AccSuppress  []string
	AddScopes, SuppressScope []string
}

func flatten(response pretoken.Response) tokens {
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
	return tokens{
		ID: claims(response.IDToken), IDSuppress: response.IDToken.Suppress,
		Access: claims(response.AccessToken), AccSuppress: response.AccessToken.Suppress,
		AddScopes: response.AccessToken.AddScopes, SuppressScope: response.AccessToken.SuppressScopes,
	}
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
	rules := func(rules ...customizer.Rule) customizer.Policy { return customizer.Policy{Rules: rules, MaxSize: 100} }
	access := func(claims ...customizer.Claim) customizer.Policy {
		return rules(customizer.Rule{Tokens: customizer.AccessToken, Claims: claims})
	}
	found := func(found customizer.Found) customizer.Policy {
		return customizer.Policy{MaxSize: 100, Lookup: customizer.Lookup{
			Timeout: time.Minute,
			Tokens:  customizer.AccessToken,
			Claims:  []string{"tier", "tags", "aud", "deep", "f", "none"},
			Scopes:  []string{"reports/read"},
			Find:    func(context.Context, *pretoken.Event) (customizer.Found, error) { return found, nil },
		}}
	}
	tests := map[string]struct {
		policy   customizer.Policy
		event    func(*pretoken.Event)
		want     tokens
		problems []string
	}{
		"attribute, renamed, in both tokens": {
			policy: rules(customizer.Rule{Claims: []customizer.Claim{{Name: "mail", From: customizer.Attribute("email")}}}),
			want:   tokens{ID: map[string]string{"mail": `"ada@example.com"`}, Access: map[string]string{"mail": `"ada@example.com"`}},
		},
		"attribute as number, boolean and JSON": {
			policy: access(
				customizer.Claim{Name: "seats", From: customizer.AttributeAs("custom:seats", customizer.Number)},
				customizer.Claim{Name: "beta", From: customizer.AttributeAs("custom:beta", customizer.Boolean)},
				customizer.Claim{Name: "limits", From: customizer.AttributeAs("custom:limits", customizer.JSON)},
				customizer.Claim{Name: "list", From: customizer.AttributeAs("custom:list", customizer.JSON)}),
			want: tokens{Access: map[string]string{
				"seats": "9007199254740993", "beta": "true", "limits": `{"rows":[1,{"deep":null}]}`, "list": `["a",1,true]`,
			}},
		},
		"lists": {
			policy: access(
				customizer.Claim{Name: "saml", From: customizer.AttributeAs("custom:ad-groups", customizer.List)},
				customizer.Claim{Name: "json", From: customizer.AttributeAs("custom:list", customizer.List)},
				customizer.Claim{Name: "none", From: customizer.AttributeAs("custom:empty", customizer.List)},
				customizer.Claim{Name: "roles", From: customizer.Groups("custom:ad-groups", "custom:absent")}),
			event: func(event *pretoken.Event) {
				event.Groups = []string{"admins"}
				event.Attributes["custom:ad-groups"], event.Attributes["custom:empty"] = "[grp one, admins, grp two]", "[]"
			},
			want: tokens{Access: map[string]string{
				"saml": `["grp one","admins","grp two"]`, "json": `["a","1","true"]`, "roles": `["admins","grp one","grp two"]`,
			}},
		},
		"attribute of another type": {
			policy: access(
				customizer.Claim{Name: "number", From: customizer.AttributeAs("email", customizer.Number)},
				customizer.Claim{Name: "boolean", From: customizer.AttributeAs("custom:seats", customizer.Boolean)},
				customizer.Claim{Name: "json", From: customizer.AttributeAs("email", customizer.JSON)},
				customizer.Claim{Name: "nested", From: customizer.AttributeAs("custom:nested", customizer.JSON)},
				customizer.Claim{Name: "null", From: customizer.AttributeAs("custom:null", customizer.JSON)}),
			problems: []string{"number", "boolean", "json", "nested", "null"},
		},
		"attribute that the user does not have": {
			policy: access(customizer.Claim{Name: "plan", From: customizer.Attribute("custom:plan")}),
		},
		"an object where an ID token takes none": {
			policy: rules(customizer.Rule{Claims: []customizer.Claim{
				{Name: "address", From: customizer.AttributeAs("custom:limits", customizer.JSON)},
			}}),
			want:     tokens{Access: map[string]string{"address": `{"rows":[1,{"deep":null}]}`}},
			problems: []string{"address"},
		},
		"groups and static values": {
			policy: access(
				customizer.Claim{Name: "roles", From: customizer.Groups()},
				customizer.Claim{Name: "stage", From: customizer.Static("test")}),
			want: tokens{Access: map[string]string{"roles": `["admins","billing"]`, "stage": `"test"`}},
		},
		"static values of all kinds": {
			policy: access(
				customizer.Claim{Name: "million", From: customizer.Static(1e6)},
				customizer.Claim{Name: "tiny", From: customizer.Static(1e-7)},
				customizer.Claim{Name: "limit", From: customizer.Static(int64(1) << 53)},
				customizer.Claim{Name: "flags", From: customizer.Static([]bool{true, false})},
				customizer.Claim{Name: "stage", From: customizer.Static(json.RawMessage(`"x"`))},
				customizer.Claim{Name: "seats", From: customizer.Static(map[string]int{"b": 1, "a": 2})}),
			want: tokens{Access: map[string]string{
				"million": "1000000", "tiny": "1e-7", "limit": "9007199254740992", "flags": "[true,false]", "stage": `"x"`, "seats": `{"a":2,"b":1}`,
			}},
		},
		"no groups": {
			policy: access(customizer.Claim{Name: "roles", From: customizer.Groups()}),
			event:  func(event *pretoken.Event) { event.Groups = nil },
		},
		"aud of the client": {
			policy: access(customizer.Claim{Name: "aud", From: customizer.ClientID()}),
			want:   tokens{Access: map[string]string{"aud": `"web"`}},
		},
		"aud of somebody else": {
			policy:   access(customizer.Claim{Name: "aud", From: customizer.Static("api")}),
			problems: []string{"aud"},
		},
		"scopes and suppressed claims": {
			policy: rules(
				customizer.Rule{AddScopes: []string{"a", "b", "a"}, SuppressScopes: []string{"openid", "b"}, SuppressClaims: []string{"dev:x", "dev:x"}},
				customizer.Rule{Tokens: customizer.IDToken, SuppressClaims: []string{"email", "cognito:groups"}}),
			want: tokens{
				IDSuppress: []string{"dev:x", "email", "cognito:groups"}, AccSuppress: []string{"dev:x"},
				AddScopes: []string{"a"}, SuppressScope: []string{"openid", "b"},
			},
		},
		"suppressing beats adding, a later claim an earlier one": {
			policy: rules(
				customizer.Rule{Tokens: customizer.IDToken, SuppressClaims: []string{"out"}},
				customizer.Rule{Tokens: customizer.IDToken, Claims: []customizer.Claim{
					{Name: "out", From: customizer.Static(1)}, {Name: "in", From: customizer.Static(1)}, {Name: "in", From: customizer.Static(2)},
				}}),
			want: tokens{ID: map[string]string{"in": "2"}, IDSuppress: []string{"out"}},
		},
		"a later claim with a problem, and one after that": {
			policy: rules(
				customizer.Rule{Claims: []customizer.Claim{{Name: "role", From: customizer.Static("admin")}, {Name: "tier", From: customizer.Static("gold")}}},
				customizer.Rule{Tokens: customizer.AccessToken, Claims: []customizer.Claim{
					{Name: "role", From: customizer.AttributeAs("email", customizer.Number)},
					{Name: "tier", From: customizer.AttributeAs("custom:nested", customizer.JSON)},
					{Name: "tier", From: customizer.Static("none")},
				}}),
			want: tokens{
				ID:     map[string]string{"role": `"admin"`, "tier": `"gold"`},
				Access: map[string]string{"tier": `"none"`},
			},
			problems: []string{"role", "tier"},
		},
		"rules for clients and trigger sources": {
			policy: rules(
				customizer.Rule{Clients: []string{"web", "app"}, AddScopes: []string{"web"}},
				customizer.Rule{Clients: []string{"app"}, AddScopes: []string{"app"}},
				customizer.Rule{TriggerSources: []pretoken.TriggerSource{pretoken.Authentication}, AddScopes: []string{"first"}},
				customizer.Rule{TriggerSources: []pretoken.TriggerSource{pretoken.RefreshTokens}, AddScopes: []string{"again"}}),
			want: tokens{AddScopes: []string{"web", "first"}},
		},
		"more than the budget": {
			policy: access(
				customizer.Claim{Name: "first", From: customizer.Static(strings.Repeat("x", 60))},
				customizer.Claim{Name: "second", From: customizer.Static(strings.Repeat("x", 60))},
				customizer.Claim{Name: "third", From: customizer.Static("x")}),
			want:     tokens{Access: map[string]string{"first": `"` + strings.Repeat("x", 60) + `"`, "third": `"x"`}},
			problems: []string{"second"},
		},
		"lookup": {
			policy: found(customizer.Found{Claims: map[string]any{"tier": 3, "tags": []string{"a"}}, Scopes: []string{"reports/read"}}),
			want:   tokens{Access: map[string]string{"tier": "3", "tags": `["a"]`}, AddScopes: []string{"reports/read"}},
		},
		"lookup that brings what Cognito refuses": {
			policy: found(customizer.Found{
				Claims: map[string]any{"aud": "api", "f": func() {}, "none": nil, "deep": []any{map[string]any{}}},
			}),
			problems: []string{"aud", "deep", "f", "none"},
		},
		"lookup that brings what the policy does not name": {
			policy: found(customizer.Found{
				Claims: map[string]any{"tier": 3, "ada@example.com": 1, "sub": "x", "cognito:groups": []string{"root"}, "": 1},
				Scopes: []string{"reports/read", "tenant:ada", "two scopes", ""},
			}),
			want:     tokens{Access: map[string]string{"tier": "3"}, AddScopes: []string{"reports/read"}},
			problems: []string{"lookup"},
		},
		"lookup that brings a scope that the policy does not name": {
			policy:   found(customizer.Found{Scopes: []string{"tenant:ada"}}),
			problems: []string{"lookup"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			event := user()
			if test.event != nil {
				test.event(event)
			}
			for _, action := range []customizer.Action{customizer.Drop, customizer.Fail} {
				test.policy.OnProblem = action
				custom, err := customizer.New(test.policy)
				if err != nil {
					t.Fatal(err)
				}
				response, problems, err := custom.Customize(t.Context(), event)
				want := test.want
				if action == customizer.Fail && len(test.problems) > 0 {
					want = tokens{}
					if !errors.Is(err, customizer.ErrRefused) {
						t.Errorf("error %v, want %v", err, customizer.ErrRefused)
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

func TestNewRefuses(t *testing.T) {
	policy := customizer.Policy{
		Rules: []customizer.Rule{
			{
				TriggerSources: []pretoken.TriggerSource{"TokenGeneration_Typo"},
				Claims: []customizer.Claim{
					{Name: "sub", From: customizer.Static("x")},
					{Name: "cognito:username", From: customizer.Static("x")},
					{Name: "scope", From: customizer.Static("x")},
					{Name: "dev:x", From: customizer.Static("x")},
					{Name: "", From: customizer.Static("x")},
					{Name: "aud", From: customizer.ClientID()},
					{Name: "no_source"},
					{Name: "no_json", From: customizer.Static(make(chan int))},
					{Name: "nothing", From: customizer.Static(nil)},
					{Name: "address", From: customizer.Static(map[string]string{})},
				},
				SuppressClaims: []string{"iss", "cognito:roles"},
				AddScopes:      []string{"two scopes"},
				SuppressScopes: []string{""},
			},
		},
		Lookup: customizer.Lookup{
			Find:   func(context.Context, *pretoken.Event) (customizer.Found, error) { return customizer.Found{}, nil },
			Claims: []string{"tier", "iat", "cognito:groups", ""},
			Scopes: []string{"read write"},
		},
	}
	_, err := customizer.New(policy)
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{
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
	find := func(context.Context, *pretoken.Event) (customizer.Found, error) { return customizer.Found{}, nil }
	_, err := customizer.New(customizer.Policy{MaxSize: 100, Lookup: &customizer.Lookup{Find: find, Timeout: time.Second}})
	if err == nil || !strings.Contains(err.Error(), "lookup: it needs Claims or Scopes") {
		t.Errorf("error %v", err)
	}
}

func TestLookupThatFails(t *testing.T) {
	tests := []struct {
		find    func(context.Context, *pretoken.Event) (customizer.Found, error)
		timeout time.Duration
		reason  string
	}{
		{
			find:    func(context.Context, *pretoken.Event) (customizer.Found, error) { select {} },
			timeout: time.Millisecond,
			reason:  "took too long",
		},
		{
			find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
				return customizer.Found{}, errors.New("no tenant for ada@example.com")
			},
			timeout: time.Minute,
			reason:  "failed: an error of no particular kind",
		},
		{
			find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
				return customizer.Found{}, fmt.Errorf("ask for ada@example.com: %w", syscall.ECONNREFUSED)
			},
			timeout: time.Minute,
			reason:  "failed: connection refused",
		},
		{
			find:    func(context.Context, *pretoken.Event) (customizer.Found, error) { panic("ada@example.com") },
			timeout: time.Minute,
			reason:  "panicked with a string",
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			custom, err := customizer.New(customizer.Policy{
				MaxSize: 100,
				Rules:   []customizer.Rule{{AddScopes: []string{"kept"}}},
				Lookup:  customizer.Lookup{Find: test.find, Timeout: test.timeout, Claims: []string{"tier"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			response, problems, err := custom.Customize(t.Context(), user())
			if err != nil {
				t.Fatal(err)
			}
			if want := []customizer.Problem{{Name: "lookup", Reason: test.reason}}; !slices.Equal(problems, want) {
				t.Errorf("problems %q, want %q", problems, want)
			}
			if want := []string{"kept"}; !slices.Equal(response.AccessToken.AddScopes, want) {
				t.Errorf("scopes %q, want %q", response.AccessToken.AddScopes, want)
			}
		})
	}
}

// TestLookupLeavesTimeToAnswer gives a lookup more time than the invocation has.
func TestLookupLeavesTimeToAnswer(t *testing.T) {
	var granted time.Duration
	custom, err := customizer.New(customizer.Policy{MaxSize: 100, Lookup: customizer.Lookup{
		Timeout: time.Hour,
		Claims:  []string{"tier"},
		Find: func(ctx context.Context, _ *pretoken.Event) (customizer.Found, error) {
			deadline, _ := ctx.Deadline()
			granted = time.Until(deadline)
			return customizer.Found{}, nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if _, _, err := custom.Customize(ctx, user()); err != nil {
		t.Fatal(err)
	}
	if granted > 3500*time.Millisecond {
		t.Errorf("the lookup gets %v of 4 s", granted)
	}
}

func FuzzCustomize(f *testing.F) {
	f.Add("custom:seats", "12", "seats", "a b", "client")
	f.Add("email", `{"a":[1]}`, "address", "orders/read", "")
	f.Fuzz(func(t *testing.T, attribute, text, claim, scope, client string) {
		event := &pretoken.Event{ClientID: client, Attributes: map[string]string{attribute: text}, Groups: []string{text}}
		var claims []customizer.Claim
		for as := range customizer.List + 1 {
			claims = append(claims, customizer.Claim{Name: claim, From: customizer.AttributeAs(attribute, as)})
		}
		claims = append(claims, customizer.Claim{Name: claim, From: customizer.Groups(attribute)})
		policy := customizer.Policy{
			MaxSize: 500,
			Rules:   []customizer.Rule{{Claims: claims, AddScopes: []string{scope}}},
			Lookup: customizer.Lookup{Timeout: time.Minute, Claims: []string{text, claim}, Scopes: []string{text}, Find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
				return customizer.Found{Claims: map[string]any{text: claim, claim: []any{text}}, Scopes: []string{text}}, nil
			}},
		}
		custom, err := customizer.New(policy)
		if err != nil {
			return
		}
		response, _, err := custom.Customize(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		for _, changes := range []pretoken.Changes{response.IDToken, response.AccessToken} {
			size := 0
			for name, value := range changes.Claims {
				if name == "" || name == "sub" || strings.HasPrefix(name, "cognito:") || !json.Valid(value) {
					t.Errorf("claim %q: %s", name, value)
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
