package build

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/project"
	"github.com/golam-cli/golam/internal/testkit"
)

func TestOpen(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"go.mod": "module x\n", "golam.yaml": "schema: 1\narch: x86_64\n", "a/b/c.txt": ""})
	for _, dir := range []string{root, filepath.Join(root, "a", "b")} {
		project, err := Open(dir)
		if err != nil || project.Root != root || !project.Made || project.Arch != "x86_64" {
			t.Errorf("%s: %+v, %v", dir, project, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	if project, err := Open(link); err != nil || project.Root != root {
		t.Errorf("through a link: %+v, %v", project, err)
	}
	testkit.Remove(t, filepath.Join(root, "golam.yaml"))
	if project, err := Open(root); err != nil || project.Made || project.Arch != "arm64" {
		t.Errorf("without golam.yaml: %+v, %v", project, err)
	}
	_, err := Open(t.TempDir())
	var misused *misuse.Error
	if !errors.As(err, &misused) {
		t.Errorf("no go.mod: %v", err)
	}
	testkit.ErrorSays(t, err, "go.mod", "golam new")
}

func TestOpenRefusesHugeProjectFile(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"go.mod": "module x\n", "golam.yaml": strings.Repeat("#", project.MaxSize+1)})
	_, err := Open(root)
	testkit.ErrorSays(t, err, "golam.yaml", "bytes")
}
