package golden_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/golam-cli/golam/internal/counts"
)

// TestSignsLikeTheSDK compares the package that signs in a generated project with the AWS SDK's.
func TestSignsLikeTheSDK(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the AWS SDK's signer")
	}
	besideTheSDK(t, "signer", "sam-otlp/internal/platform/sigv4/sigv4.go")
	counts.Report(t, "5000 requests signed as by the AWS SDK")
}

// besideTheSDK runs the tests of testdata/<module> with a file of a generated project, in a package of its own. The AWS SDK is in the module
// because neither golam nor the project needs it for this.
func besideTheSDK(t *testing.T, module, file string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata", module))); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(folder, filepath.Base(filepath.Dir(file)), filepath.Base(file))
	if err := os.Mkdir(filepath.Dir(target), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, source, 0o600); err != nil {
		t.Fatal(err)
	}
	goCommand(t, folder, "GOWORK=off", "test", "-count=1", "-mod=readonly", "./...")
}
