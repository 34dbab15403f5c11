// Package counts lets tests tell how much they covered, which pass and fail do not: `make test` prints it at its end.
package counts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Variable names the environment variable that holds the folder for counts. Without it they are only logged.
const Variable = "GOLAM_COUNTS"

// Report logs what a test covered, and keeps it in the folder for counts in a file of the test's.
func Report(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	dir := os.Getenv(Variable)
	if dir == "" || t.Failed() {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".txt")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil { //nolint:gosec // read by make
		t.Fatal(err)
	}
}
