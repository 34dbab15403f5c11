package demo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/demo"
)

// temporary points temporary files to a folder of the test's own, and returns it.
func temporary(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // Unix has the first, Windows the others
		t.Setenv(name, dir)
	}
	return dir
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestRun builds and runs the real function of each version of the trigger.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three functions")
	}
	tests := map[string]struct {
		events int
		want   []string
	}{
		"v1": {5, []string{`  + roles           "[\"admins\",\"billing\"]"` + "\n"}},
		"v2": {5, []string{`  + tenant_id       "acme-42"                      "acme-42"` + "\n"}},
		"v3": {6, []string{`  + caller_type                                    "machine"` + "\n", "\n    scopes          orders/read orders/write\n"}},
	}
	for trigger, test := range tests {
		t.Run(trigger, func(t *testing.T) {
			dir := temporary(t)
			var out bytes.Buffer
			summary, err := demo.Run(t.Context(), demo.Options{Trigger: trigger, Out: &out})
			if err != nil {
				t.Fatal(err)
			}
			if want := (demo.Summary{Events: test.events}); summary != want {
				t.Errorf("summary %+v, want %+v", summary, want)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, &out)
				}
			}
			for line := range strings.Lines(out.String()) {
				if columns := ansi.StringWidth(strings.TrimSuffix(line, "\n")); columns > 80 {
					t.Errorf("%d columns: %s", columns, line)
				}
			}
			wantEmpty(t, dir)
		})
	}
}

func TestRunKeepsTheProject(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a function")
	}
	dir := temporary(t)
	summary, err := demo.Run(t.Context(), demo.Options{Trigger: "v2", Keep: true, Out: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(summary.Project, dir) {
		t.Errorf("the project is in %q, not below %s", summary.Project, dir)
	}
	if _, err := os.Stat(filepath.Join(summary.Project, "golam.yaml")); err != nil {
		t.Error(err)
	}
	beside, err := os.ReadDir(filepath.Dir(summary.Project))
	if err != nil || len(beside) != 1 {
		t.Errorf("beside the project: %v, %v", beside, err)
	}
}

func TestUnknownTrigger(t *testing.T) {
	dir := temporary(t)
	_, err := demo.Run(t.Context(), demo.Options{Trigger: "v9", Out: new(bytes.Buffer)})
	var invalid *generator.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("error %v, want an InvalidError", err)
	}
	wantEmpty(t, dir)
}

// interrupter is a reader who presses Ctrl-C when a word is printed.
type interrupter struct {
	word   string
	cancel context.CancelFunc
	seen   bool
}

func (i *interrupter) Write(text []byte) (int, error) {
	if strings.Contains(string(text), i.word) {
		i.seen = true
		i.cancel()
	}
	return len(text), nil
}

// TestInterrupted stops at each step: nothing may be left behind, of a project that was to be kept neither.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a function")
	}
	for _, word := range []string{"generate", "build", "serve", "hosted-auth"} {
		t.Run(word, func(t *testing.T) {
			dir := temporary(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out := &interrupter{word: word, cancel: cancel}
			_, err := demo.Run(ctx, demo.Options{Trigger: "v2", Keep: true, Out: out})
			if !out.seen || err == nil {
				t.Errorf("seen %v, error %v", out.seen, err)
			}
			wantEmpty(t, dir)
		})
	}
}
