//go:build unix

// Package ptytest runs programs on a pseudo-terminal for tests, and shows the screen that their users see. It waits for what is drawn and
// never for time to pass.
package ptytest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/term"
)

// patience is how long something may take to appear on the screen of a busy machine.
const patience = 30 * time.Second

// Terminal is a program on a terminal of its own.
type Terminal struct {
	t             *testing.T
	master, slave *os.File
	command       *exec.Cmd
	before        *term.State

	mu      sync.Mutex
	screen  *vt.Emulator
	written bytes.Buffer
	drawn   chan struct{} // closed and replaced whenever something is drawn
}

// Start runs a command on a new terminal. It is killed at the end of the test.
func Start(t *testing.T, columns, lines int, command *exec.Cmd) *Terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	w := &Terminal{
		t: t, master: master, slave: slave, command: command,
		screen: vt.NewEmulator(max(columns, 1), max(lines, 1)), drawn: make(chan struct{}),
	}
	w.setSize(columns, lines)
	if w.before, err = term.GetState(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(w.draw)
	group.Go(func() { _, _ = io.Copy(master, w.screen) }) // what the terminal answers to queries, while there is somebody to hear it
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_, _ = slave.Close(), master.Close()
		_ = w.screen.InputPipe().(io.Closer).Close()
		group.Wait()
	})
	return w
}

// draw feeds what the program writes to the screen.
func (w *Terminal) draw() {
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

// Until waits until the screen is as wanted, and returns it. What names the wish in the failure.
func (w *Terminal) Until(what string, ready func(screen string) bool) string {
	w.t.Helper()
	return w.wait(what, func() (string, bool) { screen := w.screen.String(); return screen, ready(screen) })
}

// UntilOutput waits until everything that the program wrote so far is as wanted, and returns it.
func (w *Terminal) UntilOutput(what string, ready func(output string) bool) string {
	w.t.Helper()
	return w.wait(what, func() (string, bool) { output := w.written.String(); return output, ready(output) })
}

func (w *Terminal) wait(what string, ready func() (string, bool)) string {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		text, ok := ready()
		drawn := w.drawn
		w.mu.Unlock()
		if ok {
			return text
		}
		select {
		case <-drawn:
		case <-timeout:
			w.t.Fatalf("%s does not happen; the screen is\n%s", what, w.Screen())
		}
	}
}

// Sees waits until every text is on the screen.
func (w *Terminal) Sees(texts ...string) string {
	w.t.Helper()
	return w.Until(fmt.Sprintf("seeing %q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// Types sends keys.
func (w *Terminal) Types(keys ...string) {
	w.t.Helper()
	if _, err := w.master.WriteString(strings.Join(keys, "")); err != nil {
		w.t.Fatal(err)
	}
}

// Resize changes the size of the terminal's window.
func (w *Terminal) Resize(columns, lines int) {
	w.t.Helper()
	w.mu.Lock()
	w.screen.Resize(columns, lines)
	w.mu.Unlock()
	w.setSize(columns, lines)
}

func (w *Terminal) setSize(columns, lines int) {
	w.t.Helper()
	if err := pty.Setsize(w.master, &pty.Winsize{Cols: uint16(columns), Rows: uint16(lines)}); err != nil {
		w.t.Fatal(err)
	}
}

// Signal sends a signal to the program.
func (w *Terminal) Signal(signal os.Signal) {
	w.t.Helper()
	if err := w.command.Process.Signal(signal); err != nil {
		w.t.Fatal(err)
	}
}

// Ends waits for the end of the program, and checks its exit code and that it leaves the terminal as it was.
func (w *Terminal) Ends(code int) {
	w.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = w.command.Process.Kill() })
	err := w.command.Wait()
	if !timer.Stop() {
		w.t.Fatalf("the program does not end; the screen is\n%s", w.Screen())
	}
	if got := w.command.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("exit code %d (%v), not %d; the screen is\n%s", got, err, code, w.Screen())
	}
	w.Until("giving the terminal back", func(string) bool { return !w.screen.IsAltScreen() && !w.screen.CursorHidden() })
	after, err := term.GetState(int(w.slave.Fd()))
	if err != nil {
		w.t.Fatal(err)
	}
	if *after != *w.before {
		w.t.Errorf("the terminal's state is %+v, not %+v as before", after, w.before)
	}
}

// Screen is what is on the screen now.
func (w *Terminal) Screen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.screen.String()
}

// Output is everything that the program wrote so far.
func (w *Terminal) Output() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written.String()
}
