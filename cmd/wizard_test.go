//go:build unix

package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/ptytest"
)

// Keys as a terminal sends them.
const (
	keyEnter  = "\r"
	keyUp     = "\x1b[A"
	keyDown   = "\x1b[B"
	keyClear  = "\x15" // ctrl+u
	keyRemove = "\x18" // ctrl+x
	keyCtrlC  = "\x03"
)

// prompt runs golam on a terminal.
func prompt(t *testing.T, golam, folder string, args ...string) *ptytest.Terminal {
	t.Helper()
	command := exec.CommandContext(t.Context(), golam, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "TERM=xterm-256color", "CI=", "GOLAM_NO_PROMPT=", "ACCESSIBLE=", "NO_COLOR=")
	return ptytest.Start(t, 80, 24, command)
}

// laterOptions are those that the wizard asks after the claims, each a list of choices. The test takes the second one of each.
func laterOptions() []generator.Option {
	options := kinds.All().Options()
	options = options[slices.IndexFunc(options, func(option generator.Option) bool { return option.Key == "claims" })+1:]
	return slices.DeleteFunc(options, func(option generator.Option) bool { return len(option.Choices) == 1 })
}

// TestWizardAndFlagsMakeTheSame drives the real program on a terminal, and compares with what the command makes that it prints. It does
// so GOLAM_WIZARDS times.
func TestWizardAndFlagsMakeTheSame(t *testing.T) {
	golam := program(t)
	runs := 1
	if text := os.Getenv("GOLAM_WIZARDS"); text != "" {
		var err error
		if runs, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for range runs {
		folder := t.TempDir()
		w := prompt(t, golam, folder, "new", "asked", "--no-git")
		w.Sees("┃ What is the project called?")
		w.Types(keyClear, "tokens", keyEnter)
		w.Sees("┃ What is its Go module path?", "example.com/tokens")
		w.Types(keyClear, "github.com/you/tokens", keyEnter)
		w.Sees("┃ Which version of Cognito")
		w.Types(keyDown, keyDown)
		w.Sees("> v3")
		w.Types(keyEnter)
		w.Sees("┃ Which claims")
		w.Types(keyUp)
		w.Sees("> plan")
		w.Types(keyRemove)
		w.Sees("> add a claim")
		w.Types("email=email", keyEnter)
		w.Sees("email", "> add a claim")
		w.Types(keyEnter)
		flags := []string{
			"new", filepath.Join(folder, "flags"), "--no-git", "--name", "tokens", "--module", "github.com/you/tokens", "--trigger", "v3",
			"--claims", "tenant_id=custom:tenant_id,email=email",
		}
		for _, option := range laterOptions() {
			another := option.Choices[1].Value
			w.Sees("┃ " + option.Question)
			w.Types(keyDown)
			if option.IsSwitch() {
				w.Sees("> yes")
			} else {
				w.Sees("> " + another)
			}
			w.Types(keyEnter)
			flags = append(flags, "--"+option.Key, another)
		}
		w.Sees("┃ Make it?", "golam new asked --name tokens")
		w.Types(keyEnter)
		w.Ends(0)
		w.UntilOutput("telling what was made", func(output string) bool { return strings.Contains(output, "asked: made") })

		// The command that it printed can be pasted, and makes the same.
		_, printed, found := strings.Cut(strings.ReplaceAll(w.Output(), "\r\n", "\n"), "The same again:\n")
		printed, _, ended := strings.Cut(printed, "\n\n")
		if !found || !ended || !strings.Contains(printed, "\\\n") {
			t.Fatalf("printed %q", printed)
		}
		pasted := exec.CommandContext(t.Context(), "sh")
		pasted.Stdin = strings.NewReader("golam() { '" + golam + "' \"$@\" --no-git; }\n" + printed + "\n")
		pasted.Dir = filepath.Join(folder, "pasted")
		if err := os.Mkdir(pasted.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if output, err := pasted.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, printed, output)
		}
		compare(t, files(t, filepath.Join(pasted.Dir, "asked")), files(t, filepath.Join(folder, "asked")))

		undisturbed(t, golam, flags)
		compare(t, files(t, filepath.Join(folder, "asked")), files(t, filepath.Join(folder, "flags")))
	}
	t.Logf("%d times the same tree", runs)
}

// TestStoppedWizardLeavesNothing stops golam at a question.
func TestStoppedWizardLeavesNothing(t *testing.T) {
	golam := program(t)
	for name, stop := range map[string]func(*ptytest.Terminal){
		"Ctrl-C":  func(w *ptytest.Terminal) { w.Types(keyCtrlC) },
		"SIGTERM": func(w *ptytest.Terminal) { w.Signal(syscall.SIGTERM) },
		"SIGINT":  func(w *ptytest.Terminal) { w.Signal(os.Interrupt) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			w := prompt(t, golam, folder, "new", "demo")
			w.Sees("┃ What is the project called?")
			stop(w)
			w.Ends(130)
			if left := names(t, folder); len(left) > 0 {
				t.Errorf("it leaves %q", left)
			}
		})
	}
}
