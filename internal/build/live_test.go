package build

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/testkit"
)

// live opens a Live on a project, with a cache of its own.
func live(t *testing.T, root string) *Live {
	t.Helper()
	l, err := OpenLive(LiveOptions{Dir: root, Cache: t.TempDir(), Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// update updates and returns the only function.
func update(t *testing.T, l *Live) (Current, Update) {
	t.Helper()
	u, err := l.Update(t.Context(), func() {})
	if err != nil || len(u.Functions) != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	return u.Functions[0], u
}

// says runs a build and returns what it prints.
func says(t *testing.T, f Current) string {
	t.Helper()
	return strings.TrimSpace(testkit.Run(t, filepath.Dir(f.Bootstrap), nil, f.Bootstrap))
}

func TestLive(t *testing.T) {
	root := testkit.Folder(t, tiny())
	l := live(t, root)
	first, u := update(t, l)
	if !u.Built || says(t, first) != "one" || first.Err != nil {
		t.Fatalf("first %+v", first)
	}
	if same, u := update(t, l); u.Built || same.Bootstrap != first.Bootstrap {
		t.Errorf("with nothing changed: %+v", u)
	}
	testkit.Write(t, filepath.Join(root, "text/files/one.txt"), "two")
	second, _ := update(t, l)
	if second.Bootstrap == first.Bootstrap || says(t, second) != "two" || says(t, first) != "one" {
		t.Errorf("second %+v", second)
	}
	l.Forget(first.Bootstrap)
	if _, err := os.Stat(first.Bootstrap); err == nil {
		t.Error("the first build is still there")
	}
	l.Forget(filepath.Join(root, "go.mod"))
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error("it forgets what is not its own")
	}
	testkit.Write(t, filepath.Join(root, "text/text.go"), "package text\n\nvar Text = nothing\n")
	broken, _ := update(t, l)
	if broken.Bootstrap != second.Bootstrap || broken.Err == nil || !strings.Contains(broken.Err.Error(), "text/text.go:3:12") {
		t.Errorf("broken %+v", broken)
	}
	if _, u := update(t, l); u.Built {
		t.Error("the same mistake is built twice")
	}
}

// A save that comes while a build is under way is no part of it.
func TestLiveSaveDuringBuild(t *testing.T) {
	root := testkit.Folder(t, tiny())
	t.Setenv("SAVED", filepath.Join(root, "text/files/one.txt"))
	shim(t, `if [ "$1" = build ] && [ ! -e "$SAVED.done" ]; then printf later >"$SAVED"; : >"$SAVED.done"; fi; exec "$GO" "$@"`)
	l := live(t, root)
	first, _ := update(t, l)
	if got := says(t, first); got != "one" {
		t.Errorf("the build has %q of a later save", got)
	}
	if second, _ := update(t, l); says(t, second) != "later" {
		t.Error("the later save is not built")
	}
}

// A save that comes while the sources are read is read again, so that no build mixes two states.
func TestLiveSaveDuringList(t *testing.T) {
	files := tiny()
	files["cmd/small/main.go"] = "package main\n\nimport \"example.com/tiny/text\"\n\nconst before = \"a\"\n\nfunc main() { println(before + text.Text) }\n"
	root := testkit.Folder(t, files)
	t.Setenv("SAVED", root)
	shim(t, `"$GO" "$@" || exit; if [ "$1" = list ] && [ ! -e "$SAVED/done" ]; then : >"$SAVED/done"
printf b >"$SAVED/text/files/one.txt"; sed -i.bak 's/"a"/"b"/' "$SAVED/cmd/small/main.go"; fi`)
	l := live(t, root)
	if f, _ := update(t, l); says(t, f) != "bb" {
		t.Errorf("the build has %q", says(t, f))
	}
}

// What a copy of the sources has been made of may change its kind, and the cache may be cleaned: the next look begins anew.
func TestLiveSnapshot(t *testing.T) {
	files := tiny()
	files["text/text.go"] = `package text

import (
	"embed"
	"io/fs"
)

//go:embed files
var files embed.FS

var Text = read()

func read() (text string) {
	_ = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, _ error) error {
		if !entry.IsDir() {
			content, _ := files.ReadFile(path)
			text += string(content)
		}
		return nil
	})
	return text
}
`
	root := testkit.Folder(t, files)
	l := live(t, root)
	one := filepath.Join(root, "text/files/one.txt")
	for _, step := range []struct {
		name, want string
		change     func()
	}{
		{"first", "one", func() {}},
		{"a file becomes a folder", "below", func() {
			testkit.Remove(t, one)
			testkit.Write(t, filepath.Join(one, "two.txt"), "below")
		}},
		{"a folder becomes a file", "above", func() {
			testkit.Remove(t, one)
			testkit.Write(t, one, "above")
		}},
		{"the copy is gone, and the source has changed", "again", func() {
			testkit.Remove(t, filepath.Join(l.Dir(), "source"))
			testkit.Write(t, one, "again")
		}},
		{"all is gone, and the source has changed", "anew", func() {
			testkit.Remove(t, l.Dir())
			testkit.Write(t, one, "anew")
		}},
		{"all is gone", "anew", func() {
			testkit.Remove(t, l.Dir())
			l.Again()
		}},
	} {
		step.change()
		if f, _ := update(t, l); f.Err != nil || says(t, f) != step.want {
			t.Fatalf("%s: %+v", step.name, f)
		}
	}
}

// A project that cannot be read is read again when something has changed, or somebody asks for it.
func TestLiveUnreadable(t *testing.T) {
	files := tiny()
	files["go.mod"] = "modul example.com/tiny\n"
	files["text/text.go"] = "package text\n"
	root := testkit.Folder(t, files)
	asked := filepath.Join(t.TempDir(), "asked")
	t.Setenv("ASKED", asked)
	shim(t, `echo "$1" >>"$ASKED"; exec "$GO" "$@"`)
	l := live(t, root)
	fails := func() int {
		t.Helper()
		if u, err := l.Update(t.Context(), func() {}); err == nil {
			t.Fatalf("%+v", u)
		}
		content, _ := os.ReadFile(asked)
		return strings.Count(string(content), "\n")
	}
	first := fails()
	if again := fails(); first == 0 || again != first {
		t.Errorf("the go command was asked %d times, then %d", first, again-first)
	}
	testkit.Write(t, filepath.Join(root, "text/text.go"), tiny()["text/text.go"])
	changed := fails()
	l.Again()
	if again := fails(); changed == first || again == changed {
		t.Errorf("the go command was asked %d times, after a change %d, on demand %d", first, changed, again)
	}
	testkit.Write(t, filepath.Join(root, "go.mod"), tiny()["go.mod"])
	if f, _ := update(t, l); says(t, f) != "one" {
		t.Errorf("mended: %+v", f)
	}
}

// A go command that the system kills is no mistake of the source, and nothing is left of a build that failed.
func TestLiveKilled(t *testing.T) {
	root := testkit.Folder(t, tiny())
	t.Setenv("SAVED", filepath.Join(root, "killed"))
	shim(t, `if [ "$1" = build ] && [ ! -e "$SAVED" ]; then : >"$SAVED"; echo some >&2; kill -9 $$; fi; exec "$GO" "$@"`)
	l := live(t, root)
	if _, err := l.Update(t.Context(), func() {}); !MachineFault(err) {
		t.Errorf("killed: %v", err)
	}
	if f, _ := update(t, l); says(t, f) != "one" {
		t.Errorf("the next build: %+v", f)
	}
	testkit.Write(t, filepath.Join(root, "text/text.go"), "package text\n\nvar Text = nothing\n")
	update(t, l)
	if left, err := filepath.Glob(filepath.Join(l.builds, "build-*")); err != nil || len(left) != 1 {
		t.Errorf("builds left: %q, %v", left, err)
	}
}

// reopen closes a Live and opens another one on the same project and cache.
func reopen(t *testing.T, l *Live) *Live {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenLive(l.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close() })
	return again
}

// age makes files and folders old enough to be known by their times.
func age(t *testing.T, root string) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, past, past))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is current at the end of a Live is what the next one begins with, without asking the go command for more than its version.
func TestLiveKept(t *testing.T) {
	root := testkit.Folder(t, tiny())
	asked := filepath.Join(t.TempDir(), "asked")
	t.Setenv("ASKED", asked)
	shim(t, `echo "$1" >>"$ASKED"; exec "$GO" "$@"`)
	commands := func() string {
		content, _ := os.ReadFile(asked)
		_ = os.Remove(asked)
		return strings.Join(strings.Fields(string(content)), " ")
	}
	age(t, root)
	l := live(t, root)
	first, _ := update(t, l)
	commands()

	l = reopen(t, l)
	if kept, u := update(t, l); u.Built || kept.Bootstrap != first.Bootstrap || kept.Stale || says(t, kept) != "one" {
		t.Errorf("nothing has changed: %+v", u)
	}
	if got := commands(); got != "env" {
		t.Errorf("nothing has changed, and the go command was asked for %s", got)
	}

	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	testkit.Write(t, filepath.Join(root, "text/files/one.txt"), "two")
	l = reopen(t, l)
	second, u := update(t, l)
	if !u.Built || says(t, second) != "two" {
		t.Errorf("a change in between: %+v", u)
	}
	l.Forget(first.Bootstrap)

	// The cache has been tampered with, or cleaned.
	testkit.Write(t, second.Bootstrap, "other")
	l = reopen(t, l)
	third, u := update(t, l)
	if !u.Built || says(t, third) != "two" {
		t.Errorf("another file in its place: %+v", u)
	}
	testkit.Remove(t, third.Bootstrap)
	l = reopen(t, l)
	fourth, u := update(t, l)
	if !u.Built || says(t, fourth) != "two" {
		t.Errorf("no file: %+v", u)
	}
	testkit.Write(t, filepath.Join(l.builds, indexName), "{")
	if err := l.lock.Close(); err != nil { // as when it is killed
		t.Fatal(err)
	}
	l = openAgain(t, l)
	if fifth, u := update(t, l); !u.Built || says(t, fifth) != "two" {
		t.Errorf("no index: %+v", u)
	}
	if left, err := filepath.Glob(filepath.Join(l.builds, "build-*", "*")); err != nil || len(left) != 1 {
		t.Errorf("left in the cache: %q, %v", left, err)
	}
}

