//go:build unix

package wizard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/wizard"
)

// patience is how long something may take to appear on a screen of a busy machine.
const patience = 30 * time.Second

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
	Plain      bool   // no colour
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
		In: os.Stdin, Out: os.Stdout, Dir: asked.Dir, Given: asked.Given, Accessible: asked.Accessible, Colour: !asked.Plain,
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
	command := append([]string{"golam", "new", spec.Name}, spec.Flags()...)
	summary := wizard.Summary{Dir: spec.Name, Command: strings.Join(append(command, "--yes"), " ")}
	for _, file := range tree {
		summary.Files = append(summary.Files, file.Path)
	}
	return summary, nil
}

// terminal is a wizard on a pseudo-terminal, and the screen that its user sees.
type terminal struct {
	t              *testing.T
	master, slave  *os.File
	command        *exec.Cmd
	answers        string
	before         *term.State
	mu             sync.Mutex
	screen         *vt.Emulator
	written        bytes.Buffer
	read           int           // how much of it was waited for
	drawn          chan struct{} // closed and replaced whenever something is drawn
	columns, lines int
}

// start runs a wizard on a new terminal.
func start(t *testing.T, columns, lines int, asked asked) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	w := &terminal{
		t: t, master: master, slave: slave, screen: vt.NewEmulator(max(columns, 1), max(lines, 1)), drawn: make(chan struct{}),
		columns: columns, lines: lines, answers: filepath.Join(t.TempDir(), "answers.json"),
	}
	if err := pty.Setsize(master, &pty.Winsize{Cols: uint16(columns), Rows: uint16(lines)}); err != nil {
		t.Fatal(err)
	}
	if w.before, err = term.GetState(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	asked.Answers = w.answers
	config, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.command = exec.CommandContext(t.Context(), program)
	w.command.Env = append(os.Environ(), childVariable+"="+string(config), "TERM=xterm-256color", "NO_COLOR=")
	w.command.Stdin, w.command.Stdout, w.command.Stderr = slave, slave, slave
	w.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(w.draw)
	group.Go(func() { io.Copy(master, w.screen) }) //nolint:errcheck // what the terminal answers to queries, while there is somebody to hear it
	t.Cleanup(func() {
		_ = w.command.Process.Kill()
		_ = w.command.Wait()
		slave.Close()
		master.Close()
		w.screen.InputPipe().(io.Closer).Close()
		group.Wait()
	})
	return w
}

// draw feeds what the wizard writes to the screen.
func (w *terminal) draw() {
	buffer := make([]byte, 4096)
	for {
		n, err := w.master.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.written.Write(buffer[:n])
		_, _ = w.screen.Write(buffer[:n])
		close(w.drawn)
		w.drawn = make(chan struct{})
		w.mu.Unlock()
	}
}

// until waits until the screen is as wanted.
func (w *terminal) until(what string, ready func(screen string) bool) string {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		screen, drawn := w.screen.String(), w.drawn
		ok := ready(screen)
		w.mu.Unlock()
		if ok {
			return screen
		}
		select {
		case <-drawn:
		case <-timeout:
			w.t.Fatalf("%s does not happen; the screen is\n%s", what, screen)
		}
	}
}

// sees waits until every text is on the screen.
func (w *terminal) sees(texts ...string) string {
	w.t.Helper()
	return w.until(fmt.Sprintf("seeing %q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// asks waits until the question that begins so has the focus.
func (w *terminal) asks(question string) string {
	w.t.Helper()
	return w.sees("┃ " + question)
}

// types sends keys.
func (w *terminal) types(keys ...string) {
	w.t.Helper()
	if _, err := w.master.WriteString(strings.Join(keys, "")); err != nil {
		w.t.Fatal(err)
	}
}

// resize changes the size of the terminal's window.
func (w *terminal) resize(columns, lines int) {
	w.t.Helper()
	w.mu.Lock()
	w.screen.Resize(columns, lines)
	w.mu.Unlock()
	if err := pty.Setsize(w.master, &pty.Winsize{Cols: uint16(columns), Rows: uint16(lines)}); err != nil {
		w.t.Fatal(err)
	}
}

// ends waits for the wizard's end and checks its exit code, that the terminal is as it was, and what it answered.
func (w *terminal) ends(code int) generator.Answers {
	w.t.Helper()
	err := w.command.Wait()
	if got := w.command.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("exit code %d (%v), not %d; the screen is\n%s", got, err, code, w.screenNow())
	}
	w.until("giving the terminal back", func(string) bool { return !w.screen.IsAltScreen() && !w.screen.CursorHidden() })
	after, err := term.GetState(int(w.slave.Fd()))
	if err != nil {
		w.t.Fatal(err)
	}
	if *after != *w.before {
		w.t.Errorf("the terminal's state is %+v, not %+v as before", after, w.before)
	}
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

func (w *terminal) screenNow() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.screen.String()
}

// output is everything that the wizard wrote so far.
func (w *terminal) output() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.String()
}
