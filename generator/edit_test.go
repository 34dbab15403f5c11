package generator

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func text(name, content string) *File { return &File{Path: name, Content: []byte(content)} }

// sampleEdits change the folder that sampleFolder makes in every way there is.
func sampleEdits() []Edit {
	script := text("script", "new")
	script.Executable = true
	return []Edit{
		{Path: "changed", Before: text("", "old"), After: text("", "new")},
		{Path: "script", Before: text("", "old"), After: script},
		{Path: "removed", Before: text("", "old")},
		{Path: "folder/removed", Before: text("", "old")},
		{Path: "emptied/a/removed", Before: text("", "old")},
		{Path: "file", Before: text("", "old")}, // becomes a folder
		{Path: "file/b/added", After: text("", "new")},
		{Path: "dir/x/removed", Before: text("", "old")}, // becomes a file
		{Path: "dir", After: text("", "new")},
		{Path: "moved/from", Before: text("", "old")}, // its folder stays, although it is empty for a moment
		{Path: "moved/to", After: text("", "old")},
		{Path: "made/c/d", After: text("", "new")},
		{Path: "made/c/e", After: text("", "new")},
	}
}

func sampleFolder(t testing.TB, dir string) {
	t.Helper()
	for _, name := range []string{"changed", "script", "removed", "folder/removed", "folder/mine", "emptied/a/removed", "file", "dir/x/removed", "moved/from", "mine"} {
		writeFile(t, filepath.Join(dir, name), "old")
	}
}

// sampleBefore and sampleAfter are the folder before and after sampleEdits.
func sampleBefore(t testing.TB) map[string]entry {
	t.Helper()
	dir := t.TempDir()
	sampleFolder(t, dir)
	return snapshot(t, dir)
}

func sampleAfter(t testing.TB) map[string]entry {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"changed": "new", "script": "new", "folder/mine": "old", "file/b/added": "new", "dir": "new", "moved/to": "old", "made/c/d": "new", "made/c/e": "new", "mine": "old",
	} {
		writeFile(t, filepath.Join(dir, name), content)
	}
	if err := os.Chmod(filepath.Join(dir, "script"), 0o755); err != nil {
		t.Fatal(err)
	}
	return snapshot(t, dir)
}

func TestApply(t *testing.T) {
	dir := t.TempDir()
	sampleFolder(t, dir)
	if err := Apply(t.Context(), dir, sampleEdits()); err != nil {
		t.Fatal(err)
	}
	checkSame(t, "after the edits", snapshot(t, dir), sampleAfter(t))
	if err := Apply(t.Context(), dir, nil); err != nil {
		t.Error(err)
	}
}

func TestApplyRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		stale  []string
	}{
		"an edited file":    {func(t *testing.T, dir string) { writeFile(t, dir+"/changed", "mine") }, []string{"changed"}},
		"the same size":     {func(t *testing.T, dir string) { writeFile(t, dir+"/removed", "olD") }, []string{"removed"}},
		"a deleted file":    {func(t *testing.T, dir string) { remove(t, dir+"/removed") }, []string{"removed"}},
		"a new file":        {func(t *testing.T, dir string) { writeFile(t, dir+"/made/c/d", "mine") }, []string{"made/c/d"}},
		"a file above":      {func(t *testing.T, dir string) { writeFile(t, dir+"/made", "mine") }, []string{"made/c/d"}},
		"a link":            {func(t *testing.T, dir string) { remove(t, dir+"/changed"); symlink(t, "mine", dir+"/changed") }, []string{"changed"}},
		"a link above":      {func(t *testing.T, dir string) { symlink(t, "folder", dir+"/made") }, []string{"made/c/d"}},
		"a folder":          {func(t *testing.T, dir string) { remove(t, dir+"/changed"); mkdir("changed")(t, dir) }, []string{"changed"}},
		"a link for a file": {func(t *testing.T, dir string) { remove(t, dir+"/file"); symlink(t, "folder", dir+"/file") }, []string{"file", "file/b/added"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			sampleFolder(t, dir)
			test.change(t, dir)
			before := snapshot(t, dir)
			err := Apply(t.Context(), dir, sampleEdits())
			stale, ok := errors.AsType[*StaleError](err)
			if !ok || len(stale.Paths) < len(test.stale) || !cmp.Equal(stale.Paths[:len(test.stale)], test.stale) {
				t.Errorf("the error is %v, want stale %q", err, test.stale)
			}
			checkSame(t, "the folder", snapshot(t, dir), before)
		})
	}
}

