package watch

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/settings"
	"github.com/golam-cli/golam/internal/testkit"
)

// A broken file is an error that leaves the variables of the command line as they are.
func TestBrokenEnvFile(t *testing.T) {
	file, fixed := filepath.Join(t.TempDir(), ".env"), map[string]string{"A": "fixed"}
	for text, problem := range map[string]string{
		"A=file\nB=2\n": "",
		"hunter2\n":     "line 1",
		strings.Repeat("A=1\n", settings.MaxEnv/4) + "\n": "it has more than 65536 bytes",
	} {
		testkit.Write(t, file, text)
		got, err := readEnv(file, fixed)
		if problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem)) {
			t.Errorf("%.20q: %v", text, err)
		}
		if got["A"] != "fixed" {
			t.Errorf("%.20q: the variables are %q", text, got)
		}
	}
}
