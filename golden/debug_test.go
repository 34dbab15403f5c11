package golden_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/golam-cli/golam/generator"
)

// TestDebugConfigurations wants VS Code to attach to each function at the port that golam watch --debug gives it, by the order of names.
func TestDebugConfigurations(t *testing.T) {
	for _, test := range []struct {
		functions []generator.FunctionAnswers
		want      map[string]int
	}{
		{nil, map[string]int{"Attach to golam watch --debug": 2345}},
		{
			[]generator.FunctionAnswers{{Name: "token-customizer"}, {Name: "partner-tokens"}},
			map[string]int{"Attach to partner-tokens in golam watch --debug": 2345, "Attach to token-customizer in golam watch --debug": 2346},
		},
	} {
		file, found := render(t, generator.Answers{"name": "demo"}, test.functions...).Lookup(".vscode/launch.json")
		if !found {
			t.Fatal("the project has no .vscode/launch.json")
		}
		var launch struct {
			Configurations []struct {
				Name string
				Port int
			}
		}
		if err := json.Unmarshal(file.Content, &launch); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, configuration := range launch.Configurations {
			if configuration.Port != 0 {
				got[configuration.Name] = configuration.Port
			}
		}
		if !maps.Equal(got, test.want) {
			t.Errorf("VS Code attaches to %v, want %v", got, test.want)
		}
	}
}
