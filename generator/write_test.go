package generator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sampleTree is a project of about 60 files. Edition 2 leaves a third of them as they are, changes the others, makes one executable that
// was not, and adds files and folders.
func sampleTree(t testing.TB, edition int) Tree {
	t.Helper()
	dirs := []string{"", "cmd", "internal/customizer", "internal/a/b/c", ".github/workflows"}
	var files []File
	for i := range 55 {
		if edition == 3 && i%5 != i%11 {
			continue
		}
		content := fmt.Sprintf("file %d\n", i)
		if i%3 != 0 {
			content = fmt.Sprintf("file %d, edition %d\n", i, edition)
		}
		files = append(files, File{
			Path:       path.Join(dirs[i%5], fmt.Sprintf("f%02d.txt", i)),
			Content:    []byte(strings.Repeat(content, 1+i*i%400)),
			Executable: i%11 == 0 || i == 3 && edition > 1,
		})
	}
	if edition > 1 {
		for _, name := range []string{"internal/a-b/x.go", "internal/new/deep/x.go", "internal/new/y.go", "internal/a/b/c/z.go", "new.txt"} {
			files = append(files, File{Path: name, Content: []byte(name)})
		}
	}
	tree, err := NewTree(files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func mustWrite(t testing.TB, dir string, tree Tree, options WriteOptions) Changes {
	t.Helper()
	changes, err := Write(t.Context(), dir, tree, options)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

var gitHead = File{Path: ".git/HEAD", Content: []byte("ref: refs/heads/main\n")}

// makeGitHead is a Prepare.
func makeGitHead(_ context.Context, staging string) error {
	if !filepath.IsAbs(staging) {
		return fmt.Errorf("%s is not absolute", staging)
	}
	if err := os.Mkdir(filepath.Join(staging, ".git"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(staging, filepath.FromSlash(gitHead.Path)), gitHead.Content, gitHead.Mode())
}

// entry is what a test compares of a file or folder.
type entry struct {
	Mode    fs.FileMode
	Content string // or where a symbolic link leads
}

// snapshot reads a folder without following links. An absent folder gives nil.
func snapshot(t testing.TB, dir string) map[string]entry {
	t.Helper()
	var entries map[string]entry
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if name == dir {
			if err == nil {
				entries = map[string]entry{}
			} else if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return err
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := entry{Mode: info.Mode()}
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			e.Content = string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			if e.Content, err = os.Readlink(name); err != nil {
				return err
			}
		}
		relative, err := filepath.Rel(dir, name)
		entries[filepath.ToSlash(relative)] = e
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// want is the snapshot of a folder that holds a tree and some files more.
func want(tree Tree, more ...File) map[string]entry {
	entries := map[string]entry{}
	for _, file := range append(more, tree...) {
		mode := file.Mode()
		if runtime.GOOS == "windows" {
			mode = 0o666
		}
		entries[file.Path] = entry{Mode: mode, Content: string(file.Content)}
		for dir := path.Dir(file.Path); dir != "."; dir = path.Dir(dir) {
			entries[dir] = entry{Mode: fs.ModeDir | 0o755}
			if runtime.GOOS == "windows" {
				entries[dir] = entry{Mode: fs.ModeDir | 0o777}
			}
		}
	}
	return entries
}

func checkSame(t testing.TB, what string, got, want map[string]entry) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%.3000s", what, diff)
	}
}

func writeFile(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func symlink(t testing.TB, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestWrite(t *testing.T) {
	tree := sampleTree(t, 1)
	tests := map[string]struct {
		chdir  string // a folder to stand in
		dir    string // the target, relative to that folder
		setUp  func(t *testing.T, base string)
		target TargetState
		path   string // of the target, below the base
		more   []File // what is there beside the tree
	}{
		"absent":           {dir: "demo", target: TargetAbsent, path: "demo", more: []File{gitHead}},
		"ends in a slash":  {dir: "demo/", target: TargetAbsent, path: "demo", more: []File{gitHead}},
		"not clean":        {dir: "./x/..//demo", target: TargetAbsent, path: "demo", more: []File{gitHead}},
		"parents missing":  {dir: "a/b/demo", target: TargetAbsent, path: "a/b/demo", more: []File{gitHead}},
		"a very long name": {dir: strings.Repeat("ä", 120), target: TargetAbsent, path: strings.Repeat("ä", 120), more: []File{gitHead}},
		"beside others": {
			dir: "demo", target: TargetAbsent, path: "demo", more: []File{gitHead},
			setUp: func(t *testing.T, base string) { writeFile(t, base+"/other/x", "x") },
		},
		"empty":             {dir: "demo", target: TargetEmpty, path: "demo", more: []File{gitHead}, setUp: mkdir("demo")},
		"empty, with slash": {dir: "demo/", target: TargetEmpty, path: "demo", more: []File{gitHead}, setUp: mkdir("demo")},
		"current folder":    {dir: ".", chdir: "demo", target: TargetEmpty, path: "demo", more: []File{gitHead}, setUp: mkdir("demo")},
		"current, by name":  {dir: "../demo", chdir: "demo", target: TargetEmpty, path: "demo", more: []File{gitHead}, setUp: mkdir("demo")},
		"above current": {
			dir: "..", chdir: "demo/.git", target: TargetGit, path: "demo", more: []File{gitHead},
			setUp: func(t *testing.T, base string) { writeFile(t, base+"/demo/.git/HEAD", string(gitHead.Content)) },
		},
		"current, by a link": {
			dir: "./", chdir: "link", target: TargetEmpty, path: "demo", more: []File{gitHead},
			setUp: func(t *testing.T, base string) {
				mkdir("demo")(t, base)
				symlink(t, "demo", base+"/link")
			},
		},
		"below a link": {
			dir: "link/demo", target: TargetAbsent, path: "real/demo", more: []File{gitHead},
			setUp: func(t *testing.T, base string) {
				mkdir("real")(t, base)
				symlink(t, "real", base+"/link")
			},
		},
		"only .git": {
			dir: "demo", target: TargetGit, path: "demo", more: []File{{Path: ".git/config", Content: []byte("[core]")}},
			setUp: func(t *testing.T, base string) { writeFile(t, base+"/demo/.git/config", "[core]") },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			base, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if test.setUp != nil {
				test.setUp(t, base)
			}
			t.Chdir(filepath.Join(base, test.chdir))
			before := snapshot(t, base)

			planned, err := Plan(test.dir, tree, WriteOptions{})
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, "after Plan", snapshot(t, base), before)
			changes := mustWrite(t, test.dir, tree, WriteOptions{Prepare: makeGitHead})
			if diff := cmp.Diff(planned, changes); diff != "" {
				t.Errorf("done is not what was planned:\n%s", diff)
			}
			if changes.Target != test.target {
				t.Errorf("target was %s, want %s", changes.Target, test.target)
			}
			if info, err := os.Stat(changes.Dir); err != nil || !filepath.IsAbs(changes.Dir) {
				t.Errorf("Dir %s: %v", changes.Dir, err)
			} else if real, err := os.Stat(filepath.Join(base, test.path)); err != nil || !os.SameFile(info, real) {
				t.Errorf("Dir is %s: %v", changes.Dir, err)
			}
			for i, change := range changes.Files {
				if change != (Change{tree[i].Path, tree[i].GitMode(), tree[i].BlobID(), ActionCreate}) {
					t.Errorf("change %d: %v", i, change)
				}
			}
			checkSame(t, "the project", snapshot(t, filepath.Join(base, test.path)), want(tree, test.more...))
			if current, err := os.Getwd(); err != nil {
				t.Errorf("the current folder is gone: %v", err)
			} else if _, err := os.Stat(current); err != nil {
				t.Errorf("the current folder is gone: %v", err)
			}
			after := snapshot(t, base)
			for name := range after {
				if strings.HasPrefix(path.Base(name), ".") && strings.Contains(name, ".golam") {
					t.Errorf("left behind: %s", name)
				}
			}
			for name, entry := range before {
				if after[name] != entry {
					t.Errorf("%s is not what it was", name)
				}
			}

			t.Run("again", func(t *testing.T) {
				if _, err := Write(t.Context(), test.dir, tree, WriteOptions{}); !isError[*NotEmptyError](err) {
					t.Errorf("got %v, want a NotEmptyError", err)
				}
				changes := mustWrite(t, test.dir, tree, WriteOptions{Overwrite: true})
				for _, change := range changes.Files {
					if change.Action != ActionUnchanged {
						t.Errorf("%s: %s", change.Path, change.Action)
					}
				}
				checkSame(t, "written again", snapshot(t, base), after)
			})
		})
	}
}

func mkdir(name string) func(*testing.T, string) {
	return func(t *testing.T, base string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(base, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func isError[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestWriteOverwrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	mustWrite(t, dir, before, WriteOptions{})
	mine := File{Path: "internal/customizer/mine.go", Content: []byte("package customizer\n")}
	writeFile(t, filepath.Join(dir, mine.Path), string(mine.Content))
	if err := os.Chmod(filepath.Join(dir, mine.Path), 0o644); err != nil {
		t.Fatal(err)
	}
	infos := map[string]fs.FileInfo{}
	for _, file := range before {
		info, err := os.Stat(filepath.Join(dir, file.Path))
		if err != nil {
			t.Fatal(err)
		}
		infos[file.Path] = info
	}

	planned, err := Plan(dir, after, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(context.Context, string) error { return errors.New("called for an existing project") }
	changes := mustWrite(t, dir, after, WriteOptions{Overwrite: true, Prepare: prepare})
	if diff := cmp.Diff(planned, changes); diff != "" {
		t.Errorf("done is not what was planned:\n%s", diff)
	}
	if changes.Target != TargetExisting {
		t.Errorf("target: %s", changes.Target)
	}
	counts := map[Action]int{}
	for i, change := range changes.Files {
		counts[change.Action]++
		old, existed := before.Lookup(change.Path)
		same := existed && string(old.Content) == string(after[i].Content) && old.Executable == after[i].Executable
		expected := map[bool]Action{true: ActionReplace, false: ActionCreate}[existed]
		if same {
			expected = ActionUnchanged
		}
		if change.Action != expected && runtime.GOOS != "windows" {
			t.Errorf("%s: %s, want %s", change.Path, change.Action, expected)
		}
		info, err := os.Stat(filepath.Join(dir, change.Path))
		if err != nil {
			t.Fatal(err)
		}
		if was := infos[change.Path]; change.Action == ActionUnchanged && (!os.SameFile(was, info) || !was.ModTime().Equal(info.ModTime())) {
			t.Errorf("%s is unchanged but was touched", change.Path)
		}
	}
	if counts[ActionCreate] != 5 || counts[ActionUnchanged] < 15 || counts[ActionReplace] < 30 {
		t.Errorf("actions: %v", counts)
	}
	checkSame(t, "the project", snapshot(t, dir), want(after, mine))
}

func TestWriteRefuses(t *testing.T) {
	tree, err := NewTree([]File{
		{Path: "cmd/main.go", Content: []byte("package main\n")},
		{Path: "go.mod", Content: []byte("module x\n")},
		{Path: "internal/a/a.go", Content: []byte("package a\n")},
		{Path: "internal/b/b.go", Content: []byte("package b\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		dir   string
		setUp func(t *testing.T, base string)
		tree  Tree
		check func(error) bool
		text  string // in the message
		plans bool   // Plan has nothing against it
	}{
		"not empty": {
			dir: "demo", setUp: func(t *testing.T, base string) { writeFile(t, base+"/demo/x", "x") },
			check: isError[*NotEmptyError], text: "demo is not empty", plans: true,
		},
		"not empty, .git too": {
			dir: "demo", setUp: func(t *testing.T, base string) {
				writeFile(t, base+"/demo/.git/HEAD", "x")
				writeFile(t, base+"/demo/README.md", "x")
			},
			check: isError[*NotEmptyError], text: "demo is not empty", plans: true,
		},
		"a file": {
			dir: "demo", setUp: func(t *testing.T, base string) { writeFile(t, base+"/demo", "x") },
			check: isError[*NotFolderError], text: "demo exists and is not a folder",
		},
		"a file above": {
			dir: "a/b/demo", setUp: func(t *testing.T, base string) { writeFile(t, base+"/a", "x") },
			check: isError[*NotFolderError], text: "a exists and is not a folder",
		},
		"a link to a folder outside": {
			dir: "in/demo/", setUp: func(t *testing.T, base string) {
				mkdir("out")(t, base)
				mkdir("in")(t, base)
				symlink(t, "../out", base+"/in/demo")
			},
			check: isError[*NotFolderError], text: "is a symbolic link",
		},
		"a link to nothing": {
			dir: "demo", setUp: func(t *testing.T, base string) { symlink(t, "nothing", base+"/demo") },
			check: isError[*NotFolderError], text: "is a symbolic link",
		},
		"below a link to nothing": {
			dir: "link/demo", setUp: func(t *testing.T, base string) { symlink(t, "nothing", base+"/link") },
			check: isError[*NotFolderError], text: "link is a symbolic link",
		},
		"hostile path": {
			dir: "demo", tree: Tree{{Path: "../x"}},
			check: func(err error) bool { return err != nil }, text: "not a clean relative path",
		},
		"the journal's name": {
			dir: "demo", tree: Tree{{Path: ".Golam-journal/committed/moves"}},
			check: func(err error) bool { return err != nil }, text: "reserved",
		},
		"name too long": {
			dir: "demo", tree: Tree{{Path: "a/" + strings.Repeat("x", 300)}},
			check: func(err error) bool { return err != nil }, text: "write demo/a/xxx", plans: true,
		},
		"all conflicts at once": {
			dir: "demo", setUp: func(t *testing.T, base string) {
				mkdir("out")(t, base)
				writeFile(t, base+"/demo/cmd", "a file")
				mkdir("demo/go.mod")(t, base)
				writeFile(t, base+"/demo/internal/a/x", "x")
				symlink(t, "../../../out", base+"/demo/internal/b")
				symlink(t, "x", base+"/demo/internal/a/a.go")
			},
			check: func(err error) bool {
				conflicts, ok := errors.AsType[*ConflictError](err)
				return ok && cmp.Equal(conflicts.Conflicts, []Conflict{
					{"cmd", "is a file, and a folder is wanted"},
					{"go.mod", "is a folder, and a file is wanted"},
					{"internal/a/a.go", "is a symbolic link, and a file is wanted"},
					{"internal/b", "is a symbolic link, and a folder is wanted"},
				})
			},
			text: "internal/b is a symbolic link",
		},
		"a journal that is a link": {
			dir: "demo", setUp: func(t *testing.T, base string) {
				mkdir("out")(t, base)
				writeFile(t, base+"/demo/go.mod", "x")
				symlink(t, "../out", base+"/demo/.golam-journal")
			},
			check: isError[*ForeignJournalError], text: "did not begin",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			t.Chdir(base)
			if test.setUp != nil {
				test.setUp(t, base)
			}
			if test.tree == nil {
				test.tree = tree
			}
			before := snapshot(t, base)
			_, planErr := Plan(test.dir, test.tree, WriteOptions{})
			options := WriteOptions{Overwrite: !strings.HasPrefix(name, "not empty")}
			_, writeErr := Write(t.Context(), test.dir, test.tree, options)
			for what, err := range map[string]error{"Plan": planErr, "Write": writeErr} {
				if what == "Plan" && test.plans {
					if err != nil {
						t.Errorf("Plan: %v", err)
					}
				} else if !test.check(err) || !strings.Contains(filepath.ToSlash(fmt.Sprint(err)), test.text) {
					t.Errorf("%s: %v", what, err)
				}
			}
			checkSame(t, "after the error", snapshot(t, base), before)
		})
	}
}

// A context that ends, or a Prepare that fails, leaves everything as it was, at whichever step it happens.
func TestWriteGivesUp(t *testing.T) {
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	for name, setUp := range map[string]func(t *testing.T, base string){
		"absent":   mkdir("x"),
		"parents":  func(*testing.T, string) {},
		"empty":    mkdir("x/demo"),
		"existing": func(t *testing.T, base string) { mustWrite(t, base+"/x/demo", before, WriteOptions{}) },
	} {
		t.Run(name, func(t *testing.T) {
			base := memoryDir(t)
			setUp(t, base)
			untouched := snapshot(t, base)
			for stop := 1; ; stop += 7 {
				ctx, cancel := context.WithCancel(t.Context())
				steps := 0
				w := writer{step: func() {
					if steps++; steps == stop {
						cancel()
					}
				}}
				_, err := w.write(ctx, base+"/x/demo", after, WriteOptions{Overwrite: true})
				cancel()
				if err == nil {
					break // too late to stop it
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("step %d: %v", stop, err)
				}
				checkSame(t, fmt.Sprintf("cancelled at step %d", stop), snapshot(t, base), untouched)
			}
			checkSame(t, "not cancelled", snapshot(t, base+"/x/demo"), want(after))
		})
	}
	t.Run("prepare", func(t *testing.T) {
		base := memoryDir(t)
		failure := errors.New("git said no")
		_, err := Write(t.Context(), base+"/a/b/demo", after, WriteOptions{Prepare: func(_ context.Context, staging string) error {
			checkSame(t, "what Prepare gets", snapshot(t, staging), want(after))
			return failure
		}})
		if !errors.Is(err, failure) {
			t.Error(err)
		}
		checkSame(t, "after the error", snapshot(t, base), map[string]entry{})
	})
	t.Run("cancelled in prepare", func(t *testing.T) {
		base := memoryDir(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Write(ctx, base+"/demo", after, WriteOptions{Prepare: func(context.Context, string) error {
			cancel()
			return errors.New("signal: killed")
		}})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		checkSame(t, "after the error", snapshot(t, base), map[string]entry{})
	})
}

// Somebody puts something at the target while the project is being made.
func TestWriteIsOvertaken(t *testing.T) {
	tree := sampleTree(t, 1)
	for name, empty := range map[string]bool{"absent": false, "empty": true} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			if empty {
				mkdir("demo")(t, base)
			}
			_, err := Write(t.Context(), base+"/demo", tree, WriteOptions{Prepare: func(context.Context, string) error {
				writeFile(t, base+"/demo/theirs", "x")
				return nil
			}})
			if !isError[*BusyError](err) {
				t.Errorf("got %v, want a BusyError", err)
			}
			checkSame(t, "after the error", snapshot(t, base), want(Tree{{Path: "demo/theirs", Content: []byte("x")}}))
		})
	}
}

// staleStaging leaves staging folders in base whose golam was killed: with files, and before it had made the lock.
func staleStaging(t testing.TB, base string) {
	t.Helper()
	for _, target := range []string{"demo", "other"} {
		name := filepath.Join(base, stagingName(target))
		writeFile(t, name+"/lock", "")
		writeFile(t, name+"/project/go.mod", "module x")
	}
	if err := os.Mkdir(filepath.Join(base, stagingName("demo")), 0o755); err != nil {
		t.Fatal(err)
	}
}

// A staging folder is swept if its golam is gone, and only then.
func TestWriteSweeps(t *testing.T) {
	base := t.TempDir()
	tree := sampleTree(t, 1)
	stale := func(name string) string {
		writeFile(t, filepath.Join(base, name, "lock"), "")
		writeFile(t, filepath.Join(base, name, "project/go.mod"), "x")
		return name
	}
	staleStaging(t, base)
	mine := []string{
		stale(".other.golam-short"), stale("x.golam-ABCDEFGHIJKLMNOPQRSTUVWXYZ"), stale(".x.golam-abcdefghijklmnopqrstuvwxyz"),
		stale(".x.golam-ABCDEFGHIJKLMNOPQRSTUVWXYZ7"),
	}
	notOurs := stagingName("not-ours")
	writeFile(t, filepath.Join(base, notOurs, "file"), "no lock file")
	aFile := stagingName("file")
	writeFile(t, filepath.Join(base, aFile), "")
	mine = append(mine, notOurs, aFile)

	_, err := Write(t.Context(), base+"/demo", tree, WriteOptions{Prepare: func(ctx context.Context, staging string) error {
		before := snapshot(t, staging)
		_, err := Write(ctx, base+"/second", tree, WriteOptions{}) // another golam, as far as locks go
		checkSame(t, "the first one's staging folder", snapshot(t, staging), before)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"demo": true, "second": true}
	for _, name := range mine {
		names[name] = true
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !names[entry.Name()] {
			t.Errorf("%s was not swept", entry.Name())
		}
		delete(names, entry.Name())
	}
	for name := range names {
		t.Errorf("%s is gone", name)
	}
}

// Files that their owner edited are kept, with what golam.lock said of them.
func TestWriteKeepsEdited(t *testing.T) {
	project := func(contents map[string]string) Tree {
		var files []File
		for name, content := range contents {
			files = append(files, File{Path: name, Content: []byte(content), Executable: strings.HasSuffix(name, ".sh")})
		}
		lock, err := lockFile(files)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := NewTree(append(files, lock))
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	names := []string{"edited", "same.edited", "mode", "crlf", "deleted", "plain", "same", "script.sh"}
	contents := func(edition string) map[string]string {
		all := map[string]string{}
		for _, name := range names {
			all[name] = name + edition + "\n"
		}
		all["same"], all["same.edited"] = "same\n", "same\n"
		return all
	}
	before, wanted := contents(" 1"), contents(" 2")
	wanted["mine"] = "golam's\n"
	first, second := project(before), project(wanted)
	setUp := func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), "demo")
		mustWrite(t, dir, first, WriteOptions{})
		for name, content := range map[string]string{"edited": "my own\n", "same.edited": "my own\n", "mine": "my own\n", "crlf": "crlf 1\r\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Remove(filepath.Join(dir, "deleted")), os.Chmod(filepath.Join(dir, "mode"), 0o755)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	actions := func(changes Changes) map[string]Action {
		all := map[string]Action{}
		for _, change := range changes.Files {
			all[change.Path] = change.Action
		}
		return all
	}
	kept := map[string]Action{
		"edited": ActionKeep, "same.edited": ActionKeep, "mine": ActionKeep, "mode": ActionKeep, "crlf": ActionReplace, "deleted": ActionCreate,
		"plain": ActionReplace, "same": ActionUnchanged, "script.sh": ActionReplace, LockFile: ActionReplace,
	}

	t.Run("kept", func(t *testing.T) {
		dir := setUp(t)
		planned, err := Plan(dir, second, WriteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		changes := mustWrite(t, dir, second, WriteOptions{Overwrite: true})
		if diff := cmp.Diff(kept, actions(changes)) + cmp.Diff(planned, changes); diff != "" {
			t.Error(diff)
		}
		content, err := os.ReadFile(filepath.Join(dir, LockFile))
		if err != nil {
			t.Fatal(err)
		}
		locked, err := ParseLock(content)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"edited", "same.edited", "mode", "plain", "crlf"} {
			from := map[bool]Tree{true: first, false: second}[kept[name] == ActionKeep]
			if file, _ := from.Lookup(name); locked[name] != (Locked{file.GitMode(), file.BlobID()}) {
				t.Errorf("%s is locked as %v", name, locked[name])
			}
		}
		if _, listed := locked["mine"]; listed {
			t.Error("golam.lock has a file that golam did not render")
		}
		for _, change := range changes.Files {
			if change.Path == LockFile && change.Blob != (File{Content: content}).BlobID() {
				t.Errorf("golam.lock is told to be %s", change.Blob)
			}
		}
		// Again: nothing is left to write.
		again := mustWrite(t, dir, second, WriteOptions{Overwrite: true})
		for name, action := range actions(again) {
			if want := map[bool]Action{true: ActionKeep, false: ActionUnchanged}[kept[name] == ActionKeep]; action != want {
				t.Errorf("again: %s %s", action, name)
			}
		}
		// Who takes an edit back gets what golam makes.
		if err := os.WriteFile(filepath.Join(dir, "edited"), []byte(before["edited"]), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := actions(mustWrite(t, dir, second, WriteOptions{Overwrite: true})); got["edited"] != ActionReplace {
			t.Errorf("taken back: %s", got["edited"])
		}
	})
	t.Run("by force", func(t *testing.T) {
		dir := setUp(t)
		mustWrite(t, dir, second, WriteOptions{Overwrite: true, Force: true})
		checkSame(t, "the project", snapshot(t, dir), want(second))
	})
	t.Run("without golam.lock", func(t *testing.T) {
		dir := setUp(t)
		if err := os.Remove(filepath.Join(dir, LockFile)); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, dir, second, WriteOptions{Overwrite: true})
		checkSame(t, "the project", snapshot(t, dir), want(second))
	})
	for name, lock := range map[string]string{
		"merged": "<<<<<<< HEAD\n", "a path out": "100644 " + strings.Repeat("0", 40) + " ../x\n", "large": strings.Repeat("#", MaxLock+1),
	} {
		t.Run("golam.lock that is "+name, func(t *testing.T) {
			dir := setUp(t)
			if err := os.WriteFile(filepath.Join(dir, LockFile), []byte(lock), 0o644); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, dir)
			if _, err := Write(t.Context(), dir, second, WriteOptions{Overwrite: true}); !isError[*LockError](err) {
				t.Errorf("got %v", err)
			}
			checkSame(t, "afterwards", snapshot(t, dir), before)
			mustWrite(t, dir, second, WriteOptions{Overwrite: true, Force: true})
			checkSame(t, "by force", snapshot(t, dir), want(second))
		})
	}
}

func TestParseLock(t *testing.T) {
	id := strings.Repeat("0a", 20)
	locked, err := ParseLock([]byte("# comment\r\n100644 " + id + " a b/c\r\n\n100755 " + id + " d"))
	if want := map[string]Locked{"a b/c": {"100644", id}, "d": {"100755", id}}; err != nil || !maps.Equal(locked, want) {
		t.Errorf("got %v, %v", locked, err)
	}
	for name, text := range map[string]string{
		"mode": "120000 " + id + " a", "id": "100644 " + id[1:] + " a", "upper case": "100644 " + strings.ToUpper(id) + " a", "no path": "100644 " + id + " ",
		"absolute": "100644 " + id + " /a", "dots": "100644 " + id + " a/../b", "backslash": "100644 " + id + ` a\b`, "folder": "100644 " + id + " .",
		"UTF-8": "100644 " + id + " \xff", "twice": strings.Repeat("100644 "+id+" a\n", 2), "words": "hello", "large": strings.Repeat("\n", MaxLock+1),
	} {
		if locked, err := ParseLock([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, locked)
		}
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add("100644 " + strings.Repeat("0", 40) + " a")
	f.Fuzz(func(t *testing.T, text string) {
		locked, err := ParseLock([]byte(text))
		for name := range locked {
			if err != nil || !fs.ValidPath(name) {
				t.Errorf("%q, %v", name, err)
			}
		}
	})
}

// What a killed golam left is settled before the folder is looked at, whatever comes then.
func TestWriteRecoversFirst(t *testing.T) {
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	for name, options := range map[string]WriteOptions{"refused": {}, "nothing to change": {Overwrite: true}} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			demo := filepath.Join(base, "a", "demo")
			mustWrite(t, demo, before, WriteOptions{})
			interrupt(t, base, committed)
			_, err := Write(t.Context(), demo, after, options)
			if isError[*NotEmptyError](err) == options.Overwrite {
				t.Errorf("got %v", err)
			}
			checkSame(t, "the project", snapshot(t, demo), want(after))
		})
	}
}

// hostileJournal makes a folder demo with a journal in it, beside a folder that must stay as it is.
func hostileJournal(t testing.TB, base, state, moves string) {
	t.Helper()
	demo := filepath.Join(base, "demo")
	writeFile(t, base+"/sentinel/x", "sentinel")
	writeFile(t, demo+"/.git/config", "[core]")
	writeFile(t, demo+"/file", "a file")
	writeFile(t, demo+"/untracked", "mine alone")
	writeFile(t, demo+"/hooks/x", "hostile")
	symlink(t, ".git", demo+"/link")
	symlink(t, "../sentinel", demo+"/out")
	journal := filepath.Join(demo, filepath.FromSlash(state))
	for _, name := range []string{"x", "link/x", "out/x", "file/x"} {
		writeFile(t, filepath.Join(journal, "new", name), "hostile")
		writeFile(t, filepath.Join(journal, "old", name), "hostile")
	}
	symlink(t, "../../../.git", journal+"/new/hooks")
	symlink(t, "../../../../sentinel", journal+"/new/outside")
	sign(t, demo, state, moves)
}

// sign makes a journal one of this user's golam: what is in it is judged even so.
func sign(t testing.TB, dir, state, moves string) {
	t.Helper()
	d, err := openDisk(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.MkdirAll(state, 0o755); err != nil {
		t.Fatal(err)
	}
	j := &journal{disk: d, target: target{dir: dir, path: dir}}
	if err := j.prove(); err != nil {
		t.Fatal(err)
	}
	identity, err := j.identity()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, filepath.FromSlash(state), "moves"), seal(j.key, identity, moves)+"\n"+moves)
}

// A journal that came with somebody's files is neither finished nor undone, and nothing in it is opened that could make golam wait.
func TestRecoverForeignJournal(t *testing.T) {
	real := func(t *testing.T, base, state string) string { // a journal of this user's golam
		mustWrite(t, base+"/a/demo", sampleTree(t, 1), WriteOptions{})
		interrupt(t, base, state)
		return base + "/a/demo"
	}
	tests := map[string]func(t *testing.T, base string) (dir string){
		"no proof": func(t *testing.T, base string) string {
			writeFile(t, base+"/demo/"+committed+"/new/main.go", "hostile")
			writeFile(t, base+"/demo/"+committed+"/moves", `[{"path":"main.go"}]`)
			return base + "/demo"
		},
		"to be thrown away": func(t *testing.T, base string) string {
			writeFile(t, base+"/demo/"+writing+"/new/main.go", "theirs")
			return base + "/demo"
		},
		"a proof of nothing": func(t *testing.T, base string) string {
			writeFile(t, base+"/demo/"+committed+"/new/main.go", "hostile")
			writeFile(t, base+"/demo/"+journalName+"/"+proofName, strings.Repeat("0", 64))
			return base + "/demo"
		},
		"a copy": func(t *testing.T, base string) string { // as a clone, or an archive
			if err := os.CopyFS(base+"/copy", os.DirFS(real(t, base, committed))); err != nil {
				t.Fatal(err)
			}
			return base + "/copy"
		},
		"another user's": func(t *testing.T, base string) string {
			dir := real(t, base, reverting)
			t.Setenv("XDG_CACHE_HOME", base+"/other")
			t.Setenv("HOME", base+"/other")
			t.Setenv("LocalAppData", base+"/other")
			return dir
		},
		"a file": func(t *testing.T, base string) string {
			writeFile(t, base+"/demo/"+journalName, "x")
			return base + "/demo"
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			dir := prepare(t, base)
			before := snapshot(t, base)
			if outcome, err := Recover(dir); outcome != RecoveryForeign || err != nil {
				t.Errorf("got %q, %v", outcome, err)
			}
			if _, err := Plan(dir, sampleTree(t, 2), WriteOptions{}); !isError[*ForeignJournalError](err) {
				t.Errorf("planned: %v", err)
			}
			if _, err := Write(t.Context(), dir, sampleTree(t, 2), WriteOptions{Overwrite: true}); !isError[*ForeignJournalError](err) {
				t.Errorf("written: %v", err)
			}
			checkSame(t, "afterwards", snapshot(t, base), before)
		})
	}
}

// What a journal of this user's golam says cannot be changed by files that come later.
func TestRecoverChangedJournal(t *testing.T) {
	base := t.TempDir()
	demo := base + "/a/demo"
	mustWrite(t, demo, sampleTree(t, 1), WriteOptions{})
	interrupt(t, base, committed)
	moves := demo + "/" + committed + "/moves"
	if err := os.Remove(moves); err != nil {
		t.Fatal(err)
	}
	writeFile(t, moves, `[{"path":"x"}]`)
	if outcome, err := Recover(demo); err == nil || !strings.Contains(err.Error(), "did not make it") {
		t.Errorf("got %q, %v", outcome, err)
	}
}

// Without a place for the key, projects are written all the same.
func TestWriteWithoutKey(t *testing.T) {
	base := t.TempDir()
	demo := base + "/demo"
	mustWrite(t, demo, sampleTree(t, 1), WriteOptions{})
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	mustWrite(t, demo, sampleTree(t, 2), WriteOptions{Overwrite: true})
	checkSame(t, "the project", snapshot(t, demo), want(sampleTree(t, 2)))
}

// Journals come with other people's files: they can do nothing outside their folder, nor to it through links.
func TestRecoverHostileJournal(t *testing.T) {
	tests := map[string]string{
		"out":                      `[{"path":"../sentinel/x"}]`,
		"absolute":                 `[{"path":"/tmp/x"}]`,
		"backslash":                `[{"path":"..\\sentinel\\x"}]`,
		"itself":                   `[{"path":".golam-journal/lock"}]`,
		"the folder":               `[{"path":"."}]`,
		"through a link":           `[{"path":"x"},{"path":"link/x"}]`,
		"out through a link":       `[{"path":"out/x","replaces":true}]`,
		"below a file":             `[{"path":"file/x"}]`,
		"through the journal":      `[{"path":"hooks/x"}]`,
		"out, through the journal": `[{"path":"outside/x"}]`,
		"the repository, first":    `[{"path":".git"},{"path":"x"}]`,
		"the repository, replaced": `[{"path":".git","replaces":true}]`,
		"in the repository":        `[{"path":".git/hooks/x"}]`,
		"the repository, upper":    `[{"path":".GIT"}]`,
		"the repository, removed":  `[{"path":".git","removes":true}]`,
		"out, removed":             `[{"path":"../sentinel/x","removes":true}]`,
		"through a link, removed":  `[{"path":"link/x","removes":true}]`,
		"in .git, removed":         `[{"path":".git/config","removes":true}]`,
		"in another repository":    `[{"path":"hooks/.GIT/x"}]`,
		"not JSON":                 `[`,
		"nothing":                  ``,
	}
	for name, moves := range tests {
		for _, state := range []string{committed, reverting} {
			t.Run(name+", "+path.Base(state), func(t *testing.T) {
				base := t.TempDir()
				hostileJournal(t, base, state, moves)
				before := snapshot(t, base)
				for range 2 {
					if outcome, err := Recover(base + "/demo"); err == nil || !strings.Contains(err.Error(), "remove it") {
						t.Errorf("got %q, %v", outcome, err)
					}
					checkSame(t, "after the error", snapshot(t, base), before)
				}
			})
		}
	}
}

// A journal that says of somebody's files that golam put them there takes none of them away, and writes over none.
func TestRecoverHostileJournalTakesNothing(t *testing.T) {
	digest := strings.Repeat("0", 64)
	for state, all := range map[string][]string{
		reverting: {
			`[{"path":".git"}]`, `[{"path":"untracked"}]`, `[{"path":"untracked","digest":"` + digest + `"}]`,
			`[{"path":"untracked","replaces":true}]`, `[{"path":"untracked"},{"path":".git"}]`, `[{"path":"hooks/x"},{"path":"x"}]`,
		},
		committed: {
			`[{"path":"untracked"},{"path":"sub"}]`, `[{"path":"untracked","replaces":true},{"path":"sub"}]`, `[{"path":"sub"},{"path":".git"}]`,
			`[{"path":"taken"}]`, `[{"path":"taken","replaces":true}]`,
			`[{"path":"untracked","removes":true}]`, `[{"path":"untracked","removes":true,"digest":"` + digest + `"}]`,
		},
	} {
		for _, moves := range all {
			t.Run(path.Base(state)+" "+moves, func(t *testing.T) {
				base := t.TempDir()
				demo, journal := base+"/demo", base+"/demo/"+state
				for _, name := range []string{".git/HEAD", "untracked", "taken", "sub/x", "hooks/x"} {
					writeFile(t, filepath.Join(demo, name), "mine: "+name)
				}
				before := snapshot(t, demo)
				sign(t, demo, state, moves)
				for _, name := range []string{"new/keep", "new/sub", "new/taken", "old/keep", "old/taken", "old/untracked"} {
					writeFile(t, filepath.Join(journal, name), "hostile")
				}
				for range 2 {
					if outcome, err := Recover(demo); err == nil {
						t.Errorf("got %q", outcome)
					}
					got := snapshot(t, demo)
					maps.DeleteFunc(got, func(name string, _ entry) bool { return strings.HasPrefix(name, journalName) })
					checkSame(t, "after the error", got, before)
					if _, err := os.Lstat(demo + "/" + journalName); err != nil {
						break // undone: it made no move
					}
				}
			})
		}
	}
}

// What was written to a project after golam was killed there is neither taken back nor written over.
func TestRecoverAfterChanges(t *testing.T) {
	base := t.TempDir()
	demo := filepath.Join(base, "a", "demo")
	mustWrite(t, demo, sampleTree(t, 1), WriteOptions{})
	interrupt(t, base, committed)
	list, err := os.ReadFile(filepath.Join(demo, filepath.FromSlash(committed), "moves"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ = bytes.Cut(list, []byte("\n")) // its seal
	var moves []move
	if err := json.Unmarshal(list, &moves); err != nil {
		t.Fatal(err)
	}
	replaced := slices.IndexFunc(moves, func(m move) bool { return m.Replaces })
	last := len(moves) - 1
	for !moves[last].Replaces {
		last--
	}
	for _, m := range []move{moves[replaced], moves[last]} { // one is moved already, the other is not
		name := filepath.Join(demo, filepath.FromSlash(m.Path))
		if err := os.Remove(name); err != nil { // editors write a new file
			t.Fatal(err)
		}
		writeFile(t, name, "mine")
	}
	before := snapshot(t, demo)
	if outcome, err := Recover(demo); err == nil || !strings.Contains(err.Error(), "is not what golam wrote") {
		t.Errorf("got %q, %v", outcome, err)
	}
	after := snapshot(t, demo)
	for _, m := range []move{moves[replaced], moves[last]} {
		if after[m.Path] != before[m.Path] {
			t.Errorf("%s is lost", m.Path)
		}
	}
}

// FuzzRecover reads journals that somebody else wrote.
func FuzzRecover(f *testing.F) {
	for _, moves := range []string{
		`[{"path":"x"}]`, `[{"path":"x","replaces":true},{"path":"hooks/x"}]`, `[{"path":"link/x"}]`, `[{"path":"../sentinel/x"}]`,
		`[{"path":".git"}]`, `[{"path":"out"},{"path":"outside"},{"path":"hooks"}]`, `{}`, `null`, `[{"path":""}]`, `[{"path":"a/b/c"}]`,
		`[{"path":"untracked"},{"path":".git"}]`, `[{"path":".git/hooks/x"}]`, `[{"path":"untracked","replaces":true},{"path":"file"}]`,
	} {
		f.Add(moves, false)
		f.Add(moves, true)
	}
	f.Fuzz(func(t *testing.T, moves string, revert bool) {
		base := memoryDir(t)
		state := map[bool]string{false: committed, true: reverting}[revert]
		hostileJournal(t, base, state, moves)
		outside := func() map[string]entry {
			entries := snapshot(t, base)
			for name := range entries {
				if strings.HasPrefix(name, "demo/") && name != "demo/untracked" && name != "demo/.git" && !strings.HasPrefix(name, "demo/.git/") {
					delete(entries, name)
				}
			}
			return entries
		}
		before := outside()
		outcome, err := Recover(base + "/demo")
		checkSame(t, "outside", outside(), before)
		if again, againErr := Recover(base + "/demo"); err == nil && (again != RecoveryNone || againErr != nil) {
			t.Errorf("after %q: %q, %v", outcome, again, againErr)
		}
	})
}

func TestRecoverNothing(t *testing.T) {
	base := t.TempDir()
	writeFile(t, base+"/file", "x")
	for _, dir := range []string{base, base + "/absent", base + "/file", base + "/file/below"} {
		if outcome, err := Recover(dir); outcome != RecoveryNone || err != nil {
			t.Errorf("%s: %q, %v", dir, outcome, err)
		}
	}
}

// Where case is ignored, two names can be one. That must not lose a file; for folders it is no harm.
func TestDiskSameName(t *testing.T) {
	d, err := openDisk(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.mkdir("cmd"); err != nil {
		t.Fatal(err)
	}
	err = d.writeFiles(t.Context(), "demo", []File{{Path: "cmd/a", Content: []byte("first")}, {Path: "cmd/a", Content: []byte("second")}})
	if err == nil || !strings.Contains(err.Error(), "for the same") || !strings.Contains(filepath.ToSlash(err.Error()), "demo/cmd/a") {
		t.Errorf("got %v", err)
	}
	checkSame(t, "the folder", snapshot(t, d.Name()), want(Tree{{Path: "cmd/a", Content: []byte("first")}}))
}

// FuzzWrite writes trees with hostile paths beside a folder that must stay as it is. Each line of the input is a path; its number is the
// content.
func FuzzWrite(f *testing.F) {
	for _, paths := range []string{
		"a\nb/c\nb/d", "../sentinel/x", "a/../../sentinel/x", "/tmp/x", "out/x", "in/x", "link", "sub/link", ".git/config", "a\na/b", "A\na",
		"..", ".", "", "a//b", "a/./b", `..\sentinel\x`, "C:x", "con", "a\x00b", "\xff", "sub/x/y/z", ".golam-journal/lock", "sub", "file/x",
		"x/" + strings.Repeat("y", 256), strings.Repeat("z/", 100) + "z",
	} {
		f.Add(paths, false)
		f.Add(paths, true)
	}
	f.Fuzz(func(t *testing.T, paths string, existing bool) {
		if len(paths) > 1000 {
			t.Skip("very deep folders only take long")
		}
		var tree Tree
		for i, name := range strings.Split(paths, "\n") {
			tree = append(tree, File{Path: name, Content: []byte(fmt.Sprint(i)), Executable: i%2 == 1})
		}
		base := memoryDir(t)
		writeFile(t, base+"/sentinel/x", "sentinel")
		mkdir("work/raw")(t, base)
		dir := filepath.Join(base, "work", "demo")
		if existing {
			writeFile(t, dir+"/file", "file")
			writeFile(t, dir+"/sub/file", "file")
			for name, to := range map[string]string{
				"out": "../../sentinel", "in": "sub", "link": "../../sentinel/x", "sub/link": base + "/sentinel/x",
			} {
				symlink(t, to, filepath.Join(dir, name))
			}
		}
		before := snapshot(t, base)
		_, err := Write(t.Context(), dir, tree, WriteOptions{Overwrite: true})
		after := snapshot(t, base)
		if err != nil {
			checkSame(t, "after "+err.Error(), after, before)
		}
		for name, entry := range before {
			if !strings.HasPrefix(name, "work/demo/") && after[name] != entry {
				t.Errorf("%s changed", name)
			}
		}
		for name := range after {
			if _, known := before[name]; !known && name != "work/demo" && !strings.HasPrefix(name, "work/demo/") {
				t.Errorf("%s was made", name)
			}
		}
		if err == nil {
			for _, file := range tree {
				if got := after[path.Join("work/demo", file.Path)]; got.Content != string(file.Content) {
					t.Errorf("%s holds %q", file.Path, got.Content)
				}
			}
		}

		// The same without the checks that come first: the disk alone keeps them in.
		d, err := openDisk(filepath.Join(base, "work", "raw"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range tree {
			_ = d.writeFiles(t.Context(), "raw", []File{file})
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(d.Name()); err != nil {
			t.Fatal(err)
		}
		delete(after, "work/raw")
		checkSame(t, "outside of the raw folder", snapshot(t, base), after)
	})
}

// BenchmarkWrite writes 45 files of 3 KB, and writes over a third of them.
func BenchmarkWrite(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var files []File
	for i := range 45 {
		content := make([]byte, 3000)
		for j := range content {
			content[j] = byte(random.Uint32())
		}
		dir := []string{"", "cmd/demo", "internal/customizer", "internal/pretoken", "events", ".github/workflows"}[i%6]
		files = append(files, File{Path: path.Join(dir, fmt.Sprintf("f%d", i)), Content: content, Executable: i == 7})
	}
	tree, err := NewTree(files)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("new", func(b *testing.B) {
		base, n := b.TempDir(), 0
		for b.Loop() { // removing them here would slow down ext4, which is loath to use removed inodes again
			n++
			mustWrite(b, filepath.Join(base, fmt.Sprint(n), "demo"), tree, WriteOptions{})
		}
	})
	b.Run("overwrite", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "demo")
		mustWrite(b, dir, tree, WriteOptions{})
		for b.Loop() {
			for i := 0; i < len(tree); i += 3 {
				tree[i].Content[0]++
			}
			mustWrite(b, dir, tree, WriteOptions{Overwrite: true})
		}
	})
}
