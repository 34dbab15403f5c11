package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/ports"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/testkit"
)

// isBuilt tells of a build that was good, or was not.
func isBuilt(good bool) func(Event) bool {
	return func(e Event) bool { return e.Type == EventBuilt && (e.Build.Error == "") == good }
}

// A save is noticed, built and served, with nobody asking.
func TestSave(t *testing.T) {
	w := start(t, makeProject(t, nil))
	w.answers("hello", `"one"`) // waits for the first build
	before := w.count()
	w.write("text/text.go", textGo("two"))
	w.seesFrom(before, "the new build", isBuilt(true))
	w.answers("hello", `"two"`)
	invocation := w.seesFrom(before, "the invocation", func(e Event) bool {
		return e.Type == EventInvocation && string(e.Invocation.Response) == `"two"`
	}).Invocation
	if invocation.Function != "hello" || !invocation.Cold || invocation.Init <= 0 || invocation.Duration <= 0 {
		t.Errorf("invocation %+v", invocation)
	}
}

// Every kind of change that must be noticed, one after the other on one session, each by a function that tells it.
func TestChanges(t *testing.T) {
	testkit.Slow(t)
	root := makeProject(t, map[string]string{
		".gitignore":        "*.log\n/out/\n",
		"cmd/hello/main.go": function(`[]string{text.Text, text.File, os.Getenv("COLOUR")}`),
		"text/embed.go":     "package text\n\nimport _ \"embed\"\n\n//go:embed file.txt\nvar File string\n",
		"text/file.txt":     "a",
		"../lib/go.mod":     "module example.com/lib\n\ngo 1.26\n",
		"../lib/lib.go":     "package lib\n\nconst Name = \"lib\"\n",
		"../conf/color.env": "# the color\nCOLOUR=red\n",
	})
	colors := filepath.Join(filepath.Dir(root), "conf", "color.env")
	settings := filepath.Join(root, "settings", "color.env") // leads elsewhere
	if err := os.MkdirAll(filepath.Dir(settings), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(colors, settings); err != nil {
		settings = colors // not everybody may make links on Windows
	}
	w := start(t, root, func(o *Options) { o.EnvFile = settings })
	w.answers("hello", `["one","a","red"]`)
	steps := []struct {
		name   string
		change func()
		want   string
	}{
		{"Go file", func() { w.write("text/text.go", textGo("two")) }, `["two","a","red"]`},
		{"embedded file", func() { w.write("text/file.txt", "b") }, `["two","b","red"]`},
		{"environment file", func() { testkit.Write(t, colors, "COLOUR=\"blue green\"\n") }, `["two","b","blue green"]`},
		{"editor that renames", func() {
			w.write("text/text.go~", textGo("three"))
			if err := os.Rename(filepath.Join(root, "text/text.go~"), filepath.Join(root, "text/text.go")); err != nil {
				t.Fatal(err)
			}
		}, `["three","b","blue green"]`},
		{"editor that moves away and writes anew", func() {
			if err := os.Rename(filepath.Join(root, "text/text.go"), filepath.Join(root, "text/text.go.bak")); err != nil {
				t.Fatal(err)
			}
			w.write("text/text.go", textGo("four"))
		}, `["four","b","blue green"]`},
		{"new file in a new folder", func() {
			w.write("text/more/more.go", "package more\n\nconst More = \"more\"\n")
			w.write("text/text.go", "package text\n\nimport \"example.com/shop/text/more\"\n\nconst Text = more.More\n")
		}, `["more","b","blue green"]`},
		{"the new folder is watched", func() { w.write("text/more/more.go", "package more\n\nconst More = \"less\"\n") }, `["less","b","blue green"]`},
		{"a folder that is made again", func() {
			testkit.Remove(t, filepath.Join(root, "text", "more"))
			w.write("text/more/more.go", "package more\n\nconst More = \"again\"\n")
		}, `["again","b","blue green"]`},
		{"it is watched", func() { w.write("text/more/more.go", "package more\n\nconst More = \"seen\"\n") }, `["seen","b","blue green"]`},
		{"go.mod", func() {
			w.write("text/text.go", "package text\n\nimport \"example.com/lib\"\n\nconst Text = lib.Name\n")
			w.write("go.mod", goMod+"\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../lib\n")
		}, `["lib","b","blue green"]`},
		{"module beside the project", func() { w.write("../lib/lib.go", "package lib\n\nconst Name = \"beside\"\n") }, `["beside","b","blue green"]`},
	}
	for _, step := range steps {
		before := w.count()
		step.change()
		w.seesFrom(before, step.name, func(e Event) bool { return e.Type == EventBuilt && e.Build.Error == "" && len(e.Build.Changed) == 1 })
		if got, err := w.invoke("hello"); err != nil || got != step.want {
			t.Fatalf("%s: got %s, %v; want %s", step.name, got, err, step.want)
		}
	}

	// And what must not be: files that git ignores, others of no matter, and a save of the same.
	before := w.count()
	w.write("a.log", "x")
	w.write("out/main.go", "package main\n\nthis is no Go\n")
	w.write("notes.txt", "x")
	w.write("text/text.go", testkit.Read(t, filepath.Join(root, "text/text.go")))
	w.settle()
	for _, e := range w.all()[before:] {
		if e.Type == EventBuilding || e.Type == EventBuilt {
			t.Errorf("it builds for nothing: %+v", e)
		}
	}
}

func TestFunctionsComeAndGo(t *testing.T) {
	testkit.Slow(t)
	w := start(t, makeProject(t, nil))
	w.answers("hello", `"one"`)
	w.write("cmd/second/main.go", function(`2`))
	w.sees("the new function", func(e Event) bool {
		return e.Type == EventBuilt && len(e.Build.Added) == 1 && e.Build.Added[0] == "second"
	})
	w.answers("second", `2`)
	testkit.Remove(t, filepath.Join(w.root, "cmd", "second"))
	w.sees("its end", func(e Event) bool {
		return e.Type == EventBuilt && len(e.Build.Removed) == 1 && e.Build.Removed[0] == "second"
	})
	if _, err := w.invoke("second"); err == nil || !strings.Contains(err.Error(), "Function not found") {
		t.Errorf("it is invoked: %v", err)
	}
	testkit.Remove(t, filepath.Join(w.root, "cmd", "hello"))
	w.sees("the end of the last one", func(e Event) bool {
		return e.Type == EventBuilt && len(e.Functions) == 0 && strings.Contains(e.Build.Error, "there is no function")
	})
	w.write("cmd/hello/main.go", function(`"again"`))
	w.settle()
	w.answers("hello", `"again"`)
}

func TestBrokenSource(t *testing.T) {
	testkit.Slow(t)
	root := makeProject(t, map[string]string{"text/text.go": "package text\n\nconst Text = 1 +\n", "cmd/other/main.go": function(`"other"`)})
	w := start(t, root)
	e := w.sees("the mistake", isBuilt(false))
	if !strings.Contains(e.Build.Error, "text/text.go:4:1") {
		t.Errorf("the mistake has no place: %s", e.Build.Error)
	}
	var refusal *local.RequestError
	if _, err := w.invoke("hello"); !errors.As(err, &refusal) || refusal.StatusCode != 503 || !strings.Contains(err.Error(), "text.go:4:1") {
		t.Errorf("invoked before there is a build: %v", err)
	}
	w.write("text/text.go", textGo("mended"))
	w.sees("the first good build", isBuilt(true))
	w.answers("hello", `"mended"`)

	// One function is broken: the other one is built all the same, and of the broken one the last good build serves.
	before := w.count()
	w.write("cmd/hello/main.go", function(`nothing.Here`))
	w.write("cmd/other/main.go", function(`"changed"`))
	e = w.seesFrom(before, "the mistake", isBuilt(false))
	w.answers("hello", `"mended"`)
	w.answers("other", `"changed"`)
	if !strings.Contains(e.Build.Error, "cmd/hello/main.go:") || strings.Contains(e.Build.Error, w.live.Dir()) {
		t.Errorf("the mistake's place: %s", e.Build.Error)
	}
	for _, f := range e.Functions {
		if f.Broken != (f.Name == "hello") || !f.Serving {
			t.Errorf("state %+v", f)
		}
	}

	// The project as a whole is broken.
	before = w.count()
	w.write("go.mod", "modul example.com/shop\n")
	if e = w.seesFrom(before, "the mistake in go.mod", isBuilt(false)); !strings.Contains(e.Build.Error, "go.mod:1") {
		t.Errorf("the mistake's place: %s", e.Build.Error)
	}
	for _, f := range e.Functions {
		if !f.Broken || !f.Serving {
			t.Errorf("state %+v", f)
		}
	}
	w.answers("other", `"changed"`)
	w.write("cmd/hello/main.go", function(`"whole"`))
	w.write("go.mod", goMod)
	w.settle()
	w.answers("hello", `"whole"`)
}

// A thousand saves end in the last one, after few builds.
func TestThousandSaves(t *testing.T) {
	testkit.Slow(t)
	w := start(t, makeProject(t, nil))
	w.answers("hello", `"one"`)
	before := w.count()
	for n := range 1000 {
		w.write("text/text.go", textGo(fmt.Sprint(n)))
	}
	w.settle()
	w.answers("hello", `"999"`)
	builds := 0
	for _, e := range w.all()[before:] {
		if e.Type == EventBuilding {
			builds++
		}
	}
	if builds > 50 {
		t.Errorf("%d builds", builds)
	}
}

func TestBranchSwitch(t *testing.T) {
	testkit.Slow(t)
	root := makeProject(t, nil)
	git := func(args ...string) {
		t.Helper()
		testkit.Run(t, root, nil, "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "one")
	git("checkout", "-qb", "other")
	testkit.Write(t, filepath.Join(root, "text/text.go"), textGo("other"))
	testkit.Write(t, filepath.Join(root, "cmd/second/main.go"), function(`text.Text`))
	git("add", ".")
	git("commit", "-qm", "two")
	git("checkout", "-q", "main")
	w := start(t, root)
	w.answers("hello", `"one"`)
	for range 2 {
		git("checkout", "-q", "other")
		w.settle()
		w.answers("hello", `"other"`)
		w.answers("second", `"other"`)
		git("checkout", "-q", "main")
		w.settle()
		w.answers("hello", `"one"`)
		if _, err := w.invoke("second"); err == nil {
			t.Error("the function of the other branch is still there")
		}
	}
}

// An invocation that is under way when a new build comes ends on the old one, be it that it hangs.
func TestInvocationDuringSwap(t *testing.T) {
	testkit.Slow(t)
	root := makeProject(t, map[string]string{"cmd/hello/main.go": `package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"example.com/shop/text"
)

func main() {
	lambda.Start(func(held struct{ Until string }) (string, error) {
		for held.Until != "" {
			if _, err := os.Stat(held.Until); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return text.Text, nil
	})
}
`})
	w := start(t, root, func(o *Options) { o.Timeout = 3 * time.Second })
	w.answers("hello", `"one"`)
	sign := filepath.Join(t.TempDir(), "go")
	var clients sync.WaitGroup
	invoke := func(until, want string) {
		clients.Go(func() {
			r, err := w.Invoke(t.Context(), "hello", local.Invocation{Payload: fmt.Appendf(nil, `{"until":%q}`, until)})
			if err != nil || !strings.Contains(string(r.Payload), want) {
				t.Errorf("got %s, %v; want %s", r.Payload, err, want)
			}
		})
	}
	began := w.count()
	invoke(sign, `"one"`)
	invoke(sign+"-never", "Task timed out")
	for range 2 {
		w.seesFrom(began, "an invocation under way", func(e Event) bool {
			return e.Type == EventLog && e.Log.Platform && strings.HasPrefix(e.Log.Text, "START")
		})
		began++
	}
	w.write("text/text.go", textGo("two"))
	w.settle()
	w.answers("hello", `"two"`)
	testkit.Write(t, sign, "")
	clients.Wait()
}

func TestPolling(t *testing.T) {
	testkit.Slow(t)
	w := start(t, makeProject(t, nil), func(o *Options) { o.Poll = true })
	if w.notify.watcher != nil {
		t.Error("the system is asked to tell of changes")
	}
	w.answers("hello", `"one"`)
	before := w.count()
	w.write("text/text.go", textGo("two"))
	w.seesFrom(before, "the new build", isBuilt(true))
	w.answers("hello", `"two"`)
}

func TestAddressTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Start(t.Context(), Options{
		Dir: makeProject(t, nil), Cache: t.TempDir(), Environ: os.Environ(), Address: listener.Addr().String(), Events: func(Event) {},
	})
	if err == nil || !strings.Contains(err.Error(), "is taken by another program: choose another --address") {
		t.Errorf("got %v", err)
	}
}

func TestTwice(t *testing.T) {
	root, cache := makeProject(t, nil), t.TempDir()
	w := start(t, root, func(o *Options) { o.Cache = cache })
	_, err := Start(t.Context(), Options{Dir: root, Cache: cache, Environ: os.Environ(), Address: "127.0.0.1:0", Events: func(Event) {}})
	if _, locked := errors.AsType[*build.LockedError](err); !locked {
		t.Errorf("a second session: %v", err)
	}
	found, err := running.Find(t.Context(), cache, filepath.Join(root, "cmd"), "hello")
	if err != nil || found == nil || found.URL != w.server.url || len(found.Functions) != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
}

// Nobody waits for a reader that has stopped reading.
func TestEndWithStalledReader(t *testing.T) {
	reading, goOn := make(chan struct{}), make(chan struct{})
	w := start(t, makeProject(t, nil), func(o *Options) {
		var once sync.Once
		o.Events = func(Event) { once.Do(func() { close(reading); <-goOn }) }
	})
	<-reading
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Close(impatient); err != nil {
		t.Error(err)
	}
	close(goOn)
}

// Whatever is under way when the session ends gets an answer or an error, and the port is free.
func TestEnd(t *testing.T) {
	port, err := ports.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := port.HandOver(); err != nil {
		t.Fatal(err)
	}
	sleeping := makeProject(t, map[string]string{"cmd/hello/main.go": function(`func() any { time.Sleep(time.Hour); return 1 }()`)})
	w := start(t, sleeping, func(o *Options) { o.Address = port.Address })
	done := make(chan error, 1)
	go func() {
		_, err := w.Invoke(context.Background(), "hello", local.Invocation{})
		done <- err
	}()
	w.sees("the invocation", func(e Event) bool { return e.Type == EventLog && strings.HasPrefix(e.Log.Text, "START") })
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, local.ErrClosed) {
		t.Errorf("the invocation: %v", err)
	}
	listener, err := net.Listen("tcp", port.Address)
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
}

// What Lambda refuses is refused at once, and an address that cannot be one.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		options  Options
		problems []string
	}{
		{Options{MemorySize: 128, Timeout: 15 * time.Minute, Address: "127.0.0.1:0"}, nil},
		{Options{MemorySize: 64}, []string{"memory size of 64 MB: use 128 to 10240"}},
		{Options{MemorySize: 10241, Timeout: time.Hour}, []string{"memory size of 10241 MB", "timeout of 1h0m0s: use up to 15m0s"}},
		{Options{Address: "127.0.0.1:99999", Timeout: -1}, []string{`--address "127.0.0.1:99999": use host:port`, "timeout of -1ns"}},
		{Options{Debugger: "/dlv", DebugAddress: "127.0.0.1:0"}, []string{`--debug-address "127.0.0.1:0": use host:port`}},
	} {
		err := tt.options.Check()
		if _, ok := errors.AsType[*misuse.Error](err); ok != (tt.problems != nil) {
			t.Errorf("%+v: %v", tt.options, err)
		}
		for _, problem := range tt.problems {
			if !strings.Contains(err.Error(), problem) {
				t.Errorf("%v; want %q", err, problem)
			}
		}
	}
}
