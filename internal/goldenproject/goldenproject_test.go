package goldenproject_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/goldenproject"
)

func TestWholeAreGoldenProjects(t *testing.T) {
	golden := kinds.All().Golden()
	for _, example := range goldenproject.Whole() {
		if !slices.ContainsFunc(golden, func(v generator.Variant) bool { return v.Name == example.Name }) {
			t.Errorf("%s is not a golden project", example.Name)
		}
		if example.Shows == "" || !goldenproject.IsWhole(example.Name) {
			t.Errorf("%+v", example)
		}
	}
	if goldenproject.IsWhole("missing") {
		t.Error("a project that does not exist is whole")
	}
	if count := len(goldenproject.Whole()); count < 4 || count > 8 {
		t.Errorf("%d projects are whole, not 4 to 8: a reviewer reads each of them", count)
	}
}

func TestWrite(t *testing.T) {
	for name, want := range map[string]string{"sam-v1": "template.yaml", "cdk": "infra/cdk.json"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := goldenproject.Write(t.Context(), name, dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, want)); err != nil {
			t.Error(err)
		}
		module, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil || !strings.HasPrefix(string(module), "module example.com/"+name+"\n") {
			t.Errorf("go.mod of %s: %v: %s", name, err, module)
		}
	}
	if err := goldenproject.Write(t.Context(), "missing", t.TempDir()); err == nil || !strings.Contains(err.Error(), `no golden project "missing"`) {
		t.Errorf("a project that does not exist: %v", err)
	}
}
