// Package cognitotoken is the kind of functions that customize the tokens of an Amazon Cognito user pool, by its pre token generation trigger.
//
// What belongs here: the kind's options, the checks of their answers, and what its templates see. The templates themselves are in
// templates/.
package cognitotoken

import "github.com/golam-cli/golam/generator"

// Kind implements [generator.Kind].
type Kind struct{}

var _ generator.Kind = Kind{}

// Name implements [generator.Kind].
func (Kind) Name() string { return "cognito-token" }

// Help implements [generator.Kind].
func (Kind) Help() string { return "customizes the tokens of an Amazon Cognito user pool" }

// Limits implements [generator.Kind]. Cognito retries after 5 s, while Lambda may still be at work, and the error reaches no log (Amazon
// Cognito Developer Guide, "Customizing user pool workflows with Lambda triggers").
func (Kind) Limits() generator.Limits {
	return generator.Limits{Memory: 256, Timeout: 4, MaxTimeout: 5, Reason: "Cognito waits 5 s for an answer"}
}

// Resources implements [generator.Kind].
func (Kind) Resources() []string {
	return []string{
		"AttachCommand", "DurationAlarm", "ErrorsAlarm", "EventsAlarm", "ExistingUserPoolId", "MachineClient", "MachineClientId", "MakeUserPool",
		"ResourceServer", "ThrottlesAlarm", "TokenEndpoint", "UseExistingUserPool", "UserPool", "UserPoolClient", "UserPoolClientId",
		"UserPoolDomain", "UserPoolId", "UserPoolTier",
	}
}

// DefaultFunctionName implements [generator.Kind].
func (Kind) DefaultFunctionName() string { return "token-customizer" }

// Unprefixed implements [generator.Kind].
func (Kind) Unprefixed() bool { return true }

// Packages implements [generator.Kind].
func (Kind) Packages() []string { return []string{"pretoken", "rawjson", "tokens"} }

// Options implements [generator.Kind].
func (Kind) Options() []generator.Option {
	return []generator.Option{
		generator.Choices(generator.Option{
			Key: "trigger", Page: "Tokens", After: "module", Question: "Which version of Cognito's pre token generation trigger?", Flag: "the version of Cognito's pre token generation trigger",
			Help: "V1 works on every plan but changes only ID tokens. V2 and V3 need the Essentials or Plus plan.",
			Choices: []generator.Choice{
				{Value: "v2", Help: "ID and access tokens of users (Essentials or Plus)", Features: []string{"v2", "access-tokens"}},
				{Value: "v1", Help: "ID tokens of users, text claims only (any plan)", Features: []string{"v1"}},
				{Value: "v3", Help: "as v2, plus access tokens of machines (Essentials or Plus, at extra cost)", Features: []string{"v3", "access-tokens"}},
			},
		}),
		{
			Key: "claims", Page: "Tokens", After: "module", Question: "Which claims does the policy start with?", Flag: "claims that the policy starts with", Form: generator.Pairs,
			Help:     "Pairs of a claim and a user attribute. You can edit the policy, a Go file, later.",
			Default:  "tenant_id=custom:tenant_id,plan=custom:plan",
			Problems: func(value string) []string { _, problems := parseClaims(value); return problems },
			Pairing: generator.Pairing{
				Item: "claim", Form: "claim=attribute", Left: "claim", Right: "copied from attribute", Relation: "copied from", Hint: "a user attribute, such as custom:plan",
				CheckLeft: checkClaim, CheckRight: checkAttribute, Suggest: suggestAttribute, Parse: parseClaims,
			},
		},
		generator.Choices(generator.Option{
			Key: "eventbridge", Page: "Events", After: "ci", Question: "Does it publish an event for each sign-in?", Flag: "publish an event for each sign-in", Crossed: true,
			Help: "To Amazon EventBridge, without personal data. The user waits about 10 ms for it, 0.8 s at most. Adds 0.5 MB (1.2 with slim).",
			Choices: []generator.Choice{
				{Value: "false", Help: "no"},
				{
					Value: "true", Help: "yes: to a new bus with an archive and an example consumer, or to your own bus", Label: "eventbridge",
					Features: []string{"publisher"},
				},
			},
		}),
	}
}

// suggestAttribute is the attribute that a claim is most probably copied from.
func suggestAttribute(claim string) string {
	for _, attribute := range []string{claim, "custom:" + claim} {
		if checkAttribute(attribute) == "" {
			return attribute
		}
	}
	return ""
}

// Golden implements [generator.Kind]: one project for each version of the trigger that is not the default, and one with two functions.
func (k Kind) Golden() []generator.Variant {
	var variants []generator.Variant
	for _, trigger := range []string{"v1", "v3"} {
		variants = append(variants, generator.Variant{Name: "sam-" + trigger, Answers: generator.Answers{"iac": "sam", "trigger": trigger, "otel": "off"}})
	}
	return append(variants, generator.Variant{
		Name: "two-customizers", Answers: generator.Answers{"iac": "sam"},
		Functions: []generator.FunctionAnswers{
			{Name: k.DefaultFunctionName(), Answers: generator.Answers{"eventbridge": "true"}},
			{Name: "partner-tokens", Answers: generator.Answers{"trigger": "v1", "claims": "company=custom:company"}},
		},
	})
}
