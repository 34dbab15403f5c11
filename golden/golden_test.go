package golden_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/goldenproject"
)

var update = flag.Bool("update", false, "write the golden projects instead of comparing them")

func render(t *testing.T, answers generator.Answers, functions ...generator.FunctionAnswers) generator.Tree {
	t.Helper()
	spec, err := kinds.All().Resolve(answers, functions...)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// projectOf writes a golden project to a folder of the test's.
func projectOf(t *testing.T, name string) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), name)
	if err := goldenproject.Write(t.Context(), name, folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

// lockOf is the path of what is checked in of a golden project that is not whole.
func lockOf(name string) string { return "locks/" + name + ".lock" }

// TestGolden compares each golden project with what its answers render to: paths, bytes and modes of those that are whole, golam.lock of the
// others.
func TestGolden(t *testing.T) {
	golden := kinds.All().Golden()
	var all, whole []project
	for _, variant := range golden {
		p := project{variant.Name, variant.Answers["module"], render(t, variant.Answers, variant.Functions...)}
		all = append(all, p)
		if goldenproject.IsWhole(p.name) {
			whole = append(whole, p)
		}
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			if *update {
				remove(t, p.name)
				remove(t, lockOf(p.name))
			}
			if goldenproject.IsWhole(p.name) {
				compareWhole(t, p)
			} else {
				compareLock(t, p, whole)
			}
		})
	}
	for _, stray := range strays(t, ".", golden) {
		t.Errorf("golden/%s belongs to no golden project: remove it", stray)
	}
	counts.Report(t, "%d golden projects compared byte by byte, %d by golam.lock", len(whole), len(golden)-len(whole))
}

func compareWhole(t *testing.T, p project) {
	t.Helper()
	if *update {
		write(t, p.name, p.tree)
	}
	got := read(t, p.name)
	if diff := cmp.Diff(describe(p.tree), describe(got)); diff != "" {
		t.Errorf("golden/%s is not what the templates render: run make golden and review the change (-rendered +golden):\n%s", p.name, diff)
	}
}

func compareLock(t *testing.T, p project, whole []project) {
	t.Helper()
	lock, found := p.tree.Lookup(generator.LockFile)
	if !found {
		t.Fatalf("%s has no %s", p.name, generator.LockFile)
	}
	file := lockOf(p.name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, lock.Content, 0o644); err != nil { //nolint:gosec // checked in
			t.Fatal(err)
		}
	}
	checked, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("run make golden: %v", err)
	}
	if bytes.Equal(checked, lock.Content) {
		return
	}
	differences, err := lockDifferences(p, checked, whole)
	if err != nil {
		t.Fatalf("golden/%s: %v: run make golden", file, err)
	}
	t.Errorf("golden/%s is not what the templates render: run make golden and review the change:\n%s", file, strings.Join(differences, "\n"))
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

// strays returns the folders and locks in root that belong to no variant. A variant has one of the two.
func strays(t *testing.T, root string, variants []generator.Variant) []string {
	t.Helper()
	known := map[string]bool{"testdata": true, "locks": true}
	for _, variant := range variants {
		if goldenproject.IsWhole(variant.Name) {
			known[variant.Name] = true
		} else {
			known[lockOf(variant.Name)] = true
		}
	}
	var found []string
	for _, dir := range []string{".", "locks"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			if (entry.IsDir() || dir == "locks") && !known[name] {
				found = append(found, name)
			}
		}
	}
	return found
}

func TestStrays(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"sam", "cdk", "testdata", "unknown", "locks"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"a_test.go", "locks/sam.lock", "locks/cdk.lock", "locks/unknown.lock"} {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"cdk", "unknown", "locks/sam.lock", "locks/unknown.lock"}
	if diff := cmp.Diff(want, strays(t, root, kinds.All().Golden())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func write(t *testing.T, dir string, tree generator.Tree) {
	t.Helper()
	if _, err := generator.Write(t.Context(), dir, tree, generator.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// read returns the files below dir as a tree.
func read(t *testing.T, dir string) generator.Tree {
	t.Helper()
	var files []generator.File
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files = append(files, generator.File{Path: filepath.ToSlash(relative), Content: content, Executable: info.Mode()&0o100 != 0})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.NewTree(files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// describe turns a tree into a map that is easy to compare.
func describe(tree generator.Tree) map[string]string {
	described := map[string]string{}
	for _, file := range tree {
		described[file.Path] = file.GitMode() + "\n" + string(file.Content)
	}
	return described
}
