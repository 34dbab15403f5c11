//go:build unix

package generator

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Opening a named pipe waits for whoever writes to it: golam opens none, wherever a clone or an archive has one.
func TestRecoverNamedPipes(t *testing.T) {
	for name, state := range map[string]string{
		journalName: "", journalName + "/" + lockName: "", journalName + "/" + proofName: committed, committed + "/moves": committed, writing: "",
	} {
		t.Run(name, func(t *testing.T) {
			demo := t.TempDir()
			writeFile(t, demo+"/file", "mine")
			pipe := filepath.Join(demo, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(pipe), 0o755); err != nil {
				t.Fatal(err)
			}
			if state != "" {
				writeFile(t, filepath.Join(demo, state, "new", "x"), "hostile")
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			if outcome, err := Recover(demo); outcome != RecoveryForeign || err != nil {
				t.Errorf("got %q, %v", outcome, err)
			}
		})
	}
	t.Run("in a journal of golam's own", func(t *testing.T) {
		demo := t.TempDir()
		writeFile(t, demo+"/"+committed+"/new/x", "x")
		sign(t, demo, committed, "[]")
		moves := demo + "/" + committed + "/moves"
		if err := os.Remove(moves); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(moves, 0o600); err != nil {
			t.Fatal(err)
		}
		if outcome, err := Recover(demo); err == nil {
			t.Errorf("got %q", outcome)
		}
	})
}
