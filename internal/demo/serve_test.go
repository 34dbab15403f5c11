package demo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/cognito"
)

// TestServeFails gives the real function events that it cannot answer, or that are none of Cognito's.
func TestServeFails(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a function")
	}
	project, screen := filepath.Join(t.TempDir(), "demo"), newPrinter(new(strings.Builder), false)
	spec, err := kinds.All().Resolve(generator.Answers{"name": "demo"})
	if err != nil {
		t.Fatal(err)
	}
	if err := generate(t.Context(), screen, project, spec); err != nil {
		t.Fatal(err)
	}
	bootstrap, err := compile(t.Context(), screen, project, t.TempDir(), spec.Functions[0])
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		event string
		want  []string // in the error
	}{
		"the function refuses":  {event: `{"version":"0"}`, want: []string{"the function fails on odd", "sign-in is not available", `"event refused"`}},
		"no event of Cognito's": {event: `{"request":{}}`, want: []string{"odd: not an event of Cognito's pre token generation trigger"}},
		"no events":             {want: []string{"no sample events"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if test.event != "" {
				if err := os.MkdirAll(filepath.Join(folder, "events", "token-customizer"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, "events", "token-customizer", "odd.json"), []byte(test.event), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := serve(t.Context(), screen, folder, bootstrap, spec.Functions[0])
			if err == nil {
				t.Fatal("want an error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %v", want, err)
				}
			}
		})
	}
}

func TestBuildFails(t *testing.T) {
	project := t.TempDir()
	for path, content := range map[string]string{
		"go.mod":                       "module example.com/broken\n\ngo 1.26\n",
		"golam.yaml":                   "functions:\n  - name: token-customizer\n",
		"cmd/token-customizer/main.go": "package main\n\nfunc main() { missing() }\n",
	} {
		path = filepath.Join(project, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := compile(t.Context(), newPrinter(new(strings.Builder), false), project, t.TempDir(), generator.Function{Name: "token-customizer"})
	if err == nil || !strings.Contains(err.Error(), "main.go:3") || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error %v does not say what go says", err)
	}
	t.Setenv("PATH", "")
	_, err = compile(t.Context(), newPrinter(new(strings.Builder), false), project, t.TempDir(), generator.Function{Name: "token-customizer"})
	if err == nil || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("error %v does not say what to do", err)
	}
}

func TestCount(t *testing.T) {
	var summary Summary
	summary.count(crowded())
	summary.count(cognito.Outcome{})
	if want := (Summary{Events: 2, Errors: 1, Warnings: 1}); summary != want {
		t.Errorf("got %+v, want %+v", summary, want)
	}
}
