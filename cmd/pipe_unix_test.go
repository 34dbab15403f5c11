//go:build unix

package cmd_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golam-cli/golam/cmd"
	"github.com/golam-cli/golam/internal/terminal"
)

// TestPipes names a pipe that nobody writes to wherever golam takes a file. None of it may wait for a writer.
func TestPipes(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := os.WriteFile("go.mod", []byte("module example.com/shop\n\ngo 1.26\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		says string
	}{
		{"invoke --event pipe", "the event cannot be read: read pipe: it is a pipe that no process writes to"},
		{"invoke --replay pipe", "pipe is not a file: name one that --record made"},
		{"invoke --data {} --record pipe", "--record pipe: it is not a file"},
		{"invoke --data {} --env-file pipe", "the environment file cannot be read: read pipe: it is a pipe that no process writes to"},
		{"bench --event pipe", "it is a pipe that no process writes to"},
		{"bench --data {} --compare pipe", "pipe is not a file: name one that golam bench --save made"},
		{"bench --data {} --save pipe", "--save pipe: it is not a file"},
		{"watch --address 127.0.0.1:0 --env-file pipe", "it is not a regular file"},
		{"watch --address 127.0.0.1:0 --rules pipe", "it is not a regular file"},
		{"new demo --answers pipe", "the answers cannot be read: read pipe: it is a pipe that no process writes to"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var out, errs bytes.Buffer
		code := cmd.Run(ctx, strings.Fields(test.args), terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: os.Getenv})
		if code != 2 || !strings.Contains(errs.String(), test.says) {
			t.Errorf("%s: exit code %d, want 2, it says %q, want %q", test.args, code, errs.String(), test.says)
		}
		cancel()
	}
	if info, err := os.Lstat("pipe"); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is replaced: %v, %v", info, err)
	}
}
