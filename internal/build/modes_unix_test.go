//go:build unix

package build

import (
	"archive/zip"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// TestModes builds under a strict umask from private files. Lambda reads a package as another user than the one who makes it.
func TestModes(t *testing.T) {
	root := testkit.Folder(t, tiny())
	testkit.Write(t, filepath.Join(root, "config/rules.json"), "{}")
	testkit.Write(t, filepath.Join(root, "config/wrapper"), "#!/bin/sh\n")
	for name, mode := range map[string]fs.FileMode{"config/rules.json": 0o600, "config/wrapper": 0o700} {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	defer syscall.Umask(syscall.Umask(0o077))
	mustBuild(t, Options{Dir: root, Include: []string{"config"}})

	want := map[string]fs.FileMode{"bootstrap": 0o755, "config/rules.json": 0o644, "config/wrapper": 0o755}
	archive, err := zip.OpenReader(filepath.Join(root, "dist/small.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	got := map[string]fs.FileMode{}
	for _, file := range archive.File {
		got[file.Name] = file.Mode()
	}
	if !maps.Equal(got, want) {
		t.Errorf("the package has the modes %v, want %v", got, want)
	}
	for name, mode := range want {
		if info, err := os.Stat(filepath.Join(root, "dist/small", name)); err != nil || info.Mode() != mode {
			t.Errorf("dist/small/%s: %v (%v), want %v", name, info.Mode(), err, mode)
		}
	}
}
