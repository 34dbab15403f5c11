package cognitotoken

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// Needs implements [generator.Kind]. The user pool and what lets it call the function are in templates/kinds/cognito-token+<flavor>.
func (k Kind) Needs(function generator.FunctionData) generator.Needs {
	d := k.data(function)
	subject := "the token customizer"
	if d.Several() || d.Function.Prefix() != "" {
		subject = "the function " + d.Function.Name
	}
	needs := generator.Needs{
		Summary:     fmt.Sprintf("a Cognito token customizer (pre token generation trigger %s)", d.LambdaVersion()),
		Description: "Customizes the tokens of a Cognito user pool",
		Subject:     subject,
		TimeoutNote: "Cognito stops waiting after 5 s, and the function's log does not show it",
		Settings:    []generator.Setting{d.ExistingUserPool(), d.UserPoolTier()},
		Skips: []generator.Skip{
			{Check: "CKV_AWS_115", Reason: "A reserved concurrency would refuse sign-ins in a burst. The throttles alarm watches the account's limit."},
			{Check: "CKV_AWS_116", Reason: "Cognito calls the function synchronously. A dead letter queue only gets asynchronous calls."},
		},
		Alarms: []generator.Alarm{
			{
				Name: "Errors", Namespace: "AWS/Lambda", Counts: []generator.Count{{Metric: "Errors"}},
				Comment:     "Cognito tries a call up to three times, and then the sign-in or the token refresh fails. So a single error matters.",
				Description: capitalize(subject) + " fails, so users cannot sign in. Read its log. To get users in at once, run scripts/attach.sh detach.",
			},
			{
				Name: "Throttles", Namespace: "AWS/Lambda", Counts: []generator.Count{{Metric: "Throttles"}},
				Description: "Lambda throttles " + subject + ", so users cannot sign in. The account has reached its concurrency limit.",
			},
		},
	}
	if d.Publishes() {
		needs.EventType = "TokensCustomized.v1"
	}
	return needs
}

func capitalize(subject string) string { return strings.ToUpper(subject[:1]) + subject[1:] }

// ExistingUserPool is the setting for a user pool that exists already.
func (d data) ExistingUserPool() generator.Setting {
	return generator.Setting{
		Name: d.Function.Prefix() + "ExistingUserPoolId", Pattern: `[a-z]{2,4}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+`, Want: "a user pool ID, such as eu-west-1_AbCdEf123, not an ARN",
		Description: "User pool whose tokens " + d.Function.Name + " customizes. Leave empty to create one. Attach an existing one after the deployment, with scripts/attach.sh.",
		Example:     d.ExamplePool(), Mistake: "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123",
	}
}

// ExamplePool is the id of a user pool in examples. Each function has another.
func (d data) ExamplePool() string {
	i := slices.IndexFunc(d.Spec.Functions, func(f generator.Function) bool { return f.Name == d.Function.Name })
	return fmt.Sprintf("eu-west-1_AbCdEf%d", 123+max(0, i)*111)
}

// UserPoolTier is the setting for the feature plan of a new user pool.
func (d data) UserPoolTier() generator.Setting {
	setting := generator.Setting{
		Name: d.Function.Prefix() + "UserPoolTier", Default: "ESSENTIALS", Allowed: []string{"ESSENTIALS", "PLUS"}, Example: "PLUS", Mistake: "LITE",
		Description: "Feature plan of the new user pool of " + d.Function.Name + ". The Lite plan has no " + d.LambdaVersion() + " trigger.",
		Want:        "ESSENTIALS or PLUS, since LITE has no " + d.LambdaVersion() + " trigger",
	}
	if d.Trigger == "v1" {
		setting.Allowed, setting.Mistake = []string{"LITE", "ESSENTIALS", "PLUS"}, "lite"
		setting.Description, setting.Want = "Feature plan of the new user pool of "+d.Function.Name+".", "LITE, ESSENTIALS or PLUS"
	}
	return setting
}

// Customizers are the project's functions of this kind.
func (d data) Customizers() []data {
	var found []data
	for _, function := range d.Functions() {
		if customizer, ok := function.(data); ok {
			found = append(found, customizer)
		}
	}
	return found
}

// Versions are the versions of the trigger that the project's functions have, each once.
func (d data) Versions() []string {
	var versions []string
	for _, function := range d.Spec.Functions {
		if function.Kind.Name() != d.Function.Kind.Name() {
			continue
		}
		if version := lambdaVersion(function.Answers["trigger"]); !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	return versions
}

// AttachOptions are the options of scripts/attach.sh for the function: it has to be told the trigger version where functions differ in it.
func (d data) AttachOptions() string {
	if len(d.Versions()) == 1 {
		return ""
	}
	return " --version " + d.LambdaVersion()
}

// Suffix ends names that AWS wants to be unique where the stack has several user pools, such as -partner-tokens. The function with the kind's
// default name has none.
func (d data) Suffix() string {
	if d.Function.Prefix() == "" {
		return ""
	}
	return "-" + d.Function.Name
}

// DomainSuffix is a suffix for the domain of a user pool, where names are short and some words are reserved.
func (d data) DomainSuffix() string {
	if d.Function.Prefix() == "" {
		return ""
	}
	return fmt.Sprintf("-%08x", crc32.ChecksumIEEE([]byte(d.Function.Name)))
}
