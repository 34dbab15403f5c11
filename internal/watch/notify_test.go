package watch

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// The limits of the system make it poll, and say so.
func TestWatchLimit(t *testing.T) {
	n, reason := newNotifier(false)
	if reason != nil {
		t.Skipf("the system does not watch at all: %v", reason)
	}
	defer func() { n.close() }()
	root := t.TempDir()
	if added, reason := n.watch(scope{root: root, folders: []string{root, filepath.Join(root, "gone")}}); !added || reason != nil {
		t.Fatalf("added %v, %v", added, reason)
	}
	_ = n.watcher.Close() // as if it took no more
	if _, reason = n.watch(scope{root: root, folders: []string{root}}); reason == nil || n.watcher != nil {
		t.Errorf("reason %v", reason)
	}
	<-n.changes // it polls
}

// A folder that cannot be watched for a reason of its own is left out, and one that was removed and made again is a new one.
func TestWatchFolders(t *testing.T) {
	n, reason := newNotifier(false)
	if reason != nil {
		t.Skipf("the system does not watch at all: %v", reason)
	}
	defer n.close()
	root := t.TempDir()
	folder, file := filepath.Join(root, "folder"), filepath.Join(root, "file")
	testkit.Write(t, file, "")
	testkit.Write(t, filepath.Join(folder, "a.go"), "")
	watched := scope{root: root, folders: []string{root, folder, filepath.Join(file, "below")}}
	if added, reason := n.watch(watched); !added || reason != nil || n.watcher == nil {
		t.Fatalf("added %v, %v", added, reason)
	}
	if added, _ := n.watch(watched); added {
		t.Error("the same folders are new")
	}
	testkit.Remove(t, folder)
	testkit.Eventually(t, "the system has dropped the folder", func() bool { return !slices.Contains(n.watcher.WatchList(), folder) })
	testkit.Write(t, filepath.Join(folder, "a.go"), "")
	if added, reason := n.watch(watched); !added || reason != nil {
		t.Errorf("made again: added %v, %v", added, reason)
	}
}

// What counts: everything in folders of the project but for what git ignores, of a folder that only holds settings those alone, and
// everything while the project is broken.
func TestConcerns(t *testing.T) {
	n, _ := newNotifier(true)
	defer n.close()
	root, home := t.TempDir(), t.TempDir()
	testkit.Write(t, filepath.Join(root, ".gitignore"), "gen*\n")
	testkit.Run(t, root, nil, "git", "init", "-q")
	for _, broken := range []bool{false, true} {
		if _, reason := n.watch(scope{
			root: root, folders: []string{root}, inputs: []string{filepath.Join(root, "gen.go")}, settings: []string{filepath.Join(home, ".env")}, all: broken,
		}); reason != nil {
			t.Fatal(reason)
		}
		for path, want := range map[string]bool{
			filepath.Join(root, "main.go"): true, filepath.Join(root, "gen.go"): true, filepath.Join(root, "gen2.go"): broken,
			filepath.Join(home, ".env"): true, filepath.Join(home, "history"): false,
		} {
			if n.concerns(path) != want {
				t.Errorf("%s, broken %v: counts %v", path, broken, !want)
			}
		}
	}
}