// openAgain opens a Live in the place of one that was killed.
func openAgain(t *testing.T, l *Live) *Live {
	t.Helper()
	again, err := OpenLive(l.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close() })
	return again
}

// A function that is broken when a Live ends is built again by the next one. What was good for the first one is not for the second: it may
// be old.
func TestLiveKeptBroken(t *testing.T) {
	root := testkit.Folder(t, tiny())
	l := live(t, root)
	first, _ := update(t, l)
	testkit.Write(t, filepath.Join(root, "text/text.go"), "package text\n\nvar Text = nothing\n")
	update(t, l)
	l = reopen(t, l)
	broken, u := update(t, l)
	if !u.Built || broken.Err == nil || broken.Bootstrap != "" || isFile(first.Bootstrap) {
		t.Errorf("%+v", broken)
	}
}

// Functions that are out of date are built as they are asked for, from one look at the project, and each is there as soon as it is built.
func TestLiveNext(t *testing.T) {
	files := tiny()
	for _, name := range []string{"second", "third"} {
		files["cmd/"+name+"/main.go"] = files["cmd/small/main.go"]
	}
	files[generator.ProjectFile] = "functions:\n  - name: small\n  - name: second\n  - name: third\n"
	root := testkit.Folder(t, files)
	var asked [][]string
	l, err := OpenLive(LiveOptions{Dir: root, Cache: t.TempDir(), Environ: os.Environ(), Next: func(stale []string) []string {
		asked = append(asked, stale)
		if slices.Contains(stale, "third") {
			return []string{"third"}
		}
		return stale
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	state := func(u Update) string {
		var text []string
		for _, f := range u.Functions {
			said := "-"
			if f.Bootstrap != "" {
				said = says(t, f)
			}
			if f.Stale {
				said += "?"
			}
			text = append(text, f.Name+" "+said)
		}
		return strings.Join(text, ", ")
	}
	next := func(pending bool, want string) {
		t.Helper()
		u, err := l.Update(t.Context(), func() {})
		if got := state(u); err != nil || got != want || u.Pending != pending {
			t.Fatalf("%s, pending %t, %v; want %s", got, u.Pending, err, want)
		}
	}
	next(true, "second -?, small -?, third one")
	next(false, "second one, small one, third one")
	next(false, "second one, small one, third one")
	if want := [][]string{{"second", "small", "third"}, {"second", "small"}}; !slices.EqualFunc(asked, want, slices.Equal) {
		t.Errorf("asked about %q", asked)
	}
	// A save while some are left makes all of them out of date again.
	testkit.Write(t, filepath.Join(root, "text/files/one.txt"), "two")
	next(true, "second one?, small one?, third two")
	testkit.Write(t, filepath.Join(root, "text/files/one.txt"), "three")
	next(true, "second one?, small one?, third three")
	next(false, "second three, small three, third three")
}
