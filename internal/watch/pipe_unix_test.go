//go:build unix

package watch

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// TestPipeAsIgnoreFile watches a project whose .gitignore is a pipe that nobody writes to. Its end is that of the session.
func TestPipeAsIgnoreFile(t *testing.T) {
	root := makeProject(t, map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n", "page.txt": "x"})
	testkit.Run(t, root, nil, "git", "init", "-q")
	if err := syscall.Mkfifo(filepath.Join(root, ".gitignore"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, root)
	w.settle()
}
