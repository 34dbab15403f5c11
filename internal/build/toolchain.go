package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/modfile"
)

// GoError is a go command that failed: mostly because the project does not compile.
type GoError struct {
	// Command is what was run, without its flags: "go build".
	Command string
	// Output is what it printed, with a file and a line for each mistake in the source.
	Output string
	// Note is golam's own remark, or "".
	Note string
}

func (e *GoError) Error() string {
	text := "the project does not build"
	switch {
	case e.machine():
		text = "the machine could not build the project"
	case e.network():
		text = "the go command could not download a module"
	}
	text += fmt.Sprintf(", %s says:\n%s", e.Command, e.Output)
	if e.Note != "" {
		text += "\n" + e.Note
	}
	return text
}

// newGoError makes an error of what a go command printed in a project.
func newGoError(command, dir, output string) *GoError {
	var lines []string
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "go: downloading ") { // progress, not a reason
			lines = append(lines, line)
		}
	}
	failure := &GoError{Command: "go " + command, Output: strings.TrimSpace(strings.Join(lines, ""))}
	failure.Note = workspaceNote(dir, failure.Output)
	return failure
}

// machine says whether this machine has run out of something. The go command and the compiler only print what the system told them.
func (e *GoError) machine() bool {
	return containsAny(e.Output, "no space left on device", "disk quota exceeded", "too many open files", "cannot allocate memory",
		"resource temporarily unavailable", "input/output error", "signal: killed", "read-only file system")
}

// network says whether a download failed.
func (e *GoError) network() bool {
	return containsAny(e.Output, "dial tcp", "no such host", "TLS handshake timeout", "i/o timeout", "connection refused",
		"connection reset by peer", "network is unreachable", "GOPROXY list is not the empty string", "disabled by GOPROXY=off",
		"proxyconnect", "x509: ")
}

func containsAny(text string, wanted ...string) bool {
	return slices.ContainsFunc(wanted, func(w string) bool { return strings.Contains(text, w) })
}

// MachineFault reports whether an error is about this machine, which has run out of something, and not about the project.
func MachineFault(err error) bool {
	for _, fault := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO, syscall.EAGAIN} {
		if errors.Is(err, fault) {
			return true
		}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() < 0 {
		return true // somebody killed the go command: the system that has no more memory, mostly
	}
	failure, ok := errors.AsType[*GoError](err)
	return ok && failure.machine()
}

// toolchain is the go command, run so that it builds the same whoever runs it: the user's proxies, caches and choice of toolchain stay,
// settings that change the result do not.
type toolchain struct {
	path    string // of the go command
	environ []string
	// version and root tell toolchains apart.
	version, root string
	moduleCache   string
	temporary     string // folder for temporary files, "" for the system's
}

// userSettings are the settings that say where modules and toolchains come from and where things are cached. They are resolved once, because
// they may stand in the user's Go configuration, which is switched off for the build.
var userSettings = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY",
	"GOSUMDB", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// fixed are the settings that change what is built. An empty GOFLAGS would not override a configuration file, so it repeats a flag.
var fixed = []string{
	"CGO_ENABLED=0", "GO_EXTLINK_ENABLED=", "GO111MODULE=on", "GOAMD64=v1", "GOARM64=v8.0", "GOENV=off", "GOEXPERIMENT=", "GOFIPS140=off",
	"GOFLAGS=-buildvcs=false", "GOWORK=off",
}

// recipe are the arguments of every build. They are those of the Makefile of generated projects.
var recipe = append(slices.Clone(withSymbols), "-ldflags", "-s -w")

// withSymbols is the same but for the symbol table, which stays. What runs is the same to the byte.
var withSymbols = []string{"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc"}

// findToolchain looks for the go command and asks for its settings in root.
func findToolchain(ctx context.Context, root string, environ []string) (*toolchain, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("there is no go command: install Go (https://go.dev/dl) and put it on the PATH: %w", err)
	}
	t := &toolchain{path: path, environ: environ}
	asked := append([]string{"env", "-json", "GOVERSION", "GOROOT"}, userSettings...)
	// What is fixed anyway must not stand in the way, as a GOEXPERIMENT that the toolchain doesn't know would.
	output, err := t.run(ctx, root, slices.DeleteFunc(slices.Clone(fixed), func(s string) bool { return s == "GOENV=off" }), asked...)
	if err != nil {
		return nil, err
	}
	var values map[string]string
	if err := json.Unmarshal(output, &values); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	t.version, t.root, t.moduleCache, t.temporary = values["GOVERSION"], values["GOROOT"], values["GOMODCACHE"], values["GOTMPDIR"]
	t.environ = slices.Clone(environ)
	for _, name := range userSettings {
		t.environ = append(t.environ, name+"="+values[name])
	}
	t.environ = append(t.environ, fixed...)
	return t, nil
}

// askForToolchain begins to look for the go command, which takes as long as looking at a project's files. What it returns waits for the
// answer.
func askForToolchain(ctx context.Context, root string, environ []string) func() (*toolchain, error) {
	type answer struct {
		toolchain *toolchain
		err       error
	}
	asked := make(chan answer, 1)
	go func() {
		found, err := findToolchain(ctx, root, environ)
		asked <- answer{found, err}
	}()
	return func() (*toolchain, error) {
		found := <-asked
		return found.toolchain, found.err
	}
}

