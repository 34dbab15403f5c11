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
	"slices"
	"strings"
	"syscall"
	"time"
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
	text := fmt.Sprintf("the project does not build, %s says:\n%s", e.Command, e.Output)
	if e.Note != "" {
		text += "\n" + e.Note
	}
	return text
}

// MachineFault tells whether an error is about this machine, which has run out of something, and not about the project.
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
	if !ok {
		return false
	}
	// The go command and the compiler only print what the system told them.
	for _, text := range []string{
		"no space left on device", "disk quota exceeded", "too many open files", "cannot allocate memory", "resource temporarily unavailable",
		"input/output error", "signal: killed",
	} {
		if strings.Contains(failure.Output, text) {
			return true
		}
	}
	return false
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

// kept are the settings that say where modules and toolchains come from and where things are cached. They are resolved once, because
// they may stand in the user's Go configuration, which is switched off for the build.
var kept = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY",
	"GOSUMDB", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// fixed are the settings that change what is built. An empty GOFLAGS would not override a configuration file, so it repeats a flag.
var fixed = []string{
	"CGO_ENABLED=0", "GO111MODULE=on", "GOAMD64=v1", "GOARM64=v8.0", "GOENV=off", "GOEXPERIMENT=", "GOFIPS140=off",
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
	asked := append([]string{"env", "-json", "GOVERSION", "GOROOT"}, kept...)
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
	for _, name := range kept {
		t.environ = append(t.environ, name+"="+values[name])
	}
	t.environ = append(t.environ, fixed...)
	return t, nil
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
	failure := &GoError{Command: name, Output: strings.TrimSpace(problems.String())}
	if workspace(dir) {
		failure.Note = "golam builds from go.mod alone: what only a go.work provides must be a requirement, with a replace directive if need be"
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() < 0 {
		return nil, fmt.Errorf("%s: %w: %s", name, err, failure.Output) // killed by somebody else
	}
	return nil, failure
}

// workspace tells whether a go.work applies to dir.
func workspace(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return true
		}
		if filepath.Dir(dir) == dir {
			return false
		}
	}
}
