package golden_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/goldenproject"
)

// longAnswers are answers to options without choices, of the kinds that have them.
var longAnswers = map[string]string{
	"claims": "a=email,https://example.com/a-very-long-claim/with-a-path=custom:a_long_name-12345.x,b2=custom:b",
}

// TestEveryCombinationRenders also holds rendering to being a function of the spec alone, as far as a second rendering can tell, and Go to
// gofmt. Every other combination has answers of the user's that are long, or sorted elsewhere. In short mode it renders a sample that has every
// pair of choices.
func TestEveryCombinationRenders(t *testing.T) {
	combinations := kinds.All().Combinations()
	if testing.Short() {
		combinations = pairwise(combinations)
	}
	formatted := formatter{}
	for i, variant := range combinations {
		t.Run(variant.Name, func(t *testing.T) {
			variant.Answers["name"] = "demo"
			if i%2 == 1 {
				for _, option := range kinds.All().OptionsOf(variant.Answers[generator.KindKey]) {
					if long, known := longAnswers[option.Key]; known {
						variant.Answers[option.Key] = long
					}
				}
				variant.Answers["module"] = []string{"a.com/b", "zzz.example.com/zz/zzz-zzz/v2", "github.com/aws/demo"}[i/2%3]
			}
			first, second := render(t, variant.Answers, variant.Functions...), render(t, variant.Answers, variant.Functions...)
			if !slices.EqualFunc(first, second, func(a, b generator.File) bool {
				return a.Path == b.Path && a.Executable == b.Executable && bytes.Equal(a.Content, b.Content)
			}) {
				t.Error("two renderings differ")
			}
			for _, file := range first {
				formatted.check(t, file)
			}
		})
	}
	counts.Report(t, "%d combinations rendered, each twice", len(combinations))
}

// formatter has the ids of files that are as gofmt wants them.
type formatter map[string]bool

func (f formatter) check(t *testing.T, file generator.File) {
	t.Helper()
	id := file.BlobID()
	if path.Ext(file.Path) != ".go" || f[id] {
		return
	}
	want, err := format.Source(file.Content)
	if diff := cmp.Diff(string(want), string(file.Content)); err != nil || diff != "" {
		t.Errorf("%s is not as gofmt wants it: %v\n%s", file.Path, err, diff)
	}
	f[id] = true
}

// TestVariantsWork builds, vets and tests the golden projects and a pairwise set of all combinations, with one go invocation each
// through a temporary go.work.
func TestVariantsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles every golden project")
	}
	folder := t.TempDir()
	work := "go 1.26.0\n"
	var patterns []string
	use := func(dir, module string) {
		for _, folder := range modules(t, dir) {
			work += fmt.Sprintf("use %q\n", filepath.ToSlash(folder))
		}
		patterns = append(patterns, module+"/...") // the module of the stack, whose path begins with the project's, included
	}
	for _, variant := range kinds.All().Golden() {
		use(kept(t, variant.Name, render(t, variant.Answers, variant.Functions...)), variant.Answers["module"])
	}
	pairs := pairwise(kinds.All().Combinations())
	for _, variant := range pairs {
		variant.Answers["name"] = "demo"
		variant.Answers["module"] = "example.com/pairwise/" + variant.Name
		use(kept(t, "pairwise/"+variant.Name, render(t, variant.Answers, variant.Functions...)), variant.Answers["module"])
	}
	goWork := filepath.Join(folder, "go.work")
	if err := os.WriteFile(goWork, []byte(work), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"build", "vet", "test"} {
		goCommand(t, folder, "GOWORK="+goWork, append([]string{verb}, patterns...)...)
	}
	counts.Report(t, "%d golden projects and %d combinations (every pair of choices) built, vetted and tested", len(kinds.All().Golden()), len(pairs))
}

