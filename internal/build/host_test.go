package build

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/testkit"
)

// forHost builds the function of a project and runs it: println writes to standard error.
func forHost(t *testing.T, root, cache string) (host Host, printed string) {
	t.Helper()
	host, err := ForHost(t.Context(), HostOptions{Dir: root, Cache: cache, Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), host.Bootstrap).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return host, strings.TrimSpace(string(output))
}

// TestForHost edits a project and runs what is built each time.
func TestForHost(t *testing.T) {
	root, cache := testkit.Folder(t, tiny()), t.TempDir()
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	step := func(what string, built bool, want string) {
		t.Helper()
		host, printed := forHost(t, root, cache)
		if host.Built != built || printed != want {
			t.Errorf("%s: built %v, want %v; it prints %q, want %q", what, host.Built, built, printed, want)
		}
		if host.Function != (Function{"small", "example.com/tiny/cmd/small"}) || host.Project.Root != root {
			t.Errorf("%s: %+v", what, host)
		}
	}
	step("the first time", true, "one")
	step("again", false, "one")
	testkit.Write(t, in("text/files/one.txt"), "two")
	step("an embedded file", true, "two")
	if testing.Short() {
		return
	}
	testkit.Write(t, in("text/init.go"), "package text\n\nfunc init() { Text = \"three\" }\n")
	step("a new source", true, "three")
	testkit.Remove(t, in("text/init.go"))
	step("without it", true, "two")
	testkit.Write(t, in("README.md"), "")
	step("documentation", false, "two")
	testkit.Write(t, in("unused/unused.go"), "package unused\n")
	step("a package that nothing imports", false, "two")
	step("the same again", false, "two")

	dirs, err := filepath.Glob(filepath.Join(cache, "golam", "*", invokeFolder))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("the cache has %q, %v", dirs, err)
	}
	testkit.Remove(t, filepath.Join(dirs[0], "small"))
	step("the binary is gone", true, "two")
	testkit.Write(t, filepath.Join(dirs[0], "small", "bootstrap"+executable()), "broken")
	step("the binary is broken", true, "two")
	for name, content := range map[string]string{"text": "broken", "half": `{"format":1`, "empty": "", "an old format": `{"format":0}`, "nothing in it": `{"format":1}`} {
		testkit.Write(t, filepath.Join(dirs[0], indexName), content)
		step("an index that is "+name, true, "two")
	}
	step("at the end", false, "two")

	t.Setenv("GOFLAGS", "-tags=other")
	t.Setenv("GOAMD64", "v3")
	step("settings that golam fixes", false, "two")
	if runtime.GOOS == "windows" {
		return // the other toolchain is a shell script
	}
	shim(t, `[ "$1" = env ] || exec "$GO" "$@"
"$GO" "$@" | sed 's/"GOVERSION": "[^"]*"/"GOVERSION": "go1.99"/'`)
	step("another toolchain", true, "two")
	step("the same again", false, "two")
}

// TestForHostEditDuringBuild: what was edited while it was built, and is as before at the next build, is not taken for current.
func TestForHostEditDuringBuild(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the go command is a shell script here")
	}
	root, cache := testkit.Folder(t, tiny()), t.TempDir()
	text := filepath.Join(root, "text", "files", "one.txt")
	first := filepath.Join(cache, "first")
	testkit.Write(t, first, "")
	shim(t, `[ "$1" = build ] && [ -e '`+first+`' ] && rm '`+first+`' && printf edited > '`+text+`'
exec "$GO" "$@"`)
	if _, printed := forHost(t, root, cache); printed != "edited" {
		t.Errorf("the edit during the build gives %q", printed)
	}
	testkit.Write(t, text, "one")
	if host, printed := forHost(t, root, cache); !host.Built || printed != "one" {
		t.Errorf("built %v, prints %q", host.Built, printed)
	}
}

// TestForHostInACopy: a project that is moved or copied is another one.
func TestForHostInACopy(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds several times")
	}
	root, cache := testkit.Folder(t, tiny()), t.TempDir()
	if host, _ := forHost(t, root, cache); !host.Built {
		t.Error("it is not built")
	}
	moved := filepath.Join(t.TempDir(), filepath.Base(root))
	if err := os.Rename(root, moved); err != nil {
		t.Fatal(err)
	}
	if host, _ := forHost(t, moved, cache); !host.Built {
		t.Error("it is not built where it is now")
	}
	if dirs, _ := filepath.Glob(filepath.Join(cache, "golam", "*")); len(dirs) != 1 {
		t.Errorf("what was kept of the old place has not been swept: %q", dirs)
	}
}

