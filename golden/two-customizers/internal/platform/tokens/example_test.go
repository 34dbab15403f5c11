package tokens_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/rawjson"
	"example.com/two-customizers/internal/platform/tokens"
)

// show prints what a policy does to the tokens of one user.
func show(policy tokens.Policy) { showVersion(pretoken.V2, policy) }

func showVersion(version pretoken.Version, policy tokens.Policy) {
	handler, err := tokens.New(tokens.Config{Policy: policy, Trigger: version, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	event, err := pretoken.Parse([]byte(`{
		"triggerSource": "TokenGeneration_Authentication",
		"userName": "google_1",
		"callerContext": {"clientId": "web"},
		"request": {
			"userAttributes": {
				"email": "ada@example.com",
				"custom:seats": "5",
				"custom:limits": "{\"rows\":100}",
				"cognito:user_status": "EXTERNAL_PROVIDER",
				"identities": "[{\"userId\":\"1\",\"providerName\":\"Google\"}]"
			},
			"groupConfiguration": {"groupsToOverride": ["admins", "team-red", "team-blue"]}
		}
	}`), version)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, problems, _ := handler.Customize(context.Background(), event)
	answer, _ := rawjson.Parse(event.Answer(response))
	for _, details := range answer.Member("response").Members() {
		fmt.Println(string(details))
	}
	for _, problem := range problems {
		fmt.Println(problem.Name, problem.Reason)
	}
}

// Claims of other types than text, groups under another name, and a value that is the same for everybody.
func Example_claims() {
	show(tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{{
			Tokens: tokens.AccessToken,
			Claims: []tokens.Claim{
				{Name: "seats", From: tokens.AttributeAs("custom:seats", tokens.Number)},
				{Name: "limits", From: tokens.AttributeAs("custom:limits", tokens.JSON)},
				{Name: "stage", From: tokens.Static("production")},
			},
		}},
	})
	// Output: {"accessTokenGeneration":{"claimsToAddOrOverride":{"limits":{"rows":100},"seats":5,"stage":"production"}}}
}

// The teams among the groups, without the prefix that marks them.
func Example_groups() {
	show(tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{{
			Tokens: tokens.AccessToken,
			Claims: []tokens.Claim{
				{Name: "teams", From: tokens.Groups().Matching("team-*").TrimPrefix("team-").Map(strings.ToUpper)},
			},
		}},
	})
	// Output: {"accessTokenGeneration":{"claimsToAddOrOverride":{"teams":["RED","BLUE"]}}}
}

// A source of your own: the domain of the user's email address.
func Example_func() {
	domain := func(event *pretoken.Event) (any, error) {
		if _, domain, found := strings.Cut(event.Attributes["email"], "@"); found {
			return domain, nil
		}
		return nil, nil // no claim
	}
	show(tokens.Policy{
		MaxSize: 2048,
		Rules:   []tokens.Rule{{Tokens: tokens.IDToken, Claims: []tokens.Claim{{Name: "domain", From: tokens.Func(domain)}}}},
	})
	// Output: {"idTokenGeneration":{"claimsToAddOrOverride":{"domain":"example.com"}}}
}

// A condition: one claim for members of a group, another for everybody else.
func Example_when() {
	admin := func(event *pretoken.Event) bool { return slices.Contains(event.Groups, "admins") }
	other := func(event *pretoken.Event) bool { return !admin(event) }
	show(tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{
			{When: admin, Tokens: tokens.IDToken, Claims: []tokens.Claim{{Name: "console", From: tokens.Static("full")}}},
			{When: other, Tokens: tokens.IDToken, Claims: []tokens.Claim{{Name: "console", From: tokens.Static("read-only")}}},
		},
	})
	// Output: {"idTokenGeneration":{"claimsToAddOrOverride":{"console":"full"}}}
}

// Rules for users of an identity provider, and for users who have a password in the pool.
func Example_providers() {
	show(tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{
			{Providers: []string{"Google", "corp-saml"}, Tokens: tokens.IDToken, Claims: []tokens.Claim{{Name: "login", From: tokens.Static("sso")}}},
			{Providers: []string{"Cognito"}, Tokens: tokens.IDToken, Claims: []tokens.Claim{{Name: "login", From: tokens.Static("password")}}},
		},
	})
	// Output: {"idTokenGeneration":{"claimsToAddOrOverride":{"login":"sso"}}}
}

// One app client gets a scope and loses another, and no ID token has the phone number.
func Example_scopes() {
	show(tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{
			{Clients: []string{"web"}, AddScopes: []string{"orders/read"}, SuppressScopes: []string{"aws.cognito.signin.user.admin"}},
			{Tokens: tokens.IDToken, SuppressClaims: []string{"phone_number", "phone_number_verified"}},
		},
	})
	// Output: {"idTokenGeneration":{"claimsToSuppress":["phone_number","phone_number_verified"]},"accessTokenGeneration":{"scopesToAdd":["orders/read"],"scopesToSuppress":["aws.cognito.signin.user.admin"]}}
}

// A lookup asks another service, for half a second at most. What it brings is checked like everything else, and claims that the policy does
// not name are left out.
func Example_lookup() {
	entitlements := func(_ context.Context, _ *pretoken.Event) (tokens.Found, error) {
		return tokens.Found{Claims: map[string]any{"features": []string{"export"}, "beta-for-ada": true}}, nil
	}
	show(tokens.Policy{
		MaxSize: 2048,
		Lookup: tokens.Lookup{
			Find: entitlements, Timeout: 500 * time.Millisecond, Claims: []string{"features"}, Tokens: tokens.AccessToken,
		},
	})
	// Output:
	// {"accessTokenGeneration":{"claimsToAddOrOverride":{"features":["export"]}}}
	// lookup brought what the policy does not name
}

// Version 1 of the trigger carries text only: other values become the text of their JSON.
func Example_versionOne() {
	showVersion(pretoken.V1, tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{{
			Claims: []tokens.Claim{
				{Name: "seats", From: tokens.AttributeAs("custom:seats", tokens.Number)},
				{Name: "roles", From: tokens.Groups()},
			},
		}},
	})
	// Output: {"claimsToAddOrOverride":{"roles":"[\"admins\",\"team-red\",\"team-blue\"]","seats":"5"}}
}

// New refuses a policy that Cognito would not accept, and lists every mistake.
func Example_mistakes() {
	show(tokens.Policy{
		MaxSize: 2048,
		Rules: []tokens.Rule{{
			Tokens:    tokens.AccessToken,
			Claims:    []tokens.Claim{{Name: "exp", From: tokens.Static(0)}},
			AddScopes: []string{"read write"},
		}},
	})
	// Output:
	// policy: rule 1: claim "exp": only Cognito can set it
	// policy: rule 1: scope "read write": a scope has printable ASCII characters only, and no space, quote or backslash
}
