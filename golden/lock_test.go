package golden_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
)

// project is a golden project as the templates render it.
type project struct {
	name, module string
	tree         generator.Tree
}

// has reports whether the project has the file of another one, but for the module path. There may be another file in its place.
func (p project) has(path string, of project) (same, there bool) {
	own, there := p.tree.Lookup(path)
	other, _ := of.tree.Lookup(path)
	content := bytes.ReplaceAll(own.Content, []byte(p.module), []byte(of.module))
	return there && own.Executable == other.Executable && bytes.Equal(content, other.Content), there
}

// lockDifferences lists the files that differ between the golam.lock that a project renders and the one that is checked in. A lock has no
// contents, so each line says which whole golden projects have the file as it is rendered now. The difference there is the one to review.
func lockDifferences(p project, checked []byte, whole []project) ([]string, error) {
	lock, _ := p.tree.Lookup(generator.LockFile)
	now, err := generator.ParseLock(lock.Content)
	if err != nil {
		return nil, err
	}
	before, err := generator.ParseLock(checked)
	if err != nil {
		return nil, err
	}
	paths := maps.Clone(now)
	maps.Copy(paths, before)
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		is, exists := now[path]
		was, existed := before[path]
		switch {
		case !exists:
			lines = append(lines, path+": not rendered any more")
		case !existed:
			lines = append(lines, path+": new, "+p.inWhole(path, whole))
		case is != was:
			lines = append(lines, path+": changed, "+p.inWhole(path, whole))
		}
	}
	if len(lines) == 0 {
		lines = []string{"the files are the same, but not the text around them"}
	}
	return lines, nil
}

// inWhole says which whole golden projects have the same file, or else which have one in its place.
func (p project) inWhole(path string, whole []project) string {
	var same, similar []string
	for _, w := range whole {
		equal, there := w.has(path, p)
		switch shown := "golden/" + w.name + "/" + path; {
		case equal:
			same = append(same, shown)
		case there:
			similar = append(similar, shown)
		}
	}
	switch {
	case len(same) > 0:
		return "as in " + strings.Join(same, ", ")
	case len(similar) > 0:
		return "similar to " + strings.Join(similar, ", ")
	}
	return "in no whole golden project"
}

func TestLockDifferences(t *testing.T) {
	file := func(path, content string) generator.File { return generator.File{Path: path, Content: []byte(content)} }
	lockFor := func(files ...generator.File) generator.File {
		lock := "# comment\n"
		for _, file := range files {
			lock += fmt.Sprintf("%s %s %s\n", file.GitMode(), file.BlobID(), file.Path)
		}
		return file(generator.LockFile, lock)
	}
	executable := file("run.sh", "run")
	executable.Executable = true
	whole := []project{
		{"one", "example.com/one", generator.Tree{file("a.go", "new example.com/one"), file("main.go", "one's"), file("run.sh", "run")}},
		{"two", "example.com/two", generator.Tree{file("a.go", "new example.com/two"), file("main.go", "two's")}},
	}
	files := []generator.File{file("a.go", "new example.com/three"), file("main.go", "three's"), executable, file("same.go", "x"), file("z.go", "x")}
	tree, err := generator.NewTree(append(files, lockFor(files...)))
	if err != nil {
		t.Fatal(err)
	}
	three := project{"three", "example.com/three", tree}
	checked := lockFor(file("a.go", "old"), file("main.go", "old"), file("gone.go", "x"), file("run.sh", "run"), file("same.go", "x"))
	got, err := lockDifferences(three, checked.Content, whole)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a.go: changed, as in golden/one/a.go, golden/two/a.go",
		"gone.go: not rendered any more",
		"main.go: changed, similar to golden/one/main.go, golden/two/main.go",
		"run.sh: changed, similar to golden/one/run.sh",
		"z.go: new, in no whole golden project",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err = lockDifferences(three, append(lockFor(files...).Content, '\n'), whole)
	if err != nil || len(got) != 1 || !strings.Contains(got[0], "the files are the same") {
		t.Errorf("another text around the same files: %q, %v", got, err)
	}
	if _, err := lockDifferences(three, []byte("<<<<<<< ours\n"), whole); err == nil {
		t.Error("a lock with a conflict passes")
	}
}
