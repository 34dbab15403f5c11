// Package testkit holds what the tests of several packages need: files and modules in temporary folders, commands, waiting, and finding
// what a test leaves behind.
//
// What belongs here: helpers that two packages use and that know nothing of either. What does not belong here: helpers of one package, which
// stay in its main_test.go, and golden projects.
package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Patience is how long a test waits for something that must happen.
const Patience = time.Minute

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(Patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			buf := make([]byte, 1<<20)
			t.Fatalf("not so after %s: %s\n%s", Patience, what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// Leftovers remembers how many goroutines there are. The function that it returns waits until there are no more than that, and no process
// with an environment variable, "KEY=value".
func Leftovers(t testing.TB, variable string) (wait func()) {
	goroutines := runtime.NumGoroutine()
	return func() {
		t.Helper()
		Eventually(t, "no process is left", func() bool { return !HasProcess(variable) })
		Eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	}
}

// Slow skips a test if only short ones are wanted.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes a second or more")
	}
}

// RunWithFolder runs the tests of a package with a temporary folder that they share, for its TestMain.
func RunWithFolder(m *testing.M, folder *string) (exitCode int, err error) {
	if *folder, err = os.MkdirTemp("", "golam-test-"); err != nil {
		return 1, err
	}
	exitCode = m.Run()
	return exitCode, os.RemoveAll(*folder)
}

// Write writes a file, and makes the folders above it.
func Write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Read returns the content of a file.
func Read(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Remove removes a file or a folder.
func Remove(t testing.TB, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// Folder writes files into a temporary folder, by path, and returns the folder without symbolic links.
func Folder(t testing.TB, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		Write(t, filepath.Join(root, filepath.FromSlash(name)), content)
	}
	return root
}

// LambdaModule is [Folder] with a go.mod and a go.sum for the module example.com/shop, which requires aws-lambda-go. It is for packages
// beside this one.
func LambdaModule(t testing.TB, files map[string]string) string {
	t.Helper()
	root := Folder(t, map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.55.1\n",
		"go.sum": Read(t, filepath.Join("..", "local", "testdata", "functions", "go.sum")),
	})
	for name, content := range files {
		Write(t, filepath.Join(root, filepath.FromSlash(name)), content)
	}
	return root
}

// Run runs a program in a folder, with environment variables on top of this process's own, and returns what it prints.
func Run(t testing.TB, dir string, environ []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), environ...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return string(output)
}

// ErrorSays checks that there is an error, and that its message has certain texts.
func ErrorSays(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q, want it to say %q", err, text)
		}
	}
}

// HasProcess reports whether a process has an environment variable, "KEY=value". It finds none where [Processes] does not.
func HasProcess(variable string) bool { return len(Processes(variable)) > 0 }
