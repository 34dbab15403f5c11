package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/counts"
)

var update = flag.Bool("update", false, "write the documentation instead of comparing it")

const hostilePath = "../docs/hostile-input.md"

// hostile is one row of docs/hostile-input.md: bad input, and what it gets.
type hostile struct {
	input string // as the document tells it
	args  []string
	stdin func(t *testing.T) io.Reader // nil is /dev/null
	// prepare makes the folder in which golam runs hostile. Whatever it returns is called in the end.
	prepare func(t *testing.T, folder string) func()
	// endless makes stdin a pipe that never ends.
	endless bool
	// signal is sent when golam reads the endless pipe.
	signal os.Signal
	exit   int
	says   string // part of standard error, or of standard output where the exit code is 0
	linux  bool   // needs Linux and root
}

const bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"

func hostileRows() []hostile {
	text := func(content string) func(*testing.T) io.Reader {
		return func(*testing.T) io.Reader { return strings.NewReader(content) }
	}
	name := func(input, name, says string) hostile {
		return hostile{input: "the name " + input, args: []string{"new", "--name", name}, exit: 2, says: says}
	}
	module := func(path, says string) hostile {
		return hostile{input: "the module path `" + path + "`", args: []string{"new", "demo", "--module", path}, exit: 2, says: says}
	}
	answers := func(input, content, says string) hostile {
		return hostile{input: "answers: " + input, args: []string{"new", "demo", "--answers", "-"}, stdin: text(content), exit: 2, says: says}
	}
	return []hostile{
		{input: "no terminal and no answers", args: []string{"new", "demo"}, exit: 2, says: "nobody to ask"},
		{input: "an empty standard input, no answers", args: []string{"new", "demo"}, stdin: text(""), exit: 2, says: "nobody to ask"},
		{input: "a pipe that never ends, no `--answers -` (it is not read)", args: []string{"new", "demo"}, endless: true, exit: 2, says: "nobody to ask"},
		{input: "a pipe that never ends and defaults (it is not read)", args: []string{"new", "demo", "--yes"}, endless: true, exit: 0, says: "made"},
		{
			input: "a pipe that never ends, `--answers -`, then Ctrl-C", args: []string{"new", "demo", "--answers", "-"},
			endless: true, signal: os.Interrupt, exit: 130, says: "interrupted",
		},
		{
			input: "the same, then SIGTERM", args: []string{"new", "demo", "--answers", "-"},
			endless: true, signal: syscall.SIGTERM, exit: 130, says: "interrupted",
		},
		{
			input: "a pipe without end that goes on sending, `--answers -`", args: []string{"new", "demo", "--answers", "-"},
			stdin: func(*testing.T) io.Reader { return zeros{} }, exit: 2, says: "larger than 1048576 bytes",
		},
		{input: "a closed standard input, `--answers -`", args: []string{"new", "demo", "--answers", "-"}, stdin: closed, exit: 2, says: "cannot be read"},
		{input: "`/dev/null`, `--answers -`", args: []string{"new", "demo", "--answers", "-"}, exit: 2, says: "the answers are empty"},
		answers("empty", "", "the answers are empty"),
		answers("not YAML", "name: [", "not YAML"),
		answers("binary", "\x00\xff\xfe", "not YAML"),
		answers("a list", "- a\n", "not a mapping"),
		answers("10 MB", strings.Repeat("# comment\n", 1<<20), "larger than 1048576 bytes"),
		answers("an alias bomb", bomb, "unknown option"),
		answers("an alias", "name: &a demo\nmodule: *a\n", "not a single value"),
		answers("a key twice", "name: a\nname: b\n", "given twice"),
		answers("wrong types", "name: [a]\ntrigger: {b: c}\narch: null\n", "not a single value"),
		answers("an unknown key", "triger: v1\n", "did you mean trigger?"),
		answers("an unknown choice", "trigger: v9\n", "did you mean v"),
		answers("two documents", "name: a\n---\nname: b\n", "more than one"),
		answers("of a newer schema", "schema: 3\n", "a newer golam wrote schema 3"),
		answers("schema 2 without functions", "schema: 2\nname: demo\n", "name at least one"),
		answers("a function of an unknown kind", "functions: {a: {kind: cognito}}\n", "did you mean cognito-token?"),
		answers("two functions of one name", "functions: {a: {}, a: {}}\n", "two functions are called a"),
		answers("two functions with one Go package", "functions: {a-b: {}, ab: {}}\n", "would share the Go package ab"),
		answers("a function with the name of a Go keyword", "functions: {select: {}}\n", "a keyword of Go"),
		answers("a function with a name that Lambda refuses", "functions: {'a/../b': {}}\n", "not a function name"),
		answers("more memory than Lambda has", "functions: {a: {memory: 10241}}\n", "use 128 to 10240"),
		answers("a timeout longer than Cognito waits", "functions: {a: {timeout: 6}}\n", "because Cognito waits 5 s"),
		answers("10,000 functions", "functions:\n"+strings.Repeat("  a: {}\n", 10_000), "two functions are called a"),
		{input: "answers: a file that does not exist", args: []string{"new", "demo", "--answers", "absent.yaml"}, exit: 2, says: "cannot be read"},
		{input: "answers: a folder", args: []string{"new", "demo", "--answers", "."}, exit: 2, says: "cannot be read"},
		{input: "an unknown flag", args: []string{"new", "demo", "--triger", "v1"}, exit: 2, says: "did you mean --trigger?"},
		{input: "an unknown command", args: []string{"nwe"}, exit: 2, says: "did you mean new?"},
		{input: "an unknown command with flags of the one that was meant", args: []string{"nwe", "demo", "--yes"}, exit: 2, says: "did you mean new?"},
		{input: "an unknown choice", args: []string{"new", "demo", "--arch", "arm46"}, exit: 2, says: "did you mean arm64?"},
		{input: "two folders", args: []string{"new", "a", "b", "--yes"}, exit: 2, says: "takes one folder"},
		{input: "a claim that Cognito sets itself", args: []string{"new", "demo", "--claims", "sub=email"}, exit: 2, says: "lets nobody change it"},
		{input: "several mistakes at once", args: []string{"new", "A B", "--trigger", "x", "--claims", "y"}, exit: 2, says: "--claims"},
		name("`../../evil`", "../../evil", "lower case letters"),
		name("`/etc/x`", "/etc/x", "lower case letters"),
		name("`CON`", "CON", "lower case letters"),
		name("`con`", "con", "a device"),
		name("`aws`, whose events would seem to come from AWS", "aws", "those of AWS"),
		name("`a b`", "a b", "lower case letters"),
		name("`.git`", ".git", "lower case letters"),
		name("`-rf`", "-rf", "lower case letters"),
		name("of an emoji", "😀", "lower case letters"),
		name("of 300 characters", strings.Repeat("a", 300), "40 are allowed"),
		name("with a dot at its end", "demo.", "lower case letters"),
		name("with a line feed", "demo\nx", "lower case letters"),
		{input: "the folder `.git`", args: []string{"new", ".git", "--yes"}, exit: 2, says: "lower case letters"},
		{input: "the folder `-rf`, after `--`", args: []string{"new", "--yes", "--", "-rf"}, exit: 2, says: "lower case letters"},
		module("../evil", "not a module path"),
		module("no spaces/x", "not a module path"),
		module("nodot/x", "not a module path"),
		module("example.com/con", "not a module path"),
		module("github.com/aws/aws-lambda-go", "depends on"),
		{
			input: "a target that holds something", args: []string{"new", "demo", "--yes"}, exit: 2, says: "not empty",
			prepare: func(t *testing.T, folder string) func() {
				put(t, filepath.Join(folder, "demo", "mine.txt"), "mine")
				return nil
			},
		},
		{
			input: "a target that is a file", args: []string{"new", "demo", "--yes"}, exit: 2, says: "not a folder",
			prepare: func(t *testing.T, folder string) func() { put(t, filepath.Join(folder, "demo"), "mine"); return nil },
		},
		{
			input: "a target that is a symbolic link", args: []string{"new", "demo", "--yes"}, exit: 2, says: "symbolic link",
			prepare: func(t *testing.T, folder string) func() {
				put(t, filepath.Join(folder, "outside", "mine.txt"), "mine")
				link(t, "outside", filepath.Join(folder, "demo"))
				return nil
			},
		},
		{
			input: "a link inside the target that leads out, `--overwrite`", args: []string{"new", "demo", "--yes", "--overwrite"}, exit: 2,
			says: "cmd is a symbolic link",
			prepare: func(t *testing.T, folder string) func() {
				put(t, filepath.Join(folder, "outside", "mine.txt"), "mine")
				put(t, filepath.Join(folder, "demo", "mine.txt"), "mine")
				link(t, filepath.Join("..", "outside"), filepath.Join(folder, "demo", "cmd"))
				return nil
			},
		},
		{
			input: "a file where a folder is wanted, `--overwrite`", args: []string{"new", "demo", "--yes", "--overwrite"}, exit: 2,
			says: "internal is a file, and a folder is wanted",
			prepare: func(t *testing.T, folder string) func() {
				put(t, filepath.Join(folder, "demo", "internal"), "mine")
				return nil
			},
		},
		{
			input: "a target below a file", args: []string{"new", "file/demo", "--yes"}, exit: 2, says: "not a folder",
			prepare: func(t *testing.T, folder string) func() { put(t, filepath.Join(folder, "file"), "mine"); return nil },
		},
		{
			input: "a read-only file system", args: []string{"new", "mount/demo", "--yes"}, exit: 1, says: "read-only", linux: true,
			prepare: func(t *testing.T, folder string) func() { return mount(t, filepath.Join(folder, "mount"), "ro") },
		},
		{
			input: "a full file system", args: []string{"new", "mount/demo", "--yes"}, exit: 1, says: "no space left", linux: true,
			prepare: func(t *testing.T, folder string) func() { return mount(t, filepath.Join(folder, "mount"), "size=16k") },
		},
		{
			input: "a target that holds only `.git` (allowed)", args: []string{"new", "demo", "--yes"}, exit: 0, says: "made",
			prepare: func(t *testing.T, folder string) func() {
				if err := os.MkdirAll(filepath.Join(folder, "demo", ".git"), 0o755); err != nil {
					t.Fatal(err)
				}
				return nil
			},
		},
		{input: "git without `user.name` (the project is made, no commit)", args: []string{"new", "demo", "--yes"}, exit: 0, says: "user.name"},
	}
}

