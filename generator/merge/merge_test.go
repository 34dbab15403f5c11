package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
)

// work makes a project's folder in memory. A path that ends in * is executable, one that ends in @ is a symbolic link.
func work(files map[string]string) fstest.MapFS {
	folder := fstest.MapFS{}
	for name, content := range files {
		mode := fs.FileMode(0o644)
		if path, executable := strings.CutSuffix(name, "*"); executable {
			name, mode = path, 0o755
		}
		if path, link := strings.CutSuffix(name, "@"); link {
			name, mode = path, fs.ModeSymlink|0o777
		}
		folder[name] = &fstest.MapFile{Data: []byte(content), Mode: mode}
	}
	return folder
}

// baseOf is the base of a project as it was rendered.
func baseOf(t testing.TB, files map[string]string) Base { return NewBase(tree(t, files)) }

// applied is a folder in memory after a plan. It fails where generator.Apply would.
func applied(t testing.TB, folder fstest.MapFS, plan Plan) fstest.MapFS {
	t.Helper()
	result := maps.Clone(folder)
	edits := plan.Edits()
	for _, edit := range edits {
		there, found := folder[edit.Path]
		if found != (edit.Before != nil) || found && string(there.Data) != string(edit.Before.Content) {
			t.Fatalf("the edit of %s expects something else there: %v", edit.Path, edit.Before)
		}
		delete(result, edit.Path)
	}
	for _, edit := range edits {
		if edit.After == nil {
			continue
		}
		if edit.After.Path != edit.Path {
			t.Fatalf("the edit of %s writes %s", edit.Path, edit.After.Path)
		}
		result[edit.Path] = &fstest.MapFile{Data: edit.After.Content, Mode: edit.After.Mode()}
	}
	for name := range result {
		for other := range result {
			if strings.HasPrefix(other, name+"/") {
				t.Fatalf("%s is a file, and %s needs it as a folder", name, other)
			}
		}
	}
	return result
}

// contents are the files of a folder without golam's records, written as work takes them.
func contents(folder fstest.MapFS) map[string]string {
	files := map[string]string{}
	for name, file := range folder {
		switch {
		case name == generator.LockFile || name == BaseFile:
		case file.Mode&fs.ModeSymlink != 0:
			files[name+"@"] = string(file.Data)
		case file.Mode&0o100 != 0:
			files[name+"*"] = string(file.Data)
		default:
			files[name] = string(file.Data)
		}
	}
	return files
}

// lines are the changes of a plan as a person reads them, without golam's records.
func planLines(plan Plan) []string {
	lines := []string{}
	for _, change := range plan.Changes {
		if change.Path == generator.LockFile || change.Path == BaseFile {
			continue
		}
		line := string(change.Action) + " " + change.Path
		if change.From != "" {
			line += " from " + change.From
		}
		if change.Conflicts > 0 {
			line += fmt.Sprintf(" (%d)", change.Conflicts)
		}
		if change.Note != "" {
			line += ": " + change.Note
		}
		lines = append(lines, line)
	}
	return lines
}

