package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/testkit"
)

// makeProject writes a module with a function called hello, and returns its folder. Files change or add to it; "" leaves a file out.
func makeProject(t *testing.T, files map[string]string) string {
	t.Helper()
	all := map[string]string{"cmd/hello/main.go": function(`text.Text`), "text/text.go": textGo("one")}
	maps.Copy(all, files)
	maps.DeleteFunc(all, func(_, content string) bool { return content == "" })
	return testkit.LambdaModule(t, all)
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
	w := &watched{t: t, root: root, mark: fmt.Sprintf("GOLAM_TEST=%s-%d", filepath.Base(root), time.Now().UnixNano()), told: make(chan struct{})}
	nothingLeft := testkit.Leftovers(t, w.mark)
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
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
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
		nothingLeft()
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
	timeout := time.After(testkit.Patience)
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
			w.t.Fatalf("not seen within %s: %s", testkit.Patience, what)
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
	testkit.Write(w.t, filepath.Join(w.root, name), content)
}

// settle waits until what has been saved is served, if it builds.
func (w *watched) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	if err := w.waitUntilServed(ctx, ""); err != nil {
		w.t.Fatalf("settle: %v", err)
	}
}

func (w *watched) invoke(function string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
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
