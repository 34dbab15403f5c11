//go:build unix

package build

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipeAsSource has the go command wait for a pipe among the sources, as it does for ever.
func TestPipeAsSource(t *testing.T) {
	if testing.Short() {
		t.Skip("the go command is given two seconds")
	}
	for _, name := range []string{"fn/extra.go", "go.sum"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for path, content := range map[string]string{
				"go.mod":     "module example.com/shop\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.55.1\n",
				"fn/main.go": "package main\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc main() { lambda.Start(func() {}) }\n",
			} {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := syscall.Mkfifo(filepath.Join(root, name), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ForHost(t.Context(), HostOptions{Dir: root, Cache: t.TempDir(), Environ: os.Environ()})
			if err == nil || !strings.Contains(err.Error(), name+" is not a file but a pipe or a device") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestFindPipe(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"testdata", "_old", ".git", "pkg"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"testdata/a.go", "_old/a.go", ".git/a.go", "page.html", "pkg/data"} {
		if err := syscall.Mkfifo(filepath.Join(root, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := findPipe(root); err != nil {
		t.Errorf("it finds what the go command does not open: %v", err)
	}
	if err := os.Symlink("data", filepath.Join(root, "pkg", "link.go")); err != nil {
		t.Fatal(err)
	}
	if err := findPipe(root); err == nil || !strings.Contains(err.Error(), "link.go") {
		t.Errorf("of a link to a pipe it says %v", err)
	}
}
