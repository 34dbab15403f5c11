package customizer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"example.com/cdk-otlp-slim/internal/customizer"
	"example.com/cdk-otlp-slim/internal/pretoken"
)

// show prints what a policy does to the tokens of one user.
func show(policy customizer.Policy) {
	custom, err := customizer.New(policy)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, problems, _ := custom.Customize(context.Background(), &pretoken.Event{
		TriggerSource: pretoken.Authentication,
		ClientID:      "web",
		Attributes:    map[string]string{"custom:seats": "5", "custom:limits": `{"rows":100}`},
		Groups:        []string{"admins"},
	})
	encoded, _ := json.Marshal(response)
	fmt.Println(string(encoded))
	for _, problem := range problems {
		fmt.Println(problem.Name, problem.Reason)
	}
}

// Claims of other types than text, groups under another name, and a value that is the same for everybody.
func Example_claims() {
	show(customizer.Policy{
		MaxSize: 2048,
		Rules: []customizer.Rule{{
			Tokens: customizer.AccessToken,
			Claims: []customizer.Claim{
				{Name: "seats", From: customizer.AttributeAs("custom:seats", customizer.Number)},
				{Name: "limits", From: customizer.AttributeAs("custom:limits", customizer.JSON)},
				{Name: "roles", From: customizer.Groups()},
				{Name: "stage", From: customizer.Static("production")},
			},
		}},
	})
	// Output: {"accessTokenGeneration":{"claimsToAddOrOverride":{"limits":{"rows":100},"roles":["admins"],"seats":5,"stage":"production"}}}
}

// One app client gets a scope, and loses another; no ID token tells the phone number.
func Example_scopes() {
	show(customizer.Policy{
		MaxSize: 2048,
		Rules: []customizer.Rule{
			{Clients: []string{"web"}, AddScopes: []string{"orders/read"}, SuppressScopes: []string{"aws.cognito.signin.user.admin"}},
			{Tokens: customizer.IDToken, SuppressClaims: []string{"phone_number", "phone_number_verified"}},
		},
	})
	// Output: {"idTokenGeneration":{"claimsToSuppress":["phone_number","phone_number_verified"]},"accessTokenGeneration":{"scopesToAdd":["orders/read"],"scopesToSuppress":["aws.cognito.signin.user.admin"]}}
}

// A lookup asks another service, for half a second at most. What it brings is checked like everything
// else, and claims that the policy does not name are left out.
func Example_lookup() {
	entitlements := func(_ context.Context, _ *pretoken.Event) (customizer.Found, error) {
		return customizer.Found{Claims: map[string]any{"features": []string{"export"}, "beta-for-ada": true}}, nil
	}
	show(customizer.Policy{
		MaxSize: 2048,
		Lookup: customizer.Lookup{
			Find: entitlements, Timeout: 500 * time.Millisecond, Claims: []string{"features"}, Tokens: customizer.AccessToken,
		},
	})
	// Output:
	// {"accessTokenGeneration":{"claimsToAddOrOverride":{"features":["export"]}}}
	// lookup brought what the policy does not name
}

// New refuses a policy that Cognito would not accept.
func Example_mistakes() {
	_, err := customizer.New(customizer.Policy{
		MaxSize: 2048,
		Rules: []customizer.Rule{{
			Tokens:    customizer.AccessToken,
			Claims:    []customizer.Claim{{Name: "exp", From: customizer.Static(0)}},
			AddScopes: []string{"read write"},
		}},
	})
	fmt.Println(err)
	// Output:
	// policy: rule 1: claim "exp": only Cognito can set it
	// rule 1: scope "read write": a scope has printable ASCII characters only, and no space, quote or backslash
}
