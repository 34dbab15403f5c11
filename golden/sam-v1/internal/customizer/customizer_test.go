package customizer_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/sam-v1/internal/customizer"
	"example.com/sam-v1/internal/pretoken"
)

func user() *pretoken.Event {
	return &pretoken.Event{
		TriggerSource: pretoken.Authentication,
		ClientID:      "web",
		Attributes:    map[string]string{"email": "ada@example.com"},
		Groups:        []string{"admins", "billing"},
	}
}

func TestCustomize(t *testing.T) {
	rules := func(rules ...customizer.Rule) customizer.Policy { return customizer.Policy{Rules: rules, MaxSize: 100} }
	claims := func(claims ...customizer.Claim) customizer.Policy { return rules(customizer.Rule{Claims: claims}) }
	static := func(name, value string) customizer.Claim {
		return customizer.Claim{Name: name, From: customizer.Static(value)}
	}
	found := func(found map[string]string) customizer.Policy {
		return customizer.Policy{MaxSize: 100, Lookup: customizer.Lookup{
			Timeout: time.Minute,
			Claims:  []string{"tier", "plan"},
			Find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
				return customizer.Found{Claims: found}, nil
			},
		}}
	}
	tests := map[string]struct {
		policy   customizer.Policy
		event    func(*pretoken.Event)
		claims   map[string]string
		suppress []string
		problems []string
	}{
		"attribute, renamed": {
			policy: claims(customizer.Claim{Name: "mail", From: customizer.Attribute("email")}),
			claims: map[string]string{"mail": "ada@example.com"},
		},
		"attribute that the user does not have": {
			policy: claims(customizer.Claim{Name: "plan", From: customizer.Attribute("custom:plan")}),
		},
		"groups and static values": {
			policy: claims(customizer.Claim{Name: "roles", From: customizer.Groups()}, static("stage", "test")),
			claims: map[string]string{"roles": `["admins","billing"]`, "stage": "test"},
		},
		"lists": {
			policy: claims(
				customizer.Claim{Name: "saml", From: customizer.AttributeList("custom:ad-groups")},
				customizer.Claim{Name: "none", From: customizer.AttributeList("custom:absent")},
				customizer.Claim{Name: "roles", From: customizer.Groups("custom:ad-groups", "custom:absent")}),
			event: func(event *pretoken.Event) {
				event.Groups, event.Attributes = []string{"admins"}, map[string]string{"custom:ad-groups": "[grp one, admins, grp two]"}
			},
			claims: map[string]string{"saml": `["grp one","admins","grp two"]`, "roles": `["admins","grp one","grp two"]`},
		},
		"no groups": {
			policy: claims(customizer.Claim{Name: "roles", From: customizer.Groups()}),
			event:  func(event *pretoken.Event) { event.Groups = nil },
		},
		"suppressing beats adding, a later claim an earlier one": {
			policy: rules(
				customizer.Rule{SuppressClaims: []string{"out", "email", "cognito:groups", "out", "dev:x"}},
				customizer.Rule{Claims: []customizer.Claim{static("out", "1"), static("in", "1"), static("in", "2")}}),
			claims:   map[string]string{"in": "2"},
			suppress: []string{"cognito:groups", "dev:x", "email", "out"},
		},
		"rules for clients and trigger sources": {
			policy: rules(
				customizer.Rule{Clients: []string{"web", "app"}, Claims: []customizer.Claim{static("a", "web")}},
				customizer.Rule{Clients: []string{"app"}, Claims: []customizer.Claim{static("b", "app")}},
				customizer.Rule{TriggerSources: []pretoken.TriggerSource{pretoken.Authentication}, Claims: []customizer.Claim{static("c", "first")}},
				customizer.Rule{TriggerSources: []pretoken.TriggerSource{pretoken.RefreshTokens}, Claims: []customizer.Claim{static("d", "again")}}),
			claims: map[string]string{"a": "web", "c": "first"},
		},
		"more than the budget": {
			policy:   claims(static("first", strings.Repeat("x", 60)), static("second", strings.Repeat("x", 60)), static("third", "x")),
			claims:   map[string]string{"first": strings.Repeat("x", 60), "third": "x"},
			problems: []string{"second"},
		},
		"lookup": {
			policy: found(map[string]string{"tier": "3"}),
			claims: map[string]string{"tier": "3"},
		},
		"lookup that brings what the policy does not name": {
			policy:   found(map[string]string{"plan": "gold", "tier": "3", "ada@example.com": "x", "sub": "x", "cognito:groups": "root", "": "1"}),
			claims:   map[string]string{"plan": "gold", "tier": "3"},
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
				claims, suppress := test.claims, test.suppress
				if action == customizer.Fail && len(test.problems) > 0 {
					claims, suppress = nil, nil
					if !errors.Is(err, customizer.ErrRefused) {
						t.Errorf("error %v, want %v", err, customizer.ErrRefused)
					}
				} else if err != nil {
					t.Error(err)
				}
				if len(response.Claims)+len(claims) > 0 && !reflect.DeepEqual(response.Claims, claims) {
					t.Errorf("claims %v, want %v", response.Claims, claims)
				}
				if !slices.Equal(response.Suppress, suppress) {
					t.Errorf("suppressed %q, want %q", response.Suppress, suppress)
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
					{Name: "aud", From: customizer.Static("x")},
					{Name: "cognito:username", From: customizer.Static("x")},
					{Name: "scope", From: customizer.Static("x")},
					{Name: "dev:x", From: customizer.Static("x")},
					{Name: "", From: customizer.Static("x")},
					{Name: "no_source"},
				},
				SuppressClaims: []string{"iss", "cognito:roles"},
			},
		},
		Lookup: customizer.Lookup{
			Find:   func(context.Context, *pretoken.Event) (customizer.Found, error) { return customizer.Found{}, nil },
			Claims: []string{"tier", "iat", "cognito:groups", ""},
		},
	}
	_, err := customizer.New(policy)
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{
		`trigger source "TokenGeneration_Typo"`, `claim "sub"`, `claim "aud"`, `claim "cognito:username"`, `claim "scope"`, `claim "dev:x"`, `claim ""`,
		`claim "no_source"`, `suppressed claim "iss"`, `suppressed claim "cognito:roles"`, "MaxSize",
		"lookup: it needs a timeout", `lookup: claim "iat"`, `lookup: claim "cognito:groups"`, `lookup: claim ""`,
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
	if err == nil || !strings.Contains(err.Error(), "lookup: it needs Claims") {
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
				Rules:   []customizer.Rule{{SuppressClaims: []string{"kept"}}},
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
			if want := []string{"kept"}; !slices.Equal(response.Suppress, want) {
				t.Errorf("suppressed %q, want %q", response.Suppress, want)
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
	f.Add("custom:seats", "12", "seats")
	f.Add("email", "a b", "cognito:groups")
	f.Fuzz(func(t *testing.T, attribute, text, claim string) {
		event := &pretoken.Event{Attributes: map[string]string{attribute: text}, Groups: []string{text}}
		policy := customizer.Policy{
			MaxSize: 500,
			Rules: []customizer.Rule{{Claims: []customizer.Claim{
				{Name: claim, From: customizer.Attribute(attribute)},
				{Name: claim, From: customizer.AttributeList(attribute)},
				{Name: claim, From: customizer.Groups(attribute)},
			}}},
			Lookup: customizer.Lookup{Timeout: time.Minute, Claims: []string{text, claim}, Find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
				return customizer.Found{Claims: map[string]string{text: claim}}, nil
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
		size := 0
		for name, value := range response.Claims {
			if name == "" || name == "sub" || strings.HasPrefix(name, "cognito:") {
				t.Errorf("claim %q", name)
			}
			size += len(name) + len(value)
		}
		if size > policy.MaxSize {
			t.Errorf("%d bytes", size)
		}
	})
}
