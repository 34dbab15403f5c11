//go:build unix

package files_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/internal/files"
)

func makePipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func makeFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRead(t *testing.T) {
	file := makeFile(t, "12345")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		if got, err := files.Read(name, 5); string(got) != "12345" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := files.Read(file, 4); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("of a large file: %v", err)
	}
	for _, name := range []string{makePipe(t), t.TempDir(), os.DevNull} {
		if _, err := files.Read(name, 5); !errors.Is(err, files.ErrIrregular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := files.Read(file+"absent", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}

func TestReadInput(t *testing.T) {
	if got, err := files.ReadInput(t.Context(), makeFile(t, "12345"), 3); string(got) != "1234" || err != nil {
		t.Errorf("of a large file: %q, %v", got, err)
	}
	if got, err := files.ReadInput(t.Context(), os.DevNull, 3); len(got) > 0 || err != nil {
		t.Errorf("of an empty device: %q, %v", got, err)
	}
	if _, err := files.ReadInput(t.Context(), t.TempDir(), 3); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("of a folder: %v", err)
	}
	pipe := makePipe(t)
	if _, err := files.ReadInput(t.Context(), pipe, 3); !errors.Is(err, files.ErrNoWriter) {
		t.Errorf("of a pipe that nobody writes to: %v", err)
	}
	// Both ends, as a shell has them before it starts a command.
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.WriteString("12345"); err != nil {
		t.Fatal(err)
	}
	if got, err := files.ReadInput(t.Context(), pipe, 3); string(got) != "1234" || err != nil {
		t.Errorf("of a pipe: %q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := files.ReadInput(ctx, pipe, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("of a pipe whose writer does nothing: %v", err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
}
