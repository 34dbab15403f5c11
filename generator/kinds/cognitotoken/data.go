package cognitotoken

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// data is what the templates of a function see: the answers to the kind's options, and what follows from them.
type data struct {
	generator.FunctionData
	// Claims that the policy starts with, in the order given.
	Claims []Claim
	// Trigger and EventBridge are values of the choices of the kind's options.
	Trigger, EventBridge string
}

// Claim says which user attribute a claim is copied from.
type Claim struct {
	Claim, Attribute string
}

// Data implements [generator.Kind].
func (k Kind) Data(function generator.FunctionData) any { return k.data(function) }

func (Kind) data(function generator.FunctionData) data {
	answers := function.Function.Answers
	d := data{FunctionData: function, Trigger: answers["trigger"], EventBridge: answers["eventbridge"]}
	pairs, _ := parseClaims(answers["claims"]) // validated already
	for _, pair := range pairs {
		d.Claims = append(d.Claims, Claim{Claim: pair.Left, Attribute: pair.Right})
	}
	return d
}

// LambdaVersion is Cognito's word for the trigger version, as in PreTokenGenerationConfig.
func (d data) LambdaVersion() string { return lambdaVersion(d.Trigger) }

func lambdaVersion(trigger string) string { return strings.ToUpper(trigger) + "_0" }

// Version is the constant of package pretoken for the version of the trigger.
func (d data) Version() string { return strings.ToUpper(d.Trigger) }

// Details is the member of Cognito's response that the function fills in.
func (d data) Details() string {
	if d.Trigger == "v1" {
		return "claimsOverrideDetails"
	}
	return "claimsAndScopeOverrideDetails"
}

// Publishes reports whether the function publishes events to EventBridge.
func (d data) Publishes() bool { return d.EventBridge == "true" }

// HasClaim reports whether the policy starts with the claim.
func (d data) HasClaim(name string) bool {
	return slices.ContainsFunc(d.Claims, func(c Claim) bool { return c.Claim == name })
}

// Copies reports whether the policy starts with a claim that is copied from the attribute.
func (d data) Copies(attribute string) bool {
	return slices.ContainsFunc(d.Claims, func(c Claim) bool { return c.Attribute == attribute })
}

// Sample is an attribute of the user in the sample events.
type Sample struct {
	Name, Value string
}

// standardSamples are attributes that every sample event has.
var standardSamples = map[string]string{
	"sub": "1f0c5d1e-7f7b-4c57-9a83-0c9d8f2b6a11", "cognito:user_status": "CONFIRMED", "email_verified": "true", "email": "ada@example.com",
	"name": "Ada Example", "phone_number_verified": "false", "phone_number": "+15555550100",
}

// SampleAttributes are the attributes of the sample user beyond the standard ones: those that the claims are copied from.
func (d data) SampleAttributes() []Sample {
	var samples []Sample
	for _, claim := range d.Claims {
		_, standard := standardSamples[claim.Attribute]
		sample := Sample{Name: claim.Attribute, Value: sampleValue(claim.Attribute)}
		if !standard && !slices.Contains(samples, sample) {
			samples = append(samples, sample)
		}
	}
	return samples
}

func sampleValue(attribute string) string {
	switch attribute {
	case "custom:tenant_id":
		return "acme-42"
	case "custom:plan":
		return "gold"
	}
	if value, standard := standardSamples[attribute]; standard {
		return value
	}
	return "some " + strings.TrimPrefix(attribute, "custom:")
}

// FromCognito reports whether Cognito puts the claim into an ID token by itself: it has a claim for each attribute that the app client may
// read, under the attribute's name.
func (d data) FromCognito(claim string) bool {
	return slices.Contains(standardAttributes, claim) || strings.HasPrefix(claim, "custom:")
}

// SampleClaims are the claims that the default policy gives to the sample user, as JSON with sorted keys.
func (d data) SampleClaims(groups bool) (string, error) {
	claims := map[string]any{}
	for _, claim := range d.Claims {
		claims[claim.Claim] = sampleValue(claim.Attribute)
	}
	if groups && !d.HasClaim("roles") {
		claims["roles"] = []string{"admins", "billing"}
		if d.Trigger == "v1" {
			claims["roles"] = `["admins","billing"]` // text: version 1 has no arrays
		}
	}
	encoded, err := json.Marshal(claims)
	return string(encoded), err
}

// CustomAttributes are the names, without "custom:", of the attributes that a new user pool needs for the claims.
func (d data) CustomAttributes() []string {
	names := map[string]bool{}
	for _, claim := range d.Claims {
		if name, custom := strings.CutPrefix(claim.Attribute, "custom:"); custom {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
