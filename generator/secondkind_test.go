package generator_test

import (
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/templates"
)

// echo is a second kind, as small as one can be. Its templates are in testdata/echo.
type echo struct{}

func (echo) Name() string                             { return "echo" }
func (echo) Help() string                             { return "answers each event with the event itself" }
func (echo) DefaultFunctionName() string              { return "echo" }
func (echo) Unprefixed() bool                         { return false }
func (echo) Limits() generator.Limits                 { return generator.Limits{Memory: 128, Timeout: 3} }
func (echo) Resources() []string                      { return []string{"DurationAlarm"} }
func (echo) Options() []generator.Option              { return nil }
func (echo) Golden() []generator.Variant              { return nil }
func (echo) Packages() []string                       { return nil }
func (echo) Data(function generator.FunctionData) any { return function }

func (echo) Needs(generator.FunctionData) generator.Needs {
	return generator.Needs{Summary: "an echo", Description: "Answers each event with the event itself", Subject: "the echo"}
}

// withEcho is golam's templates, and those of echo.
func withEcho(t *testing.T) fstest.MapFS {
	t.Helper()
	layers := fstest.MapFS{}
	for _, from := range []fs.FS{templates.FS(), os.DirFS("testdata/echo")} {
		err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(from, name)
			layers[name] = &fstest.MapFile{Data: content}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return layers
}

// otherKind finds words of the kind cognito-token. Lambda's own context and a feature flag of the CDK have some of them, too.
var (
	otherKind = regexp.MustCompile(`(?i)cognito|user ?pool|\bsign-in|\bsigns? in\b|token.?customiz|tokens customized|pretoken|\bdetach|shellcheck|\bclaims?\b|policy\.go`)
	ofLambda  = regexp.MustCompile(`(?i)cognito.?identity|userPoolDomainNameMethod|caller claims to be`)
)

// TestSecondKind renders projects with a kind that golam does not have, alone and beside a function of each other kind: for every combination of
// flavor, traces and runtime. A project of that kind alone shows nothing of the others.
func TestSecondKind(t *testing.T) {
	layers, catalog := withEcho(t), append(kinds.All(), echo{})
	formatted := formatted{}
	for _, variant := range (generator.Catalog{echo{}}).Combinations() {
		if variant.Answers["arch"] != "arm64" || variant.Answers["ci"] != "github" {
			continue
		}
		variant.Answers["name"] = "demo"
		t.Run(variant.Name, func(t *testing.T) {
			for _, file := range renderFrom(t, layers, catalog, variant.Answers) {
				formatted.check(t, file)
				for i, line := range strings.Split(string(file.Content), "\n") {
					if found := otherKind.FindString(line); found != "" && !ofLambda.MatchString(line) {
						t.Errorf("%s:%d: a project of the kind echo has %q: %s", file.Path, i+1, found, line)
					}
				}
			}
		})
		t.Run(variant.Name+"/mixed", func(t *testing.T) {
			for _, file := range renderFrom(t, layers, catalog, variant.Answers, mixed(catalog)...) {
				formatted.check(t, file)
			}
		})
	}
}

// mixed is a function of each kind.
func mixed(catalog generator.Catalog) []generator.FunctionAnswers {
	var functions []generator.FunctionAnswers
	for _, kind := range catalog {
		functions = append(functions, generator.FunctionAnswers{Name: kind.DefaultFunctionName(), Kind: kind.Name()})
	}
	return functions
}

func renderFrom(t *testing.T, layers fs.FS, catalog generator.Catalog, answers generator.Answers, functions ...generator.FunctionAnswers) generator.Tree {
	t.Helper()
	if len(functions) > 0 {
		answers = without(answers, generator.KindKey)
	}
	spec, err := catalog.Resolve(answers, functions...)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.RenderFrom(layers, spec)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func without(answers generator.Answers, key string) generator.Answers {
	rest := generator.Answers{}
	for k, value := range answers {
		if k != key {
			rest[k] = value
		}
	}
	return rest
}

// formatted has the ids of files that are as gofmt wants them.
type formatted map[string]bool

func (f formatted) check(t *testing.T, file generator.File) {
	t.Helper()
	if path.Ext(file.Path) != ".go" || f[file.BlobID()] {
		return
	}
	f[file.BlobID()] = true
	if want, err := format.Source(file.Content); err != nil || string(want) != string(file.Content) {
		t.Errorf("%s is not as gofmt wants it: %v", file.Path, err)
	}
}

// TestSecondKindWorks builds, vets and tests projects with a function of a kind that golam does not have. The tests of the CDK's stack compare it
// with what the partials of the kind say.
func TestSecondKindWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles projects")
	}
	layers, catalog := withEcho(t), append(kinds.All(), echo{})
	for _, flavor := range generator.Flavors() {
		for runtime, functions := range map[string][]generator.FunctionAnswers{"slim": {{Name: "echo", Kind: "echo"}}, "official": mixed(catalog)} {
			t.Run(fmt.Sprintf("%s, %d functions", flavor.Name, len(functions)), func(t *testing.T) {
				folder := t.TempDir()
				tree := renderFrom(t, layers, catalog, generator.Answers{"name": "demo", "iac": flavor.Name, "runtime": runtime}, functions...)
				if _, err := generator.Write(t.Context(), folder, tree, generator.WriteOptions{}); err != nil {
					t.Fatal(err)
				}
				modules, err := filepath.Glob(filepath.Join(folder, "*/go.mod"))
				if err != nil {
					t.Fatal(err)
				}
				for _, module := range append(modules, filepath.Join(folder, "go.mod")) {
					for _, verb := range []string{"build", "vet", "test"} {
						command := exec.CommandContext(t.Context(), "go", verb, "./...")
						command.Dir = filepath.Dir(module)
						command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
						if output, err := command.CombinedOutput(); err != nil {
							t.Fatalf("go %s in %s: %v\n%s", verb, filepath.Dir(module), err, output)
						}
					}
				}
			})
		}
	}
}

// TestMissingPartial: an error says which partial a new kind lacks, and where the others are listed.
func TestMissingPartial(t *testing.T) {
	layers := withEcho(t)
	const file = "kinds/echo/partials/pages.tmpl"
	layers[file].Data = []byte(strings.ReplaceAll(string(layers[file].Data), `define "echo/readme/guide"`, `define "echo/other"`))
	spec, err := generator.Catalog{echo{}}.Resolve(generator.Answers{"name": "demo"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = generator.RenderFrom(layers, spec); err == nil || !strings.Contains(err.Error(), "echo/readme/guide") || !strings.Contains(err.Error(), "CONTRIBUTING.md") {
		t.Errorf("got %v", err)
	}
}
