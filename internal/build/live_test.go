package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	return strings.TrimSpace(command(t, filepath.Dir(f.Bootstrap), nil, f.Bootstrap))
}

func TestLive(t *testing.T) {
	root := makeProject(t, tiny())
	l := live(t, root)
	first, u := update(t, l)
	if !u.Built || says(t, first) != "one" || first.Err != nil {
		t.Fatalf("first %+v", first)
	}
	if same, u := update(t, l); u.Built || same.Bootstrap != first.Bootstrap {
		t.Errorf("with nothing changed: %+v", u)
	}
	write(t, filepath.Join(root, "text/files/one.txt"), "two")
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
	write(t, filepath.Join(root, "text/text.go"), "package text\n\nvar Text = nothing\n")
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
	root := makeProject(t, tiny())
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
	root := makeProject(t, files)
	t.Setenv("SAVED", root)
	shim(t, `"$GO" "$@" || exit; if [ "$1" = list ] && [ ! -e "$SAVED/done" ]; then : >"$SAVED/done"
printf b >"$SAVED/text/files/one.txt"; sed -i.bak 's/"a"/"b"/' "$SAVED/cmd/small/main.go"; fi`)
	l := live(t, root)
	if f, _ := update(t, l); says(t, f) != "bb" {
		t.Errorf("the build has %q", says(t, f))
	}
}
