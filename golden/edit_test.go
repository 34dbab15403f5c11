package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edit replaces a text in a file of a project.
type edit struct{ file, old, new string }

func (e edit) apply(t *testing.T, project string) {
	t.Helper()
	name := filepath.Join(project, filepath.FromSlash(e.file))
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := e.new
	if e.old != "" {
		changed = strings.Replace(string(content), e.old, e.new, 1)
	}
	if changed == string(content) {
		t.Fatalf("%s has no %q", e.file, e.old)
	}
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}
