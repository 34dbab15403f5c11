package cmd_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/golam-cli/golam/internal/testkit"
)

// goCaches lets the go command of a script find what is built and downloaded already, although its home is another.
func goCaches(env *testscript.Env) error {
	cache, modules, err := goFolders()
	if err == nil {
		env.Setenv("GOCACHE", cache)
		env.Setenv("GOMODCACHE", modules)
	}
	return err
}

func goFolders() (cache, modules string, err error) {
	output, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	cache, modules, _ = strings.Cut(strings.TrimSpace(string(output)), "\n")
	return cache, strings.TrimSpace(modules), err
}

// TestInterrupted interrupts golam while a function runs and while it is built: golam exits with 130, and no process is left.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds golam and a function")
	}
	if runtime.GOOS != "linux" {
		t.Skip("it looks for processes in /proc")
	}
	golam := program(t)
	const official = "../internal/local/testdata/functions"
	mark := "GOLAM_TEST_INTERRUPTED=" + t.TempDir()
	goCache, _, err := goFolders()
	if err != nil {
		t.Fatal(err)
	}
	baseline := filepath.Join(t.TempDir(), "baseline.json")
	const anotherProcess = "of the function"
	tests := map[string]struct {
		args   []string
		signal os.Signal
		wait   string // a line on standard error after which golam is interrupted, or anotherProcess
	}{
		"while the function runs": {
			args:   []string{"invoke", "--data", "{}", "--env", "_HANDLER=hang", "--env", mark, "--timeout", "1m"},
			signal: os.Interrupt, wait: "hanging",
		},
		"terminated": {
			args:   []string{"invoke", "--data", "{}", "--env", "_HANDLER=hang", "--env", mark, "--timeout", "1m"},
			signal: syscall.SIGTERM, wait: "hanging",
		},
		"while it reads an event": {args: []string{"invoke", "--event", "-", "--env", mark}, signal: os.Interrupt},
		"while it measures": {
			args:   []string{"bench", "official", "--data", "{}", "--env", "_HANDLER=hang", "--env", mark, "--timeout", "1m", "--save", baseline},
			signal: os.Interrupt, wait: anotherProcess,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), golam, test.args...)
			command.Dir = official
			command.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "GOCACHE="+goCache, mark)
			input, err := command.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer input.Close()
			errs, err := command.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(errs)
			for test.wait == anotherProcess && len(testkit.Processes(mark)) < 2 {
				time.Sleep(10 * time.Millisecond)
			}
			for test.wait != "" && test.wait != anotherProcess {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				if strings.TrimSpace(line) == test.wait {
					break
				}
			}
			if test.wait == "" {
				// It has begun to read when it has taken something.
				if _, err := io.WriteString(input, strings.Repeat(" ", 1<<17)); err != nil {
					t.Fatal(err)
				}
			}
			if err := command.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(lines)
			if err != nil {
				t.Fatal(err)
			}
			err = command.Wait()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
				t.Errorf("%v, want exit code 130:\n%s", err, rest)
			}
			if !strings.Contains(string(rest), "interrupted, nothing is left behind") {
				t.Errorf("it says %q", rest)
			}
			if left := testkit.Processes(mark); len(left) > 0 {
				t.Errorf("processes %d are left", left)
			}
			if left, err := os.ReadDir(filepath.Dir(baseline)); err != nil || len(left) > 0 {
				t.Errorf("of an interrupted measurement %v is left: %v", left, err)
			}
		})
	}
}
