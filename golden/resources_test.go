package golden_test

import (
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// TestResourcesAreDeclared: what template.yaml of any combination calls something, the function or the project says that it does. So functions
// whose names would clash are refused.
func TestResourcesAreDeclared(t *testing.T) {
	for _, variant := range kinds.All().Combinations() {
		if variant.Answers["iac"] != "sam" {
			continue // with the same names: TestSAMAndCDKDeployTheSame
		}
		variant.Answers["name"] = "demo"
		spec, err := kinds.All().Resolve(variant.Answers)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := generator.Render(spec)
		if err != nil {
			t.Fatal(err)
		}
		file, _ := tree.Lookup("template.yaml")
		var template map[string]yaml.Node
		if err := yaml.Unmarshal(file.Content, &template); err != nil {
			t.Fatal(err)
		}
		declared := generator.ProjectResources()
		for _, function := range spec.Functions {
			declared = append(declared, function.Resources()...)
		}
		for _, section := range []string{"Parameters", "Conditions", "Resources", "Outputs"} {
			content := template[section].Content
			if len(content) == 0 && section == "Resources" {
				t.Fatalf("%s has no %s", variant.Name, section)
			}
			for i := 0; i < len(content); i += 2 {
				if name := content[i].Value; !slices.Contains(declared, name) {
					t.Errorf("%s: %s %s is not declared", variant.Name, section, name)
				}
			}
		}
	}
}
