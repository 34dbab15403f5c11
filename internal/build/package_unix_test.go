//go:build unix

package build

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestIncludeWaitsForNoPipe(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"d/x": ""})
	if err := syscall.Mkfifo(filepath.Join(root, "d", "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := readIncludes(root, []string{"d"})
	testkit.ErrorSays(t, err, "d/pipe is neither")
}
