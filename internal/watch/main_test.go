package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/local"
)

// patience is how long a test waits for what is bound to happen.
const patience = time.Minute

// makeProject writes a module with a function called hello, and returns its folder. Files change or add to it; "" leaves a file out.
func makeProject(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"go.mod":            goMod,
		"go.sum":            read(t, filepath.Join("..", "local", "testdata", "functions", "go.sum")),
		"cmd/hello/main.go": function(`text.Text`),
		"text/text.go":      textGo("one"),
	}
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		if content != "" {
			write(t, filepath.Join(root, name), content)
		}
	}
	return root
}

const goMod = "module example.com/shop\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.55.1\n"

// function is a main package whose answer is a Go expression.
func function(expression string) string {
	return fmt.Sprintf(`package main

import (
	"encoding/json"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"example.com/shop/text"
)

var _, _, _ = os.Getenv, time.Now, text.Text

func main() {
	lambda.Start(func(event json.RawMessage) (any, error) { return %s, nil })
}
`, expression)
}

func textGo(text string) string { return fmt.Sprintf("package text\n\nconst Text = %q\n", text) }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// command runs a program in a folder.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return string(output)
}

// watched is a session under test that leaves nothing behind.
type watched struct {
	*Session
	t    *testing.T
	root string
	mark string // an environment variable, "KEY=value", that only its functions have

	mu     sync.Mutex
	events []Event
	told   chan struct{} // closed and replaced with each event
}

// start watches a project. At the end of the test it looks for leftovers.
func start(t *testing.T, root string, change ...func(*Options)) *watched {
	t.Helper()
	goroutines := runtime.NumGoroutine()
	w := &watched{t: t, root: root, mark: fmt.Sprintf("GOLAM_TEST=%s-%d", filepath.Base(root), time.Now().UnixNano()), told: make(chan struct{})}
	key, value, _ := strings.Cut(w.mark, "=")
	options := Options{
		Dir: root, Cache: t.TempDir(), Environ: os.Environ(), Address: "127.0.0.1:0", Env: map[string]string{key: value}, Timeout: 10 * time.Second,
		Events: func(e Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
			close(w.told)
			w.told = make(chan struct{})
		},
	}
	for _, c := range change {
		c(&options)
	}
	var err error
	if w.Session, err = Start(context.Background(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if t.Failed() {
			for _, e := range w.all() {
				line, _ := json.Marshal(e)
				t.Logf("%s", line)
			}
		}
		eventually(t, "no process is left", func() bool { return !anyProcess(w.mark) })
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
		if _, err := os.Stat(w.live.Dir()); err == nil {
			t.Error("builds are left in the cache")
		}
	})
	return w
}

func (w *watched) all() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// sees waits for an event, among those that there are already too.
func (w *watched) sees(what string, is func(Event) bool) Event {
	w.t.Helper()
	return w.seesFrom(0, what, is)
}

func (w *watched) seesFrom(first int, what string, is func(Event) bool) Event {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		for _, e := range w.events[first:] {
			if is(e) {
				w.mu.Unlock()
				return e
			}
		}
		first = len(w.events)
		told := w.told
		w.mu.Unlock()
		select {
		case <-told:
		case <-timeout:
			w.t.Fatalf("not seen within %s: %s", patience, what)
		}
	}
}

func (w *watched) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events)
}

// write saves a file of the project.
func (w *watched) write(name, content string) {
	w.t.Helper()
	write(w.t, filepath.Join(w.root, name), content)
}

// settle waits until what has been saved is served, if it builds.
func (w *watched) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := w.Settle(ctx, ""); err != nil {
		w.t.Fatalf("settle: %v", err)
	}
}

func (w *watched) invoke(function string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	result, err := w.Invoke(ctx, function, local.Invocation{Payload: []byte(`{}`)})
	return string(result.Payload), err
}

// answers checks what a function answers, as it is served now.
func (w *watched) answers(function, want string) {
	w.t.Helper()
	if got, err := w.invoke(function); err != nil || got != want {
		w.t.Fatalf("%s answers %s, %v; want %s", function, got, err, want)
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			buf := make([]byte, 1<<20)
			t.Fatalf("not so after %s: %s\n%s", patience, what, buf[:runtime.Stack(buf, true)])
		}
	}
}
