// Package tokencustomizer decides what token-customizer does to tokens. It is yours to edit: docs/policy.md shows what a policy can do.
package tokencustomizer

import (
	"example.com/cdk-eventbridge-otlp/internal/platform/pretoken"
	"example.com/cdk-eventbridge-otlp/internal/platform/tokens"
)

// Trigger is the version of Cognito's pre token generation trigger. The user pool must have the same one: docs/policy.md lists what to change.
const Trigger = pretoken.V2

// Policy says what the function does to tokens. The function checks it when it starts.
func Policy() tokens.Policy {
	return tokens.Policy{
		Rules: []tokens.Rule{
			{
				Claims: []tokens.Claim{
					{Name: "tenant_id", From: tokens.Attribute("custom:tenant_id")},
					{Name: "plan", From: tokens.Attribute("custom:plan")},
					{Name: "roles", From: tokens.Groups()},
				},
			},
		},
		OnProblem: tokens.Drop, // leave out the claim at fault, and let the user in
		MaxSize:   2048,
	}
}
