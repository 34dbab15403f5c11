package generator

import "strings"

// Flavor is a tool that deploys projects: a choice of the option iac. Its templates are below templates/iac, and what a kind adds is below
// templates/kinds/<kind>+<flavor>.
type Flavor struct {
	// Name is the choice's value, and the feature that layers have in their names.
	Name string
	// Help is that of the choice.
	Help string
	// Requires says what make deploy needs, as the end of "with ...".
	Requires string
	// Spell writes the name of a [Setting] as the flavor's own files have it.
	Spell func(setting string) string
}

// Flavors returns every flavor, the default first.
func Flavors() []Flavor {
	return []Flavor{
		{
			Name: "sam", Help: "AWS SAM: template.yaml, sam build and sam deploy", Requires: "the SAM CLI and AWS credentials",
			Spell: func(setting string) string { return setting },
		},
		{
			Name: "cdk", Help: "AWS CDK: a stack in Go with tests of its own; needs Node.js", Requires: "npm and AWS credentials",
			Spell: lowerFirst,
		},
	}
}

// Flavor returns the flavor of the project.
func (s Spec) Flavor() Flavor {
	for _, flavor := range Flavors() {
		if flavor.Name == s.IaC {
			return flavor
		}
	}
	return Flavors()[0] // of a spec that Catalog.Resolve did not make
}

// flavorChoices are the choices of the option iac.
func flavorChoices() []Choice {
	var choices []Choice
	for _, flavor := range Flavors() {
		choices = append(choices, Choice{Value: flavor.Name, Label: flavor.Name, Help: flavor.Help, Features: []string{flavor.Name}})
	}
	return choices
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