// kept writes a project to the folder in .cache that it had in the last run, where go knows the results of what has not changed.
func kept(t *testing.T, name string, tree generator.Tree) (folder string) {
	t.Helper()
	folder, err := filepath.Abs("../.cache/variants/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, file := range read(t, folder) {
		if _, found := tree.Lookup(file.Path); !found {
			remove(t, filepath.Join(folder, file.Path))
		}
	}
	if _, err := generator.Write(t.Context(), folder, tree, generator.WriteOptions{Overwrite: true, Force: true}); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestModulesAreTidy looks at each golden module alone: a go.work would hide a missing requirement.
func TestModulesAreTidy(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go mod tidy for every golden project")
	}
	for _, variant := range kinds.All().Golden() {
		project := projectOf(t, variant.Name)
		for _, folder := range modules(t, project) {
			t.Run(variant.Name+strings.TrimPrefix(folder, project), func(t *testing.T) {
				t.Parallel()
				goCommand(t, folder, "GOWORK=off", "mod", "tidy", "-diff")
			})
		}
	}
}

// modules returns the folders of the project's modules: its own and, if it has one, that of its stack.
func modules(t *testing.T, project string) []string {
	t.Helper()
	folders := []string{project}
	stack := filepath.Join(project, "infra")
	if _, err := os.Stat(filepath.Join(stack, "go.mod")); err == nil {
		folders = append(folders, stack)
	} else if !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return folders
}

// TestNoGoldenFileIsIgnored finds files that golam's .gitignore, or that of the golden project itself, would keep out of the repository.
func TestNoGoldenFileIsIgnored(t *testing.T) {
	var here, there []string
	elsewhere := t.TempDir() // a repository of the projects that are not checked in
	command := exec.CommandContext(t.Context(), "git", "init", "--quiet", elsewhere)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, output)
	}
	for _, variant := range kinds.All().Golden() {
		tree := render(t, variant.Answers, variant.Functions...)
		var paths []string
		for _, file := range tree {
			paths = append(paths, variant.Name+"/"+file.Path)
		}
		if goldenproject.IsWhole(variant.Name) {
			here = append(here, paths...)
			continue
		}
		here = append(here, lockOf(variant.Name))
		there = append(there, paths...)
		write(t, filepath.Join(elsewhere, variant.Name), tree)
	}
	noneIsIgnored(t, ".", here)
	noneIsIgnored(t, elsewhere, there)
}

func noneIsIgnored(t *testing.T, repository string, paths []string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "-c", "core.excludesFile="+os.DevNull, "check-ignore", "--stdin", "--no-index")
	command.Dir = repository
	command.Stdin = strings.NewReader(strings.Join(paths, "\n"))
	output, err := command.CombinedOutput()
	switch exit, failed := errors.AsType[*exec.ExitError](err); {
	case err == nil:
		t.Errorf("git ignores\n%s", output)
	case !failed || exit.ExitCode() != 1: // 1: none is ignored
		t.Fatalf("git check-ignore: %v\n%s", err, output)
	}
}

// goCommand runs go as a user would: no flags from this environment, cgo off.
func goCommand(t *testing.T, dir, workspace string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", workspace)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", args[0], err, output)
	}
}

// pairwise chooses variants so that every pair of choices of two options is in one of them: each time the variant that has the most
// pairs which are still missing.
func pairwise(all []generator.Variant) []generator.Variant {
	missing := map[string]bool{}
	for _, variant := range all {
		for _, pair := range pairsOf(variant) {
			missing[pair] = true
		}
	}
	var chosen []generator.Variant
	for len(missing) > 0 {
		best, most := 0, 0
		for i, variant := range all {
			found := 0
			for _, pair := range pairsOf(variant) {
				if missing[pair] {
					found++
				}
			}
			if found > most {
				best, most = i, found
			}
		}
		chosen = append(chosen, all[best])
		for _, pair := range pairsOf(all[best]) {
			delete(missing, pair)
		}
	}
	return chosen
}

func pairsOf(variant generator.Variant) []string {
	var choices, pairs []string
	for key, value := range variant.Answers {
		choices = append(choices, key+"="+value)
	}
	slices.Sort(choices)
	for i, first := range choices {
		for _, second := range choices[i+1:] {
			pairs = append(pairs, first+" "+second)
		}
	}
	return pairs
}