// TestHostileInput runs the real program on every row, and finds that it ends, says one clear thing, and loses nothing.
func TestHostileInput(t *testing.T) {
	golam := program(t)
	ran := 0
	for _, row := range hostileRows() {
		t.Run(row.input, func(t *testing.T) {
			if row.linux && (runtime.GOOS != "linux" || os.Getuid() != 0) {
				t.Skip("mounting a file system takes Linux and root")
			}
			ran++
			folder := t.TempDir()
			if row.prepare != nil {
				if undo := row.prepare(t, folder); undo != nil {
					defer undo()
				}
			}
			before := files(t, folder)
			code, out := runHostile(t, golam, folder, row)
			if code != row.exit {
				t.Errorf("exit code %d, want %d", code, row.exit)
			}
			if !strings.Contains(out, row.says) {
				t.Errorf("it does not say %q", row.says)
			}
			if strings.Contains(out, "goroutine ") || strings.Contains(out, "panic") {
				t.Error("there is a stack trace")
			}
			if len(out) > 4000 {
				t.Errorf("it says %d bytes", len(out))
			}
			if row.exit != 0 {
				compare(t, files(t, folder), before)
			}
			after := files(t, folder)
			for path, content := range before {
				if is, there := after[path]; !there || !bytes.Equal(is, content) {
					t.Errorf("%s is lost", path)
				}
			}
			if t.Failed() {
				t.Logf("golam %q:\n%s", row.args, out)
			}
		})
	}
	counts.Report(t, "%d rows of hostile input", ran)
}

