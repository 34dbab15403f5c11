package generator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// goLoads reports what the go command has against the packages of a project, or builds them.
func goLoads(t *testing.T, answers generator.Answers, build bool) string {
	t.Helper()
	spec, err := kinds.All().Resolve(answers)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), spec.Name)
	if _, err := generator.Write(t.Context(), dir, tree, generator.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	args := []string{"list", "-deps", "./..."}
	if build {
		args = []string{"vet", "./..."}
	}
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	var problems strings.Builder
	command.Stderr = &problems
	if err := command.Run(); err != nil {
		return err.Error() + " " + problems.String()
	}
	return ""
}

// small are the answers that make a project without dependencies.
func small(answers generator.Answers) generator.Answers {
	answers["runtime"], answers["otel"] = "slim", "off"
	return answers
}

// Whatever module path golam takes, the go command takes. Elements of paths mean something to it in places.
func TestModulePathsLoad(t *testing.T) {
	accepted := []string{
		"example.com", "example.com/internal", "example.com/internal/x", "example.com/testdata/x", "example.com/_x", "example.com/x/_y",
		"example.com/x.git", "example.com/x.git/y", "example.com/x.hg", "example.com/x.bzr/y", "example.com/x/v2", "example.com/v2", "example.com/x/v2/y",
		"gopkg.in/x.v1", "gopkg.in/x.v0", "golang.org/toolchain", "golang.org/std", "golang.org/x/net/http2", "cmd.x/y", "std.x/y", "unsafe.x",
		"example.com/cmd", "example.com/std", "example.com/all", "example.com/main", "example.com/go", "example.com/C", "example.com/unsafe",
		"example.com/builtin", "example.com/x.go", "example.com/x_test", "example.com/main.test", "example.com/X", "example.com/a-b-",
		"example.com/-x", "example.com/a...b", "example.com/a~1b", "example.com/command-line-arguments", "github.com/you/Vendor",
		"github.com/you/vendored", "github.com/aws", "127.0.0.1/x", "example.com/node_modules/x", "example.com/cmd/cgo",
	}
	if testing.Short() {
		accepted = []string{"example.com/internal", "example.com/x/v2", "gopkg.in/x.v1", "example.com/a...b"}
	}
	for _, module := range accepted {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			if problems := goLoads(t, small(generator.Answers{"name": "demo", "module": module}), module == "example.com/x/v2"); problems != "" {
				t.Error(problems)
			}
		})
	}
	for module, problem := range map[string]string{
		"example.com/vendor": "an element vendor", "example.com/vendor/x": "an element vendor", "example.com/internal/vendor/x": "an element vendor",
		"example.com/x/v0": "version", "example.com/x/v1": "version", "example.com/x/v01": "version", "example.com/x/v2.0": "version", "gopkg.in/x": "version",
		"example.com/x.": "trailing dot", "example.com/x./y": "trailing dot", "example.com/x~1": "tilde", "example.com/x/con": "Windows",
		"example.com/CON": "Windows", "example.com/aux.go": "Windows", "example.com/com1.x": "Windows", "example.com/...": "element", "example.com/.x": "leading dot",
		"cmd/x": "dot in first", "std": "dot in first", "all": "dot in first", "main": "dot in first", "vendor/x.y": "dot in first", "C.x/y": "invalid char",
	} {
		if _, err := kinds.All().Resolve(generator.Answers{"name": "demo", "module": module}); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", module, err)
		}
	}
}

// Whatever name golam takes makes a project, with the module path that follows from it.
func TestNamesLoad(t *testing.T) {
	names := []string{
		"v0", "v1", "v01", "v2", "v10", "v", "vendor", "internal", "testdata", "cmd", "std", "all", "main", "go", "golang", "golam", "lambda", "infra",
		"default", "test", "events", "unsafe", "token-customizer", "com", "lpt", "com10", strings.Repeat("a", 40),
	}
	if testing.Short() {
		names = []string{"v1", "v2", "vendor"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if problems := goLoads(t, small(generator.Answers{"name": name}), false); problems != "" {
				t.Error(problems)
			}
		})
	}
	for name, module := range map[string]string{"v1": "example.com/project-v1", "vendor": "example.com/project-vendor", "v2": "example.com/v2", "demo": "example.com/demo"} {
		if spec, err := kinds.All().Resolve(generator.Answers{"name": name}); err != nil || spec.Module != module {
			t.Errorf("%s: %s, %v", name, spec.Module, err)
		}
	}
}
