//go:build unix

package wizard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/ptytest"
	"github.com/golam-cli/golam/internal/wizard"
)

// Keys as a terminal sends them.
const (
	enter    = "\r"
	tab      = "\t"
	back     = "\x1b[Z"
	up       = "\x1b[A"
	down     = "\x1b[B"
	pageDown = "\x1b[6~"
	escape   = "\x1b"
	clear    = "\x15" // ctrl+u
	remove   = "\x18" // ctrl+x
	ctrlC    = "\x03"
	ctrlD    = "\x04"
)

// asked is what a wizard in a process of its own is told, and where it writes the answers.
type asked struct {
	Dir        string
	Given      generator.Answers
	Accessible bool
	Plain      bool   // no color
	Taken      string // a project name whose folder is taken
	Answers    string
}

const childVariable = "WIZARD_TEST_CHILD"

// TestMain makes the test binary a wizard, too, so that signals, exit codes and the terminal are real.
func TestMain(m *testing.M) {
	if config := os.Getenv(childVariable); config != "" {
		os.Exit(child(config))
	}
	os.Exit(m.Run())
}

func child(config string) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var asked asked
	if err := json.Unmarshal([]byte(config), &asked); err != nil {
		fmt.Println(err)
		return 1
	}
	answers, err := wizard.Run(ctx, wizard.Config{
		Catalog: kinds.All(),
		In:      os.Stdin, Out: os.Stdout, Dir: asked.Dir, Given: asked.Given, Accessible: asked.Accessible, Color: !asked.Plain,
		Preview: func(spec generator.Spec) (wizard.Summary, error) {
			if spec.Name == asked.Taken {
				return wizard.Summary{}, fmt.Errorf("%s is not empty: choose another folder", spec.Name)
			}
			return preview(spec)
		},
	})
	switch {
	case errors.Is(err, wizard.ErrAborted):
		return 130
	case err != nil:
		fmt.Println(err)
		return 1
	}
	encoded, err := json.Marshal(answers)
	if err == nil {
		err = os.WriteFile(asked.Answers, encoded, 0o600)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// preview renders the real project.
func preview(spec generator.Spec) (wizard.Summary, error) {
	tree, err := generator.Render(spec)
	if err != nil {
		return wizard.Summary{}, err
	}
	command := append([]string{"golam", "new", spec.Name}, kinds.All().Flags(spec)...)
	command = append(command, "--yes")
	summary := wizard.Summary{Dir: spec.Name, Command: func(width int) []string {
		lines := []string{" "}
		for i, word := range command {
			if i > 0 && strings.HasPrefix(command[i-1], "--") && !strings.HasPrefix(word, "--") {
				continue // it is there already
			}
			if i+1 < len(command) && strings.HasPrefix(word, "--") && !strings.HasPrefix(command[i+1], "--") {
				word += " " + command[i+1]
			}
			if last := len(lines) - 1; len(lines[last])+len(word)+len("  \\") > width {
				lines[last] += " \\"
				lines = append(lines, " ")
			}
			lines[len(lines)-1] += " " + word
		}
		return lines
	}}
	for _, file := range tree {
		summary.Files = append(summary.Files, file.Path)
	}
	return summary, nil
}

// terminal is a wizard on a terminal, with what it answers.
type terminal struct {
	*ptytest.Terminal
	t       *testing.T
	answers string
	read    int // how much of the output was waited for
}

// start runs a wizard on a new terminal.
func start(t *testing.T, columns, lines int, asked asked) *terminal {
	t.Helper()
	w := &terminal{t: t, answers: filepath.Join(t.TempDir(), "answers.json")}
	asked.Answers = w.answers
	config, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program)
	command.Env = append(os.Environ(), childVariable+"="+string(config), "TERM=xterm-256color", "NO_COLOR=")
	w.Terminal = ptytest.Start(t, columns, lines, command)
	return w
}

// asks waits until the question that begins so has the focus, however narrow the terminal is.
func (w *terminal) asks(question string) string {
	w.t.Helper()
	return w.Until(fmt.Sprintf("asking %q", question), func(screen string) bool {
		var focused []string
		for line := range strings.Lines(screen) {
			if text, marked := strings.CutPrefix(line, "┃"); marked {
				focused = append(focused, strings.Fields(text)...)
			}
		}
		return strings.HasPrefix(strings.Join(focused, " "), question)
	})
}

// walks takes the answers as they are, from the question that has the focus up to another, both told by their keys.
func (w *terminal) walks(from, to string) {
	w.t.Helper()
	for _, option := range wizard.Path(from, to) {
		w.Types(enter)
		w.asks(option.Question)
	}
}

// shows waits until every text is on the screen, however it is wrapped.
func (w *terminal) shows(texts ...string) {
	w.t.Helper()
	w.Until(fmt.Sprintf("showing %q", texts), func(screen string) bool {
		words := strings.Join(strings.Fields(strings.ReplaceAll(screen, "┃", "")), " ")
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(words, text) })
	})
}

// chooses waits for a question, and takes another of its choices.
func (w *terminal) chooses(option generator.Option, value string) {
	w.t.Helper()
	w.asks(option.Question)
	at := slices.Index(option.Values(), value)
	if at < 0 {
		w.t.Fatalf("--%s has no choice %s", option.Key, value)
	}
	w.Types(strings.Repeat(down, at)) // the default is the first
	w.Sees("> " + wizard.Word(value))
	w.Types(enter)
}

// ends waits for the wizard's end and checks its exit code, that the terminal is as it was, and what it answered.
func (w *terminal) ends(code int) generator.Answers {
	w.t.Helper()
	w.Ends(code)
	encoded, err := os.ReadFile(w.answers)
	if code != 0 {
		if err == nil {
			w.t.Errorf("there are answers although the wizard did not complete: %s", encoded)
		}
		return nil
	}
	var answers generator.Answers
	if err := json.Unmarshal(encoded, &answers); err != nil {
		w.t.Fatal(err)
	}
	return answers
}