func remove(t testing.TB, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func TestApplyRefusesBadEdits(t *testing.T) {
	old := text("", "old")
	for name, edits := range map[string][]Edit{
		"nothing changes":         {{Path: "a"}},
		"twice":                   {{Path: "a", After: old}, {Path: "a", Before: old}},
		"out of the project":      {{Path: "../a", After: old}},
		"absolute":                {{Path: "/a", Before: old}},
		"a file below a file":     {{Path: "a", After: old}, {Path: "a/b", After: old}},
		"the repository":          {{Path: ".git/config", Before: old}},
		"a repository below":      {{Path: "a/.GIT/hooks/x", After: old}},
		"the journal":             {{Path: journalName + "/moves", After: old}},
		"the journal, in capital": {{Path: strings.ToUpper(journalName) + "/moves", Before: old}},
	} {
		dir := t.TempDir()
		if err := Apply(t.Context(), dir, edits); err == nil || len(snapshot(t, dir)) > 0 {
			t.Errorf("%s: %v, %v", name, err, snapshot(t, dir))
		}
	}
	if err := Apply(t.Context(), filepath.Join(t.TempDir(), "none"), sampleEdits()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	dir := t.TempDir()
	sampleFolder(t, dir)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Apply(canceled, dir, sampleEdits()); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	checkSame(t, "canceled", snapshot(t, dir), sampleBefore(t))
}

// A move that is refused takes back all others.
func TestApplyIsTakenBack(t *testing.T) {
	dir := t.TempDir()
	sampleFolder(t, dir)
	steps := 0
	w := writer{step: func() {
		steps++
		if _, err := os.Lstat(filepath.Join(dir, journalName, "committed")); err == nil {
			if _, err := os.Lstat(filepath.Join(dir, "made")); err != nil {
				writeFile(t, filepath.Join(dir, "script"), "mine") // moved last
			}
		}
	}}
	err := w.apply(t.Context(), dir, sampleEdits())
	if err == nil || !strings.Contains(err.Error(), "it has changed in the meantime") {
		t.Errorf("the error is %v", err)
	}
	want := sampleBefore(t)
	got := snapshot(t, dir)
	if string(mustRead(t, filepath.Join(dir, "script"))) != "mine" {
		t.Error("what was written in the meantime is lost")
	}
	delete(want, "script")
	delete(got, "script")
	checkSame(t, "the folder", got, want)
	if steps == 0 {
		t.Error("nothing happened")
	}
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// On a file system that ignores case, both names are the same file. Here it is tried wherever the test runs.
func TestApplyRenamesInCaseOnly(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "readme.md"), "old")
	if err := Apply(t.Context(), dir, []Edit{{Path: "README.md", After: text("", "new")}, {Path: "readme.md", Before: text("", "old")}}); err != nil {
		t.Fatal(err)
	}
	if got := snapshot(t, dir); len(got) != 1 || string(mustRead(t, filepath.Join(dir, "README.md"))) != "new" {
		t.Errorf("%s: %v", runtime.GOOS, got)
	}
}

// TestApplyKilledAtEachStep kills the process after its first step on the file system, after its second, and so on. Recover makes it all the
// old folder or all the new one.
func TestApplyKilledAtEachStep(t *testing.T) {
	stride := 1
	if testing.Short() {
		stride = 11
	}
	before, after := sampleBefore(t), sampleAfter(t)
	outcomes := map[Recovery]int{}
	c := killCase{
		setUp:   func(t *testing.T, base string) { sampleFolder(t, filepath.Join(base, "a", "demo")) },
		order:   order{Edits: true},
		outcome: "written",
		check: func(t *testing.T, what, base string) {
			demo := filepath.Join(base, "a", "demo")
			recovery, err := Recover(demo)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			outcomes[recovery]++
			switch got := snapshot(t, demo); {
			case recovery == RecoveryUndone:
				checkSame(t, what+", undone", got, before)
			case recovery == RecoveryFinished:
				checkSame(t, what+", finished", got, after)
			case !cmp.Equal(got, before):
				checkSame(t, what+", nothing to do", got, after)
			}
		},
	}
	c.killAtEachStep(t, memoryDir(t), 1, stride)
	t.Log(outcomes)
}
