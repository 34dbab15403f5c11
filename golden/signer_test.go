package golden_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/golam-cli/golam/internal/counts"
)

// TestSignsLikeTheSDK compares the package that signs in a generated project with the AWS SDK's, in a module of its own: neither golam nor
// the project needs the SDK for it.
func TestSignsLikeTheSDK(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the AWS SDK's signer")
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata/signer")); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("sam-otlp/internal/sigv4/sigv4.go")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "sigv4"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "sigv4", "sigv4.go"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	goCommand(t, folder, "GOWORK=off", "test", "-count=1", "-mod=readonly", "./...")
	counts.Report(t, "5000 requests signed as by the AWS SDK")
}
