//go:build unix

package build

import (
	"path/filepath"
	"syscall"
	"testing"
)

func TestIncludeWaitsForNoPipe(t *testing.T) {
	root := makeProject(t, map[string]string{"d/x": ""})
	if err := syscall.Mkfifo(filepath.Join(root, "d", "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := readIncludes(root, []string{"d"})
	contains(t, err, "d/pipe is neither")
}
