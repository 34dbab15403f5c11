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
	root, cache := makeProject(t, tiny()), t.TempDir()
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
	write(t, in("text/files/one.txt"), "two")
	step("an embedded file", true, "two")
	if testing.Short() {
		return
	}
	write(t, in("text/init.go"), "package text\n\nfunc init() { Text = \"three\" }\n")
	step("a new source", true, "three")
	remove(t, in("text/init.go"))
	step("without it", true, "two")
	write(t, in("README.md"), "")
	step("documentation", false, "two")
	write(t, in("unused/unused.go"), "package unused\n")
	step("a package that nothing imports", false, "two")
	step("the same again", false, "two")

	dirs, err := filepath.Glob(filepath.Join(cache, "golam", "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("the cache has %q, %v", dirs, err)
	}
	remove(t, filepath.Join(dirs[0], "small"))
	step("the binary is gone", true, "two")
	write(t, filepath.Join(dirs[0], "small", "bootstrap"+executable()), "broken")
	step("the binary is broken", true, "two")
	for name, content := range map[string]string{"text": "broken", "half": `{"format":1`, "empty": "", "an old format": `{"format":0}`, "nothing in it": `{"format":1}`} {
		write(t, filepath.Join(dirs[0], indexName), content)
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
	root, cache := makeProject(t, tiny()), t.TempDir()
	text := filepath.Join(root, "text", "files", "one.txt")
	first := filepath.Join(cache, "first")
	write(t, first, "")
	shim(t, `[ "$1" = build ] && [ -e '`+first+`' ] && rm '`+first+`' && printf edited > '`+text+`'
exec "$GO" "$@"`)
	if _, printed := forHost(t, root, cache); printed != "edited" {
		t.Errorf("the edit during the build gives %q", printed)
	}
	write(t, text, "one")
	if host, printed := forHost(t, root, cache); !host.Built || printed != "one" {
		t.Errorf("built %v, prints %q", host.Built, printed)
	}
}

// TestForHostInACopy: a project that is moved or copied is another one.
func TestForHostInACopy(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds several times")
	}
	root, cache := makeProject(t, tiny()), t.TempDir()
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

// TestForHostAtATime: several golams may want the same function.
func TestForHostAtATime(t *testing.T) {
	root, cache := makeProject(t, tiny()), t.TempDir()
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
	root, cache := makeProject(t, files), t.TempDir()
	_, err := ForHost(t.Context(), HostOptions{Dir: root, Cache: cache, Environ: os.Environ()})
	var failure *GoError
	if !errors.As(err, &failure) || failure.Command != "go build" {
		t.Errorf("error %v", err)
	}
	contains(t, err, filepath.FromSlash("cmd/small/main.go")+":7:13: ", "untyped string")
	_, err = ForHost(t.Context(), HostOptions{Dir: root, Function: "smal", Cache: cache, Environ: os.Environ()})
	var misused *misuse.Error
	if !errors.As(err, &misused) {
		t.Errorf("error %v", err)
	}
	contains(t, err, "did you mean small?")
	write(t, filepath.Join(cache, "file"), "")
	_, err = ForHost(t.Context(), HostOptions{Dir: root, Cache: filepath.Join(cache, "file"), Environ: os.Environ()})
	contains(t, err, "the cache in")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ForHost(ended, HostOptions{Dir: root, Cache: cache, Environ: os.Environ()}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestInterrupted stands a go command in that starts a process of its own and never ends, as a compiler may, and interrupts it.
func TestInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the go command is a shell script here")
	}
	root, mark := makeProject(t, tiny()), filepath.Join(t.TempDir(), "started")
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
	eventually(t, "the command has started a process", func() bool { _, err := os.Stat(mark); return err == nil })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	child := strings.TrimSpace(read(t, mark))
	eventually(t, "no process is left", func() bool { return exec.Command("kill", "-0", child).Run() != nil })
}