func runHostile(t *testing.T, golam, folder string, row hostile) (code int, output string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // a guard against a hang, nothing is measured
	defer cancel()
	command := exec.CommandContext(ctx, golam, row.args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "HOME="+folder, "XDG_CONFIG_HOME="+folder, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=", "GIT_AUTHOR_EMAIL=", "GIT_COMMITTER_NAME=", "GIT_COMMITTER_EMAIL=", "EMAIL=")
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	var sent func()
	switch {
	case row.stdin != nil:
		command.Stdin = row.stdin(t)
	case row.endless:
		command.Stdin, sent = openPipe(t)
	}
	command.WaitDelay = time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if row.signal != nil {
		sent()
		if err := command.Process.Signal(row.signal); err != nil {
			t.Fatal(err)
		}
	}
	err := command.Wait()
	if ctx.Err() != nil {
		t.Fatal("it hangs")
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), said.String()
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatal(err)
	}
	return 0, said.String()
}

// openPipe returns the end of a pipe that nobody ever closes while the test runs. What is sent through it is more than it holds, so that
// sent ends when golam has begun to read.
func openPipe(t *testing.T) (read *os.File, sent func()) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	return read, func() {
		if _, err := write.WriteString("name: demo\n" + strings.Repeat("# a comment\n", 10_000)); err != nil {
			t.Error(err)
		}
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) {
	clear(buffer)
	return len(buffer), nil
}

// closed is a standard input that golam finds closed for reading.
func closed(t *testing.T) io.Reader {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(t.TempDir(), "write-only"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// mount mounts a temporary file system with the options.
func mount(t *testing.T, path, options string) func() {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", options, "tmpfs", path).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s", err, output)
	}
	return func() {
		if output, err := exec.Command("umount", path).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, output)
		}
	}
}

// TestHostileInputIsDocumented keeps the table in docs/ at what the rows say.
func TestHostileInputIsDocumented(t *testing.T) {
	var want bytes.Buffer
	want.WriteString(`# Hostile input

` + "`make golden`" + ` writes this page from the rows of ` + "`TestHostileInput` in `cmd/hostile_test.go`" + `, which runs each of them with the real program. golam
writes nothing and loses nothing, except where the exit code is 0 and it did what was asked.

| input | exit code | part of what golam says |
| --- | --- | --- |
`)
	for _, row := range hostileRows() {
		fmt.Fprintf(&want, "| %s | %d | %s |\n", row.input, row.exit, row.says)
	}
	if *update {
		if err := os.WriteFile(hostilePath, want.Bytes(), 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(hostilePath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the rows say: run make golden", hostilePath)
	}
}
