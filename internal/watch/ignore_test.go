package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What git ignores is what git itself says.
func TestIgnore(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		".gitignore":        "# comment\n\n*.log\n!keep.log\n/out/\nbuild/\ndoc/*.txt\n**/deep/x\na/**/b\nspace\\ \n\\#hash\n?.q\n[ab].r\ntrailing/  \n",
		"sub/.gitignore":    "!again.log\n/own\nnested/\n",
		"sub/nested/.git2":  "",
		".git/info/exclude": "private\n",
	} {
		write(t, filepath.Join(root, filepath.FromSlash(name)), content)
	}
	command(t, root, "git", "init", "-q")
	write(t, filepath.Join(root, ".git/info/exclude"), "private\n")
	i := newIgnore(filepath.Join(root, "sub"))
	for _, path := range []string{
		"a.log", "keep.log", "out/a.go", "sub/out/a.go", "build/a.go", "sub/build/x/y.go", "doc/a.txt", "doc/sub/a.txt", "p/deep/x", "deep/x",
		"a/b", "a/x/y/b", "main.go", "sub/again.log", "sub/other.log", "sub/own", "own", "sub/nested/a.go", "private", "sub/private", "#hash",
		"x.q", "xy.q", "a.r", "c.r", "trailing/a", ".gitignore", "sub/main.go",
	} {
		check := exec.CommandContext(t.Context(), "git", "-c", "core.excludesFile="+os.DevNull, "check-ignore", "-q", "--no-index", path)
		check.Dir = root
		want := check.Run() == nil
		if got := i.matches(filepath.Join(root, filepath.FromSlash(path)), strings.HasSuffix(path, "/")); got != want {
			t.Errorf("%s: %v, git says %v", path, got, want)
		}
	}
	if newIgnore("").matches("/a.log", false) || i.matches(filepath.Join(filepath.Dir(root), "a.log"), false) {
		t.Error("what is outside of the repository is ignored")
	}
}

// The limits of the system make it poll, and say so.
func TestWatchLimit(t *testing.T) {
	n, reason := newNotifier(false)
	if reason != nil {
		t.Skipf("the system does not watch at all: %v", reason)
	}
	defer func() { n.close() }()
	root := t.TempDir()
	if added, reason := n.watch(root, []string{root, filepath.Join(root, "gone")}, nil); !added || reason != nil {
		t.Fatalf("added %v, %v", added, reason)
	}
	_ = n.watcher.Close() // as if it took no more
	if _, reason = n.watch(root, []string{root}, nil); reason == nil || n.watcher != nil {
		t.Errorf("reason %v", reason)
	}
	<-n.changes // it polls
}