// debugRecipe is for a debugger: with symbols and without optimisation. Paths are trimmed all the same, to import paths.
var debugRecipe = append(slices.Clone(withSymbols), "-gcflags", "all=-N -l")

// build compiles packages for a platform with a recipe. Output is a folder if it ends in a separator.
func (t *toolchain) build(ctx context.Context, dir string, recipe, platform []string, output string, packages ...string) (err error) {
	// An interrupted go build leaves its temporary files behind.
	scratch, err := os.MkdirTemp(t.temporary, "golam-go-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	args := slices.Concat([]string{"build"}, recipe, []string{"-o", output}, packages)
	_, err = t.run(ctx, dir, append(slices.Clone(platform), "GOTMPDIR="+scratch), args...)
	return err
}

// buildAll compiles functions into a folder, each under its own name. What one mistake does not concern is built all the same: the error
// says what is wrong with those that are not there then.
func (t *toolchain) buildAll(ctx context.Context, dir string, recipe, platform []string, output string, functions []Function) error {
	var failure *GoError
	for _, round := range rounds(functions, func(f Function) Function { return f }) {
		folder := filepath.Join(output, ".link")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make the folder of the binaries: %w", err)
		}
		var packages []string
		for _, f := range round {
			packages = append(packages, f.Package)
		}
		err := t.build(ctx, dir, recipe, platform, folder+string(filepath.Separator), packages...)
		found, mistaken := errors.AsType[*GoError](err)
		switch {
		case err != nil && !mistaken:
			return err
		case mistaken && failure == nil:
			failure = found
		case mistaken && !strings.Contains(failure.Output, found.Output):
			failure.Output += "\n" + found.Output
		}
		for _, f := range round {
			made := filepath.Join(folder, f.program()+executable())
			if !isFile(made) {
				continue
			}
			if err := os.Rename(made, filepath.Join(output, f.Name+executable())); err != nil {
				return fmt.Errorf("take the binary of %s: %w", f.Name, err)
			}
		}
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove the folder of the binaries: %w", err)
		}
	}
	if failure != nil {
		return failure
	}
	return nil
}

// platform are the settings of a build for one system.
func platform(goos, goarch string) []string { //nolint:unparam // this machine's system may be the same as Lambda's
	return []string{"GOOS=" + goos, "GOARCH=" + goarch}
}

// goGrace is how long an interrupted go command may take to end.
const goGrace = time.Second

// run runs a go command in dir and returns what it prints. When ctx ends, so does the command with everything that it has started.
func (t *toolchain) run(ctx context.Context, dir string, environ []string, args ...string) ([]byte, error) {
	reading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(pipePatience, func() {
		if pipe := findPipe(dir); pipe != nil {
			cancel(pipe)
		}
	})
	defer slow.Stop()
	command := exec.CommandContext(reading, t.path, args...)
	command.Dir = dir
	command.Env = slices.Concat(t.environ, environ, []string{"PWD=" + dir})
	command.WaitDelay = goGrace
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	end := asGroup(command)
	err := command.Run()
	end()
	name := "go " + args[0]
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", name, ctx.Err())
	case err != nil && reading.Err() != nil:
		return nil, context.Cause(reading)
	case err == nil:
		return output.Bytes(), nil
	case problems.Len() == 0:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	failure := newGoError(args[0], dir, problems.String())
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() < 0 {
		return nil, fmt.Errorf("%s: %w: %s", name, err, failure.Output) // killed by somebody else
	}
	return nil, failure
}

// missing finds the packages that the go command could not find.
var missing = regexp.MustCompile(`(?:no required module provides package|cannot find module providing package|finding module for package|package) ([^\s;:]+)(?:;|:| is not in std)`)

// workspaceNote explains a failure of which a go.work is the cause: a package is missing that one of its modules provides.
func workspaceNote(dir, output string) string {
	for _, found := range missing.FindAllStringSubmatch(output, -1) {
		for _, used := range workspaceModules(dir) {
			if _, ok := belowPath(used.path, found[1]); ok {
				return fmt.Sprintf("golam builds from go.mod alone, and only %s provides %s: add a requirement to go.mod, with replace %s => %s",
					used.file, found[1], used.path, used.folder(dir))
			}
		}
	}
	return ""
}

// workspaceModule is a module that a go.work uses.
type workspaceModule struct{ path, dir, file string }

// folder is where the module is, relative to another folder if it can be.
func (m workspaceModule) folder(from string) string {
	relative, err := filepath.Rel(from, m.dir)
	if err != nil {
		return m.dir
	}
	if relative = filepath.ToSlash(relative); !strings.HasPrefix(relative, ".") {
		relative = "./" + relative
	}
	return relative
}

// workspaceModules are those of the go.work that would apply to a folder, other than the folder's own.
func workspaceModules(dir string) (modules []workspaceModule) {
	for above := dir; ; above = filepath.Dir(above) {
		name := filepath.Join(above, "go.work")
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return nil
			}
			work, err := modfile.ParseWork(name, data, nil)
			if err != nil {
				return nil
			}
			for _, use := range work.Use {
				used := filepath.FromSlash(use.Path)
				if !filepath.IsAbs(used) {
					used = filepath.Join(above, used)
				}
				if data, err := os.ReadFile(filepath.Join(used, "go.mod")); err == nil && used != dir {
					modules = append(modules, workspaceModule{modfile.ModulePath(data), used, "the workspace " + name})
				}
			}
			return modules
		}
		if filepath.Dir(above) == above {
			return nil
		}
	}
}
