//go:build unix

package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/cmd"
	"github.com/golam-cli/golam/internal/ptytest"
	"github.com/golam-cli/golam/internal/terminal"
)

// controls are what must not reach a terminal from elsewhere.
const controls = "\x1b\a\x7f\u009b\u202e\u2067"

// TestHostileNames has names and recordings of a cloned repository that hold escape sequences.
func TestHostileNames(t *testing.T) {
	const name = "a\x1b[2J\u009b31m\u202eb"
	t.Chdir(t.TempDir())
	for path, content := range map[string]string{
		"go.mod":                     "module example.com/shop\n\ngo 1.26\n",
		"events/" + name + ".json":   "{}",
		name + "-broken.json":        "{",
		name + "-recording.json":     `{"function":"` + "\u009b31m" + `","event":{},"response":{},"more":"\u001b[2J"}`,
		"cmd/" + name + "/main.go":   "package main\n\nfunc main() { undefined() }\n",
		"cmd/other/" + name + ".go":  "package main\n\nfunc main() { \x1b[2J }\n",
		"events/readable.json":       "{}",
		name + "/golam.yaml":         "x: 1\n",
		"baseline" + name + ".json":  "{}",
		"answers-" + name + ".yaml":  name + ": 1\n",
		"answers-other.yaml":         "\"trig\\u001b[2Jger\": v1\n",
		"internal/" + name + "/x.go": "package x\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"invoke", "--list"},
		{"invoke", "--list", "--output", "json"},
		{"invoke", "--example", "rea" + name},
		{"invoke", "--event", name + "-broken.json"},
		{"invoke", "--event", "absent" + name},
		{"invoke", "--replay", name + "-broken.json"},
		{"invoke", "--replay", name + "-recording.json"},
		{"invoke", "--data", "{}"},
		{"invoke", "--data", "{}", name},
		{"invoke", "--data", "{}", "--" + name},
		{"invoke", "--data", "{}", "--memory", name},
		{"bench", "--data", "{}", "--compare", "baseline" + name + ".json"},
		{"build", name},
		{"build"},
		{name},
		{"help", name},
		{"new", "--answers", "answers-" + name + ".yaml"},
		{"new", "--answers", "answers-other.yaml"},
		{"new", name, "--yes"},
		{"new", "demo", "--yes", "--dry-run", "--answers", name},
		{"__complete", "invoke", ""},
		{"__complete", "invoke", "--example", ""},
	} {
		var out, errs bytes.Buffer
		streams := terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: os.Getenv}
		cmd.Run(t.Context(), args, streams)
		if out.Len()+errs.Len() == 0 {
			t.Errorf("%q: it says nothing", args)
		}
		for _, printed := range []string{out.String(), errs.String()} {
			if strings.ContainsAny(printed, controls) {
				t.Errorf("%q: it prints %q", args, printed)
			}
		}
	}
}

// TestHostileFunction has a function that logs, answers and fails with escape sequences, on a terminal.
func TestHostileFunction(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds golam and a function")
	}
	golam := program(t)
	goCache, _, err := goFolders()
	if err != nil {
		t.Fatal(err)
	}
	cache, recorded := t.TempDir(), filepath.Join(t.TempDir(), "recorded.json")
	recording := `{"function":"official","event":{},"response":{"answer":"other` + "\u009b31m\u202e" + `"}}`
	if err := os.WriteFile(recorded, []byte(recording), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		command := exec.CommandContext(t.Context(), golam, append([]string{"invoke", "official", "--env", "_HANDLER=escapes"}, args...)...)
		command.Dir = "../internal/local/testdata/functions"
		command.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "GOCACHE="+goCache)
		return command
	}
	for name, test := range map[string]struct {
		args  []string
		sees  string
		exits int
	}{
		"an answer": {[]string{"--data", "{}"}, `{"answer":"\u009b31m\u202e\u2067"}`, 0},
		"as JSON":   {[]string{"--data", "{}", "--output", "json"}, `"answer": "\u009b31m\u202e\u2067"`, 0},
		"an error":  {[]string{"--data", "null"}, "the function failed: errorString: error ", 1},
		"a replay":  {[]string{"--replay", recorded}, `"answer": "other`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := ptytest.Start(t, 200, 40, run(test.args...))
			w.Sees(test.sees)
			w.Ends(test.exits)
			if printed := w.Output(); strings.ContainsAny(printed, controls) {
				t.Errorf("it prints %q", printed)
			}
		})
	}
	t.Run("not on a terminal", func(t *testing.T) {
		output, err := run("--data", "{}", "--quiet").Output()
		if want := "{\"answer\":\"\u009b31m\u202e\u2067\"}\n"; err != nil || string(output) != want {
			t.Errorf("got %q, %v, want %q", output, err, want)
		}
	})
}
