//go:build unix

package cmd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/ptytest"
)

// watchPatience is how long the tests of golam watch wait for what is bound to happen.
const watchPatience = time.Minute

// watchable is a copy of a golden project, and the environment to run golam in, with an empty cache of its own.
func watchable(t *testing.T) (root string, environ []string, mark string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds golam and a function")
	}
	root = t.TempDir()
	if err := os.CopyFS(root, os.DirFS("../golden/sam")); err != nil {
		t.Fatal(err)
	}
	goCache, modules, err := goFolders()
	if err != nil {
		t.Fatal(err)
	}
	mark = "GOLAM_TEST_WATCH=" + root
	environ = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "HOME="+t.TempDir(), "GOCACHE="+goCache, "GOMODCACHE="+modules,
		"TERM=xterm-256color", "CI=", "GOLAM_NO_PROMPT=", "ACCESSIBLE=", "NO_COLOR=", mark)
	return root, environ, mark
}

const policy = "internal/tokencustomizer/policy.go"

// save adds to a file of the project.
func save(t *testing.T, root, name, more string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err == nil {
		err = os.WriteFile(filepath.Join(root, name), append(content, more...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWatchScreen drives the real program on terminals of several sizes, down to one of 20 columns.
func TestWatchScreen(t *testing.T) {
	golam := program(t)
	for name, stop := range map[string]struct {
		columns, lines int
		end            func(*ptytest.Terminal)
		code           int
	}{
		"q":       {80, 24, func(w *ptytest.Terminal) { w.Types("q") }, 0},
		"Ctrl-C":  {120, 40, func(w *ptytest.Terminal) { w.Types(keyCtrlC) }, 130},
		"SIGTERM": {80, 24, func(w *ptytest.Terminal) { w.Signal(syscall.SIGTERM) }, 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, environ, mark := watchable(t)
			command := exec.CommandContext(t.Context(), golam, "watch", "--address", "127.0.0.1:0", "--env", strings.SplitN(mark, "=", 2)[0])
			command.Dir, command.Env = root, environ
			w := ptytest.Start(t, stop.columns, stop.lines, command)
			w.Sees("golam watch: "+filepath.Base(root), "token-customizer  ready", "last build", "i invoke")
			w.Types("i")
			w.Sees("> authenticate-device", "enter invoke")
			w.Types("tication")
			w.Sees("> authentication")
			w.Types(keyEnter)
			w.Sees("cold, init", "of 256 MB", "INFO tokens customized", "1 invocation")
			w.Types("l")
			w.Until("the logs going", func(screen string) bool { return !strings.Contains(screen, "INFO") })
			save(t, root, policy, "\nvar x int = \"y\"\n")
			w.Sees("broken, the last good build serves", policy, `cannot use "y"`)
			w.Resize(20, 6)
			w.Until("fitting into 20 columns", func(screen string) bool {
				return strings.Contains(screen, "golam watch") && !strings.Contains(screen, "the last good build")
			})
			w.Resize(1, 1)
			w.Resize(stop.columns, stop.lines)
			w.Sees("broken, the last good build serves")
			w.Types("c")
			w.Sees("nothing has happened yet")
			stop.end(w)
			w.Ends(stop.code)
			nothingLeft(t, mark)
		})
	}
}

// nothingLeft waits until no process has the environment variable.
func nothingLeft(t *testing.T, mark string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	for deadline := time.Now().Add(watchPatience); ; time.Sleep(5 * time.Millisecond) {
		left := 0
		entries, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, entry := range entries {
			if content, err := os.ReadFile(entry); err == nil && bytes.Contains(content, []byte(mark)) {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d processes are left", left)
		}
	}
}

// watchProcess is a golam watch without a terminal.
type watchProcess struct {
	*exec.Cmd
	t     *testing.T
	lines *bufio.Scanner
}

func startWatch(t *testing.T, golam, root string, environ []string, args ...string) *watchProcess {
	t.Helper()
	command := exec.CommandContext(t.Context(), golam, append([]string{"watch", "--address", "127.0.0.1:0", "--env", "GOLAM_TEST_WATCH"}, args...)...)
	command.Dir, command.Env, command.Stderr = root, environ, os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	return &watchProcess{command, t, bufio.NewScanner(out)}
}

// sees reads lines until one has the text. The test's own timeout bounds it.
func (w *watchProcess) sees(text string) string {
	w.t.Helper()
	for w.lines.Scan() {
		if strings.Contains(w.lines.Text(), text) {
			return w.lines.Text()
		}
	}
	w.t.Fatalf("it ends without %q", text)
	return ""
}

// TestWatchLines saves, invokes by golam invoke, which finds it by itself, and interrupts.
func TestWatchLines(t *testing.T) {
	golam := program(t)
	root, environ, mark := watchable(t)
	w := startWatch(t, golam, root, environ)
	w.sees("serving " + root + " at http://127.0.0.1:")
	w.sees("ready after")
	run := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), golam, args...)
		command.Dir, command.Env = root, environ
		var out, errs bytes.Buffer
		command.Stdout, command.Stderr = &out, &errs
		_ = command.Run()
		if got := command.ProcessState.ExitCode(); got != code {
			t.Fatalf("golam %v: exit code %d\n%s", args, got, errs.String())
		}
		return out.String(), errs.String()
	}
	// Saved and invoked at once: the answer is that of the new source.
	content, err := os.ReadFile(filepath.Join(root, policy))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, policy), bytes.Replace(content, []byte(`"plan"`), []byte(`"tier"`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := run(0, "invoke", "--example", "authentication")
	if !strings.Contains(stderr, "through the golam watch at http://127.0.0.1:") || !strings.Contains(stdout, `"tier"`) {
		t.Errorf("stdout %s\nstderr %s", stdout, stderr)
	}
	w.sees("changed: token-customizer")
	w.sees("token-customizer | {")
	w.sees(" of 256 MB (")
	if _, stderr = run(0, "invoke", "--example", "authentication", "--here"); strings.Contains(stderr, "golam watch") {
		t.Errorf("--here: %s", stderr)
	}
	run(2, "invoke", "nobody", "--data", "1")
	if _, stderr = run(1, "watch", "--address", "127.0.0.1:0"); !strings.Contains(stderr, "another golam watches "+root+" already") {
		t.Errorf("a second one: %s", stderr)
	}
	save(t, root, policy, "\nvar x int = \"y\"\n")
	if _, stderr = run(1, "invoke", "--example", "authentication"); !strings.Contains(stderr, "the project does not build, golam watch says") ||
		!strings.Contains(stderr, policy+":") {
		t.Errorf("broken: %s", stderr)
	}
	w.sees("broken; the last good build of token-customizer serves")
	w.sees("cannot use \"y\"")
	if err := w.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = w.Wait()
	if code := w.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	nothingLeft(t, mark)
}

// TestWatchJSON holds the stream of events to its form, and kills golam: no process is left, and the next one starts with what was built.
func TestWatchJSON(t *testing.T) {
	golam := program(t)
	root, environ, mark := watchable(t)
	for _, kinds := range [][]string{{"serving", "building", "built"}, {"serving", "built"}} {
		w := startWatch(t, golam, root, environ, "--output", "json")
		for _, kind := range kinds {
			if !w.lines.Scan() {
				t.Fatal("it ends")
			}
			var event struct {
				Time time.Time
				Type string
			}
			if err := json.Unmarshal(w.lines.Bytes(), &event); err != nil || event.Type != kind || event.Time.IsZero() {
				t.Errorf("%v, want %s: %s", err, kind, w.lines.Text())
			}
		}
		invoke := exec.CommandContext(t.Context(), golam, "invoke", "--example", "authentication", "--quiet")
		invoke.Dir, invoke.Env = root, environ
		if output, err := invoke.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if line := w.sees(`"type":"invocation"`); !strings.Contains(line, `"cold":true`) || !strings.Contains(line, `"response":{`) {
			t.Errorf("the invocation is %s", line)
		}
		if err := w.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = w.Wait()
		nothingLeft(t, mark)
	}
}