// TestNamesInTheCache: a function may be called as a folder of the cache is.
func TestNamesInTheCache(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds several functions")
	}
	names := []string{"builds", "invoke", "package-x86_64", "project", "watch"}
	project := tiny()
	project["golam.yaml"] = "arch: x86_64\nfunctions: {" + strings.Join(names, ": {}, ") + ": {}}\n"
	for _, name := range names {
		project["cmd/"+name+"/main.go"] = "package main\n\nfunc main() { println(\"" + name + "\") }\n"
	}
	root, cache := testkit.Folder(t, project), t.TempDir()
	prints := func() {
		t.Helper()
		for _, name := range names {
			host, err := ForHost(t.Context(), HostOptions{Dir: root, Function: name, Cache: cache, Environ: os.Environ()})
			if err != nil {
				t.Fatal(err)
			}
			if got := testkit.Run(t, root, nil, host.Bootstrap); got != name+"\n" {
				t.Errorf("%s prints %q", name, got)
			}
		}
	}
	prints()
	l, err := OpenLive(LiveOptions{Dir: root, Cache: cache, Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if u, err := l.Update(t.Context(), func() {}); err != nil || len(u.Functions) != len(names) {
		t.Fatalf("%+v, %v", u, err)
	}
	mustBuild(t, Options{Dir: root, Cache: cache})
	prints()
	for _, f := range l.functions() {
		if got := testkit.Run(t, root, nil, f.Bootstrap); got != f.Name+"\n" {
			t.Errorf("%s prints %q in a Live", f.Name, got)
		}
	}
}

// TestForHostAtATime: several golams may want the same function.
func TestForHostAtATime(t *testing.T) {
	root, cache := testkit.Folder(t, tiny()), t.TempDir()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			host, err := ForHost(t.Context(), HostOptions{Dir: root, Cache: cache, Environ: os.Environ()})
			if err != nil {
				t.Error(err)
				return
			}
			if output, err := exec.CommandContext(t.Context(), host.Bootstrap).CombinedOutput(); err != nil || string(output) != "one\n" {
				t.Errorf("%q, %v", output, err)
			}
		})
	}
	group.Wait()
}

func TestForHostErrors(t *testing.T) {
	files := tiny()
	files["cmd/small/main.go"] += "\nvar x int = \"text\"\n"
	root, cache := testkit.Folder(t, files), t.TempDir()
	_, err := ForHost(t.Context(), HostOptions{Dir: root, Cache: cache, Environ: os.Environ()})
	var failure *GoError
	if !errors.As(err, &failure) || failure.Command != "go build" {
		t.Errorf("error %v", err)
	}
	testkit.ErrorSays(t, err, filepath.FromSlash("cmd/small/main.go")+":7:13: ", "untyped string")
	_, err = ForHost(t.Context(), HostOptions{Dir: root, Function: "smal", Cache: cache, Environ: os.Environ()})
	var misused *misuse.Error
	if !errors.As(err, &misused) {
		t.Errorf("error %v", err)
	}
	testkit.ErrorSays(t, err, "did you mean small?")
	testkit.Write(t, filepath.Join(cache, "file"), "")
	_, err = ForHost(t.Context(), HostOptions{Dir: root, Cache: filepath.Join(cache, "file"), Environ: os.Environ()})
	testkit.ErrorSays(t, err, "the cache in")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ForHost(ended, HostOptions{Dir: root, Cache: cache, Environ: os.Environ()}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestInterrupted stands a go command in that starts a process of its own and never ends, as a compiler may, and interrupts it.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the go command is a shell script here")
	}
	root, mark := testkit.Folder(t, tiny()), filepath.Join(t.TempDir(), "started")
	shim(t, `[ "$1" = env ] && exec "$GO" "$@"
sleep 600 &
echo $! > `+mark+`.new && mv `+mark+`.new `+mark+`
wait`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := Functions(ctx, root, os.Environ())
		ended <- err
	}()
	testkit.Eventually(t, "the command has started a process", func() bool { _, err := os.Stat(mark); return err == nil })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	child := strings.TrimSpace(testkit.Read(t, mark))
	testkit.Eventually(t, "no process is left", func() bool { return exec.Command("kill", "-0", child).Run() != nil })
}
