package build

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/testkit"
)

// TestOpenRefusesNamesThatAreNotUTF8 has a folder that only some systems can have.
func TestOpenRefusesNamesThatAreNotUTF8(t *testing.T) {
	root := filepath.Join(t.TempDir(), "caf\xe9")
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(root)
	if _, misused := errors.AsType[*misuse.Error](err); !misused {
		t.Fatalf("error %v", err)
	}
	testkit.ErrorSays(t, err, `caf\xe9" is not UTF-8`, "rename the folder")
}
