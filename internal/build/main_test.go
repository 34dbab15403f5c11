package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// tiny is a project whose function is only named, so that it needs no module but its own.
func tiny() map[string]string {
	return map[string]string{
		"go.mod":             "module example.com/tiny\n\ngo 1.26\n",
		"golam.yaml":         "arch: x86_64\nfunctions:\n  - name: small\n",
		"cmd/small/main.go":  "package main\n\nimport \"example.com/tiny/text\"\n\nfunc main() { println(text.Text) }\n",
		"text/text.go":       "package text\n\nimport _ \"embed\"\n\n//go:embed files/*.txt\nvar Text string\n",
		"text/files/one.txt": "one",
	}
}

// copyOf copies a project that is checked in, without what its .gitignore leaves out.
func copyOf(t *testing.T, source, target string) {
	t.Helper()
	if err := os.CopyFS(target, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	testkit.Remove(t, filepath.Join(target, distFolder))
}

// shim stands a shell script in for the go command, which the script finds in $GO.
func shim(t *testing.T, script string) {
	t.Helper()
	path, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GO", path)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}
