package golden_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/goldenproject"
)

var update = flag.Bool("update", false, "write the golden projects instead of comparing them")

func render(t *testing.T, answers generator.Answers) generator.Tree {
	t.Helper()
	spec, err := kinds.All().Resolve(answers)
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

// TestGolden compares each golden project with what its answers render to: paths, bytes and modes.
func TestGolden(t *testing.T) {
	var names []string
	for _, variant := range kinds.All().Golden() {
		names = append(names, variant.Name)
		t.Run(variant.Name, func(t *testing.T) {
			want := render(t, variant.Answers)
			if *update {
				replace(t, variant.Name, want)
			}
			got := read(t, variant.Name)
			if diff := cmp.Diff(describe(want), describe(got)); diff != "" {
				t.Errorf("golden/%s is not what the templates render: run make golden and review the change (-rendered +golden):\n%s", variant.Name, diff)
			}
		})
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "testdata" && !slices.Contains(names, entry.Name()) {
			t.Errorf("golden/%s belongs to no variant: remove it", entry.Name())
		}
	}
	counts.Report(t, "%d golden projects compared byte by byte", len(names))
}

func replace(t *testing.T, dir string, tree generator.Tree) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write(t, dir, tree)
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
