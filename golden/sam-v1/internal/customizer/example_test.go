package customizer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"example.com/sam-v1/internal/customizer"
	"example.com/sam-v1/internal/pretoken"
)

// show prints what a policy does to the ID token of one user.
func show(policy customizer.Policy) {
	custom, err := customizer.New(policy)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, problems, _ := custom.Customize(context.Background(), &pretoken.Event{
		TriggerSource: pretoken.Authentication,
		ClientID:      "web",
		Attributes:    map[string]string{"custom:team": "blue"},
		Groups:        []string{"admins", "billing"},
	})
	encoded, _ := json.Marshal(response)
	fmt.Println(string(encoded))
	for _, problem := range problems {
		fmt.Println(problem.Name, problem.Reason)
	}
}

// An attribute under another name, groups as text, and a value that is the same for everybody.
func Example_claims() {
	show(customizer.Policy{
		MaxSize: 2048,
		Rules: []customizer.Rule{{
			Claims: []customizer.Claim{
				{Name: "team", From: customizer.Attribute("custom:team")},
				{Name: "roles", From: customizer.Groups()},
				{Name: "stage", From: customizer.Static("production")},
			},
		}},
	})
	// Output: {"claimsToAddOrOverride":{"roles":"[\"admins\",\"billing\"]","stage":"production","team":"blue"}}
}

// One app client does not get the phone number.
func Example_suppress() {
	show(customizer.Policy{
		MaxSize: 2048,
		Rules: []customizer.Rule{
			{Clients: []string{"web"}, SuppressClaims: []string{"phone_number", "phone_number_verified"}},
		},
	})
	// Output: {"claimsToSuppress":["phone_number","phone_number_verified"]}
}

// A lookup asks another service, for half a second at most. What it brings is checked like everything
// else, and claims that the policy does not name are left out.
func Example_lookup() {
	entitlements := func(_ context.Context, _ *pretoken.Event) (customizer.Found, error) {
		return customizer.Found{Claims: map[string]string{"feature": "export", "beta-for-ada": "yes"}}, nil
	}
	show(customizer.Policy{
		MaxSize: 2048,
		Lookup:  customizer.Lookup{Find: entitlements, Timeout: 500 * time.Millisecond, Claims: []string{"feature"}},
	})
	// Output:
	// {"claimsToAddOrOverride":{"feature":"export"}}
	// lookup brought what the policy does not name
}

// New refuses a policy that Cognito would not accept.
func Example_mistakes() {
	_, err := customizer.New(customizer.Policy{
		MaxSize: 2048,
		Rules:   []customizer.Rule{{Claims: []customizer.Claim{{Name: "exp", From: customizer.Static("0")}}}},
	})
	fmt.Println(err)
	// Output: policy: rule 1: claim "exp": only Cognito can set it
}
