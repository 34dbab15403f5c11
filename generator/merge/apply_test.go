package merge

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
)

// onDisk writes a folder of memory, and reads one.
func onDisk(t *testing.T, dir string, folder fstest.MapFS) {
	t.Helper()
	for name, file := range folder {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, file.Mode.Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

func fromDisk(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	folder := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		folder[name] = &fstest.MapFile{Data: content, Mode: info.Mode()}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestCasesOnDisk carries out the plans of TestMerge in real folders, and comes to the same as memory.
func TestCasesOnDisk(t *testing.T) {
	for _, test := range mergeCases {
		folder := work(test.work)
		if strings.Contains(test.name, "symbolic link") {
			continue // what to do with those is tried in package generator
		}
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			onDisk(t, dir, folder)
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			in := Input{Base: baseOf(t, test.base), Target: tree(t, test.target), Work: root.FS()}
			if test.change != nil {
				test.change(&in)
			}
			plan, err := Merge(in)
			if err != nil {
				t.Fatal(err)
			}
			if err := generator.Apply(t.Context(), dir, plan.Edits()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(contents(applied(t, folder, plan)), contents(fromDisk(t, dir))); diff != "" {
				t.Errorf("the folder (-memory +disk):\n%s", diff)
			}
		})
	}
}

// TestGoldenProjectOnDisk changes a whole project into another and back.
func TestGoldenProjectOnDisk(t *testing.T) {
	projects := goldenProjects(t)
	one, two := projects["sam-eventbridge-otlp-slim"], projects["cdk-slim"]
	dir := t.TempDir()
	onDisk(t, dir, work(one))
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	base := baseOf(t, one)
	for _, target := range []map[string]string{two, one} {
		plan, err := Merge(Input{Base: base, Target: tree(t, target), Work: root.FS()})
		if err != nil {
			t.Fatal(err)
		}
		if err := generator.Apply(t.Context(), dir, plan.Edits()); err != nil {
			t.Fatal(err)
		}
		folder := fromDisk(t, dir)
		if diff := cmp.Diff(contents(work(target)), contents(folder)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		base = storedBase(t, folder)
	}
}