// storedBase is what a folder's own records say.
func storedBase(t testing.TB, folder fstest.MapFS) Base {
	t.Helper()
	base, err := ReadBase(folder[generator.LockFile].Data, folder[BaseFile].Data)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

const conflictAB = "<<<<<<< yours\nmine\n||||||| golam before\nold\n=======\nnew\n>>>>>>> golam now\n"

// mergeCases are what can happen to a path. Want is nil where the folder stays as it is.
var mergeCases = []struct {
	name               string
	base, target, work map[string]string
	plan               []string
	want               map[string]string
	change             func(*Input)
}{
	{
		name: "untouched and not changed",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "old\n"}, work: map[string]string{"a": "old\n"},
	},
	{
		name: "untouched and changed",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a": "old\n"},
		plan: []string{"update a"}, want: map[string]string{"a": "new\n"},
	},
	{
		name: "edited and not changed",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "old\n"}, work: map[string]string{"a": "mine\n"},
	},
	{
		name: "deleted and not changed",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "old\n"}, work: map[string]string{},
	},
	{
		name: "deleted and changed: it does not come back",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{},
		plan: []string{"keep a: golam changed this file, and you deleted it: it stays deleted"},
	},
	{
		name: "both changed different lines",
		base: map[string]string{"a": "1\n2\n3\n"}, target: map[string]string{"a": "1\n2\nnew\n"}, work: map[string]string{"a": "mine\n2\n3\n"},
		plan: []string{"merge a"}, want: map[string]string{"a": "mine\n2\nnew\n"},
	},
	{
		name: "both changed the same line",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a": "mine\n"},
		plan: []string{"conflict a (1)"}, want: map[string]string{"a": conflictAB},
	},
	{
		name: "both made the same change",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a": "new\n"},
	},
	{
		name: "added", base: map[string]string{}, target: map[string]string{"cmd/a": "new\n", "run*": "#!\n"}, work: map[string]string{"mine": "x\n"},
		plan: []string{"add cmd/a", "add run"}, want: map[string]string{"cmd/a": "new\n", "run*": "#!\n", "mine": "x\n"},
	},
	{
		name: "both added the same", base: map[string]string{}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a": "new\n"},
	},
	{
		name: "both added, differently", base: map[string]string{}, target: map[string]string{"a": "1\nnew\n"}, work: map[string]string{"a": "1\nmine\n"},
		plan: []string{"conflict a (1): you and golam both added this file"},
		want: map[string]string{"a": "1\n<<<<<<< yours\nmine\n=======\nnew\n>>>>>>> golam now\n"},
	},
	{
		name: "added where a folder is", base: map[string]string{}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a/mine": "x\n"},
		plan: []string{"conflict a: golam makes this file, and it is a folder: move what is in the way"},
	},
	{
		name: "added below a file", base: map[string]string{}, target: map[string]string{"a/b": "new\n"}, work: map[string]string{"a": "x\n"},
		plan: []string{"conflict a/b: golam makes this file, and it is not there, because a is not a folder: move what is in the way"},
	},
	{
		name: "added where a symbolic link is", base: map[string]string{}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a@": "elsewhere"},
		plan: []string{"conflict a: golam adds this file, and it is neither a file nor a folder: move yours"},
	},
	{
		name: "added below a symbolic link", base: map[string]string{}, target: map[string]string{"docs/a": "new\n"}, work: map[string]string{"docs@": ".."},
		plan: []string{"conflict docs/a: golam makes this file, and it is not there, because docs is not a folder: move what is in the way"},
	},
	{
		name: "added beside a name that differs only in case",
		base: map[string]string{}, target: map[string]string{"docs/a.md": "new\n"}, work: map[string]string{"Docs/A.md": "x\n"},
		plan: []string{"conflict docs/a.md: golam adds this file, and you have Docs/a.md, which some systems take for the same: rename yours"},
	},
	{
		name: "removed and untouched",
		base: map[string]string{"a": "old\n", "b/c": "old\n"}, target: map[string]string{}, work: map[string]string{"a": "old\n", "b/c": "old\n", "b/mine": "x\n"},
		plan: []string{"remove a", "remove b/c"}, want: map[string]string{"b/mine": "x\n"},
	},
	{
		name: "removed and edited",
		base: map[string]string{"a": "old\n"}, target: map[string]string{}, work: map[string]string{"a": "mine\n"},
		plan: []string{"keep a: golam no longer makes this file, and you changed it: remove it if you no longer need it"},
	},
	{
		name: "removed and deleted", base: map[string]string{"a": "old\n"}, target: map[string]string{}, work: map[string]string{},
	},
	{
		name: "removed and a folder now",
		base: map[string]string{"a": "old\n"}, target: map[string]string{}, work: map[string]string{"a/mine": "x\n"},
		plan: []string{"keep a: golam no longer makes this file, and it is a folder"},
	},
	{
		name: "changed and a folder now",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a/mine": "x\n"},
		plan: []string{"conflict a: golam changed this file, and it is a folder: compare yours with golam's"},
	},
	{
		name: "a symbolic link now, and not changed",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "old\n"}, work: map[string]string{"a@": "elsewhere"},
	},
	{
		name: "a file becomes a folder",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a/b": "new\n"}, work: map[string]string{"a": "old\n"},
		plan: []string{"remove a", "add a/b"}, want: map[string]string{"a/b": "new\n"},
	},
	{
		name: "an edited file becomes a folder",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a/b": "new\n"}, work: map[string]string{"a": "mine\n"},
		plan: []string{
			"keep a: golam no longer makes this file, and you changed it: remove it if you no longer need it",
			"conflict a/b: golam makes this file, and it is not there, because a is not a folder: move what is in the way",
		},
	},
	{
		name: "a folder becomes a file",
		base: map[string]string{"a/b/c": "old\n", "a/d": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a/b/c": "old\n", "a/d": "old\n"},
		plan: []string{"add a", "remove a/b/c", "remove a/d"}, want: map[string]string{"a": "new\n"},
	},
	{
		name: "a folder with files of the owner becomes a file",
		base: map[string]string{"a/b/c": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a/b/c": "old\n", "a/b/mine": "x\n"},
		plan: []string{"conflict a: golam makes this file, and it is a folder: move what is in the way", "remove a/b/c"}, want: map[string]string{"a/b/mine": "x\n"},
	},
	{
		name: "made executable by golam",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a*": "old\n"}, work: map[string]string{"a": "old\n"},
		plan: []string{"update a"}, want: map[string]string{"a*": "old\n"},
	},
	{
		name: "made executable by golam, and edited",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a*": "old\n"}, work: map[string]string{"a": "mine\n"},
		plan: []string{"merge a"}, want: map[string]string{"a*": "mine\n"},
	},
	{
		name: "made executable by the owner, and changed",
		base: map[string]string{"a": "old\n"}, target: map[string]string{"a": "new\n"}, work: map[string]string{"a*": "old\n"},
		plan: []string{"merge a"}, want: map[string]string{"a*": "new\n"},
	},
	{
		name: "executable beside a conflict",
		base: map[string]string{"a*": "old\n"}, target: map[string]string{"a*": "new\n"}, work: map[string]string{"a": "mine\n"},
		plan: []string{"conflict a (1)"}, want: map[string]string{"a": conflictAB},
	},
	{
		name: "modes mean nothing, and the file is untouched",
		base: map[string]string{"a*": "old\n"}, target: map[string]string{"a*": "new\n"}, work: map[string]string{"a": "old\n"},
		change: func(in *Input) { in.NoModes = true },
		plan:   []string{"update a"}, want: map[string]string{"a*": "new\n"},
	},
	{
		name: "modes mean nothing, and both made the same change",
		base: map[string]string{"a*": "old\n"}, target: map[string]string{"a*": "new\n"}, work: map[string]string{"a": "new\n"},
		change: func(in *Input) { in.NoModes = true },
	},
	{
		name: "binary and untouched",
		base: map[string]string{"a": "\x00old"}, target: map[string]string{"a": "\x00new"}, work: map[string]string{"a": "\x00old"},
		plan: []string{"update a"}, want: map[string]string{"a": "\x00new"},
	},
	{
		name: "binary and changed by both",
		base: map[string]string{"a": "\x00old"}, target: map[string]string{"a": "\x00new"}, work: map[string]string{"a": "\x00mine"},
		plan: []string{"conflict a: you and golam made this file differently, and it is not text that could be merged: choose one"},
	},
	{
		name: "empty files",
		base: map[string]string{"a": "", "b": "x\n", "c": ""}, target: map[string]string{"a": "new\n", "b": "", "c": "new\n"}, work: map[string]string{"a": "", "b": "x\n", "c": "mine\n"},
		plan: []string{"update a", "update b", "conflict c (1)"},
		want: map[string]string{"a": "new\n", "b": "", "c": "<<<<<<< yours\nmine\n||||||| golam before\n=======\nnew\n>>>>>>> golam now\n"},
	},
	{
		name: "git converted the line ends, and the file is untouched",
		base: map[string]string{"a": "1\nold\n"}, target: map[string]string{"a": "1\nnew\n"}, work: map[string]string{"a": "1\r\nold\r\n"},
		plan: []string{"update a"}, want: map[string]string{"a": "1\r\nnew\r\n"},
	},
	{
		name: "git converted the line ends, and the file is edited",
		base: map[string]string{"a": "1\n2\nold\n"}, target: map[string]string{"a": "1\n2\nnew\n"}, work: map[string]string{"a": "mine\r\n2\r\nold\r\n"},
		plan: []string{"merge a"}, want: map[string]string{"a": "mine\r\n2\r\nnew\r\n"},
	},
	{
		name: "git converted the line ends, and golam removes the file",
		base: map[string]string{"a": "old\n"}, target: map[string]string{}, work: map[string]string{"a": "old\r\n"},
		plan: []string{"remove a"}, want: map[string]string{},
	},
	{
		name: "an editor converted one line end, which is an edit",
		base: map[string]string{"a": "1\n2\n3\n"}, target: map[string]string{"a": "1\n2\nnew\n"}, work: map[string]string{"a": "1\r\n2\n3\n"},
		plan: []string{"merge a"}, want: map[string]string{"a": "1\r\n2\nnew\n"},
	},
	{
		name: "renamed by golam, and untouched",
		base: map[string]string{"a.go": "1\n2\n3\n"}, target: map[string]string{"b.go": "1\n2\n3\n"}, work: map[string]string{"a.go": "1\n2\n3\n"},
		plan: []string{"remove a.go", "add b.go"}, want: map[string]string{"b.go": "1\n2\n3\n"},
	},
	{
		name: "renamed by golam, and edited",
		base: map[string]string{"a.go": "1\n2\n3\n4\n"}, target: map[string]string{"x/b.go": "1\n2\n3\nnew\n"}, work: map[string]string{"a.go": "mine\n2\n3\n4\n"},
		plan: []string{"merge x/b.go from a.go"}, want: map[string]string{"x/b.go": "mine\n2\n3\nnew\n"},
	},
	{
		name: "renamed by golam without a change, and edited",
		base: map[string]string{"a.go": "1\n2\n"}, target: map[string]string{"b.go": "1\n2\n"}, work: map[string]string{"a.go": "mine\n2\n"},
		plan: []string{"merge b.go from a.go"}, want: map[string]string{"b.go": "mine\n2\n"},
	},
	{
		name: "renamed by golam to a name that the owner has",
		base: map[string]string{"a.go": "1\n2\n"}, target: map[string]string{"b.go": "1\n2\n"}, work: map[string]string{"a.go": "mine\n2\n", "b.go": "1\n2\nmine\n"},
		plan: []string{
			"keep a.go: golam no longer makes this file, and you changed it: remove it if you no longer need it",
			"conflict b.go (1): you and golam both added this file",
		},
		want: map[string]string{"a.go": "mine\n2\n", "b.go": "1\n2\n<<<<<<< yours\nmine\n=======\n>>>>>>> golam now\n"},
	},
	{
		name: "renamed by golam in case only",
		base: map[string]string{"readme.md": "old\n"}, target: map[string]string{"README.md": "new\n"}, work: map[string]string{"readme.md": "old\n"},
		plan: []string{"update README.md from readme.md"}, want: map[string]string{"README.md": "new\n"},
	},
	{
		name: "renamed by golam in case only, and edited",
		base: map[string]string{"readme.md": "1\nold\n"}, target: map[string]string{"README.md": "1\nnew\n"}, work: map[string]string{"readme.md": "mine\n1\nold\n"},
		plan: []string{"merge README.md from readme.md"}, want: map[string]string{"README.md": "mine\n1\nnew\n"},
	},
	{
		name: "moved by the owner, and changed by golam",
		base: map[string]string{"a": "1\n2\n3\n"}, target: map[string]string{"a": "1\n2\nnew\n"}, work: map[string]string{"mine/b": "mine\n2\n3\n"},
		change: func(in *Input) { in.Moved = map[string]string{"a": "mine/b"} },
		plan:   []string{"merge mine/b"}, want: map[string]string{"mine/b": "mine\n2\nnew\n"},
	},
	{
		name: "moved by the owner, and removed by golam",
		base: map[string]string{"a": "old\n"}, target: map[string]string{}, work: map[string]string{"b": "old\n"},
		change: func(in *Input) { in.Moved = map[string]string{"a": "b"} },
		plan:   []string{"keep b: golam no longer makes this file, and you changed it: remove it if you no longer need it"},
	},
	{
		name: "moved nowhere, as it turns out",
		base: map[string]string{"a": "old\n", "b": "b\n"}, target: map[string]string{"a": "new\n", "b": "b\n"}, work: map[string]string{"b": "b\n"},
		change: func(in *Input) { in.Moved = map[string]string{"a": "../b", "b": "a", "x": "b"} },
		plan:   []string{"keep a: golam changed this file, and you deleted it: it stays deleted"},
	},
	{
		name: "edited, and what golam made before is not known",
		base: map[string]string{"a": "old\n", "b": "old\n"}, target: map[string]string{"a": "1\nnew\n", "b": "new\n"}, work: map[string]string{"a": "1\nmine\n", "b": "old\n"},
		change: func(in *Input) {
			for name, entry := range in.Base {
				in.Base[name] = BaseEntry{Mode: entry.Mode, Blob: entry.Blob}
			}
		},
		plan: []string{"conflict a (1): golam changed this file, and you edited it, but the project does not have what golam made before", "update b"},
		want: map[string]string{"a": "1\n<<<<<<< yours\nmine\n=======\nnew\n>>>>>>> golam now\n", "b": "new\n"},
	},
	{
		name:   "go.mod and go.sum, of a module below, too",
		base:   map[string]string{"go.mod": "module a\n\ngo 1.26.0\n", "infra/go.sum": "a v1.0.0 h1:a\n"},
		target: map[string]string{"go.mod": "module a\n\ngo 1.26.0\n\nrequire b v1.0.0\n", "infra/go.sum": "a v1.1.0 h1:b\n"},
		work:   map[string]string{"go.mod": "module a\n\ngo 1.27.0\n", "infra/go.sum": "a v1.0.0 h1:a\nc v1.0.0 h1:c\n"},
		plan:   []string{"merge go.mod", "merge infra/go.sum"},
		want:   map[string]string{"go.mod": "module a\n\ngo 1.27.0\n\nrequire b v1.0.0\n", "infra/go.sum": "a v1.0.0 h1:a\na v1.1.0 h1:b\nc v1.0.0 h1:c\n"},
	},
	{
		name: "a damaged go.mod",
		base: map[string]string{"go.mod": "module a\n\ngo 1.26.0\n"}, target: map[string]string{"go.mod": "module a\n\ngo 1.27.0\n"}, work: map[string]string{"go.mod": "modul a\n\ngo 1.26.0\n"},
		plan: []string{"merge go.mod: golam merged this file by lines, because it cannot be read: go.mod:1: unknown directive: modul"},
		want: map[string]string{"go.mod": "modul a\n\ngo 1.27.0\n"},
	},
	{
		name:   "golam.yaml",
		base:   map[string]string{"golam.yaml": "schema: 2\niac: sam\n"},
		target: map[string]string{"golam.yaml": "schema: 2\niac: cdk\n"}, work: map[string]string{"golam.yaml": "schema: 2\niac: sam # mine\nexclude: [x]\n"},
		plan: []string{"merge golam.yaml"}, want: map[string]string{"golam.yaml": "schema: 2\niac: cdk # mine\nexclude: [x]\n"},
	},
}

func TestMerge(t *testing.T) {
	for _, test := range mergeCases {
		t.Run(test.name, func(t *testing.T) {
			folder := work(test.work)
			target := tree(t, test.target)
			in := Input{Base: baseOf(t, test.base), Target: target, Work: folder}
			if test.change != nil {
				test.change(&in)
			}
			plan, err := Merge(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{}, test.plan...), planLines(plan)); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
			result := applied(t, folder, plan)
			want := test.want
			if want == nil {
				want = test.work
			}
			if diff := cmp.Diff(contents(work(want)), contents(result)); diff != "" {
				t.Errorf("the folder (-want +got):\n%s", diff)
			}
			lock, _ := target.Lookup(generator.LockFile)
			if string(result[generator.LockFile].Data) != string(lock.Content) {
				t.Errorf("golam.lock is\n%s", result[generator.LockFile].Data)
			}
			// The second time there is nothing to do.
			in.Base, in.Work = storedBase(t, result), result
			again, err := Merge(in)
			if err != nil {
				t.Fatal(err)
			}
			if len(again.Changes) > 0 {
				t.Errorf("the second time: %v", again.Changes)
			}
		})
	}
}

func TestMergeReadsThroughRoot(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, content := range map[string]string{"a": "mine\n", "cmd/b": "1\n2\n"} {
		if err := errors.Join(root.MkdirAll("cmd", 0o755), root.WriteFile(name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := Merge(Input{
		Base: baseOf(t, map[string]string{"a": "old\n", "cmd/b": "1\n2\n", "c": "old\n"}), Target: tree(t, map[string]string{"a": "new\n", "cmd/b": "1\n3\n", "d": "d\n"}), Work: root.FS(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"conflict a (1)", "update cmd/b", "add d"}, planLines(plan)); diff != "" {
		t.Error(diff)
	}
}

// unreadable is a folder in which one file cannot be read.
type unreadable struct{ fstest.MapFS }

func (u unreadable) ReadFile(name string) ([]byte, error) {
	if name == "cmd/secret" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.MapFS.ReadFile(name)
}

func TestMergeNamesWhatItCannotRead(t *testing.T) {
	files := map[string]string{"cmd/secret": "x\n"}
	_, err := Merge(Input{Base: baseOf(t, files), Target: tree(t, files), Work: unreadable{work(files)}})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "read cmd/secret") {
		t.Errorf("the error is %v", err)
	}
	if _, err := Merge(Input{Work: work(files)}); err == nil {
		t.Error("a target without golam.lock is no error")
	}
	if _, err := Merge(Input{Target: tree(t, files), Work: work(map[string]string{"golam.base/x": ""})}); err == nil {
		t.Error("a folder in the place of golam.base is no error")
	}
}

// TestWayBackAfterAKeptFile turns an option off and on again: the file that its owner edited is there all the time, and is merged with its
// base when golam makes it again.
func TestWayBackAfterAKeptFile(t *testing.T) {
	on, off := map[string]string{"a": "a\n", "otel.go": "1\n2\n3\n"}, map[string]string{"a": "a\n"}
	newer := map[string]string{"a": "a\n", "otel.go": "1\n2\nnew\n"}
	folder := work(map[string]string{"a": "a\n", "otel.go": "mine\n2\n3\n"})
	base := baseOf(t, on)
	for _, step := range []struct {
		target map[string]string
		plan   []string
	}{
		{off, []string{"keep otel.go: golam no longer makes this file, and you changed it: remove it if you no longer need it"}},
		{off, []string{}},
		{on, []string{}},
		{off, []string{"keep otel.go: golam no longer makes this file, and you changed it: remove it if you no longer need it"}},
		{newer, []string{"merge otel.go"}},
	} {
		plan, err := Merge(Input{Base: base, Target: tree(t, step.target), Work: folder})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.plan, planLines(plan)); diff != "" {
			t.Fatal(diff)
		}
		folder = applied(t, folder, plan)
		base = storedBase(t, folder)
	}
	if got := string(folder["otel.go"].Data); got != "mine\n2\nnew\n" {
		t.Errorf("otel.go is %q", got)
	}
	// An owner who removes what was kept gets a new one with the option.
	plan, err := Merge(Input{Base: base, Target: tree(t, off), Work: folder})
	if err != nil {
		t.Fatal(err)
	}
	folder = applied(t, folder, plan)
	delete(folder, "otel.go")
	plan, err = Merge(Input{Base: storedBase(t, folder), Target: tree(t, on), Work: folder})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"add otel.go"}, planLines(plan)); diff != "" {
		t.Error(diff)
	}
}

func TestPlanAsJSON(t *testing.T) {
	plan, err := Merge(Input{
		Base: baseOf(t, map[string]string{"a": "old\n", "b.go": "1\n2\n"}), Target: tree(t, map[string]string{"a": "new\n", "c.go": "1\n2\n", "d": "d\n"}),
		Work: work(map[string]string{"a": "mine\n", "b.go": "1\n2\nmine\n"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(plan.With(ActionConflict)); got != 1 {
		t.Errorf("%d conflicts", got)
	}
	got, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "changes": [
    {
      "path": "a",
      "action": "conflict",
      "conflicts": 1,
      "marker": 7
    },
    {
      "path": "c.go",
      "from": "b.go",
      "action": "merge"
    },
    {
      "path": "d",
      "action": "add"
    },
    {
      "path": "golam.base",
      "action": "add"
    },
    {
      "path": "golam.lock",
      "action": "add"
    }
  ]
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if missing := slices.DeleteFunc(plan.Changes, func(c Change) bool { return slices.Contains(Actions(), c.Action) }); len(missing) > 0 {
		t.Errorf("Actions lacks those of %v", missing)
	}
}
