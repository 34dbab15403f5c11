package conformance

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// feature is what not every runtime has. For functions in Go some are build tags.
type feature string

const (
	pathInAddress feature = "path"      // in the address of the Runtime API
	requestIDs    feature = "requestid" // in the context of an invocation
	sigterm       feature = "sigterm"   // by an extension of the runtime's own
	streaming     feature = "streaming" // of responses
	trailers      feature = "trailers"  // that report an error in the midst of a response
)

// runtimeLibrary is a library that speaks the Runtime API, at one version.
type runtimeLibrary struct {
	name  string
	build func(t *testing.T) (bootstrap string)
	lacks map[feature]string // and why

	// What differs between languages.
	panicType, panicMessage string
	hasStackTrace           bool // of a panic
	exits                   bool // after a panic, and when an answer is refused
}

const notInVersion = "not in this version"

// runtimes has the first version of aws-lambda-go that knows AWS_LAMBDA_RUNTIME_API, the newest, and some that brought something new:
// WithEnableSIGTERM in 1.34.0, errors in trailers in 1.40.0, concurrency in 1.51.1.
func runtimes() []runtimeLibrary {
	return []runtimeLibrary{
		awsLambdaGo("v1.18.0", "v1.18.0.mod", map[feature]string{
			requestIDs: notInVersion, sigterm: notInVersion, streaming: notInVersion, trailers: notInVersion,
		}),
		awsLambdaGo("v1.34.0", "v1.34.0.mod", map[feature]string{streaming: notInVersion, trailers: notInVersion}),
		awsLambdaGo("v1.40.0", "v1.40.0.mod", nil),
		awsLambdaGo("v1.51.1", "v1.51.1.mod", nil),
		awsLambdaGo("v1.55.1", "go.mod", nil),
		{
			name:         "lambda_runtime 1.5.0 (Rust)",
			build:        buildRust,
			lacks:        map[feature]string{pathInAddress: "refuses it", trailers: "streams only"},
			panicType:    "&alloc::boxed::Box<dyn core::any::Any + core::marker::Send>",
			panicMessage: "Lambda panicked: out of cheese",
		},
		{
			name:          "lambdaruntime of slim projects",
			build:         buildSlim,
			lacks:         map[feature]string{streaming: "not in it", trailers: "not in it"},
			panicType:     "string",
			panicMessage:  "out of cheese",
			hasStackTrace: true,
			exits:         true,
		},
	}
}

// awsLambdaGo is the library at the version that a module file pins.
func awsLambdaGo(version, moduleFile string, lacks map[feature]string) runtimeLibrary {
	return runtimeLibrary{
		name: "aws-lambda-go " + strings.TrimPrefix(version, "v"),
		build: func(t *testing.T) string {
			t.Helper()
			tags := []string{"lambda.norpc"}
			for _, has := range []feature{sigterm, streaming} {
				if lacks[has] == "" {
					tags = append(tags, string(has))
				}
			}
			bootstrap := filepath.Join(t.TempDir(), "bootstrap")
			run(t, "go", "go", "build", "-mod=readonly", "-modfile="+moduleFile, "-trimpath", "-buildvcs=false",
				"-tags", strings.Join(tags, ","), "-ldflags", "-s -w", "-o", bootstrap, ".")
			info, err := buildinfo.ReadFile(bootstrap)
			if err != nil || len(info.Deps) != 1 || info.Deps[0].Version != version {
				t.Fatalf("%s pins %+v, %v", moduleFile, info, err)
			}
			return bootstrap
		},
		lacks:         lacks,
		panicType:     "string",
		panicMessage:  "out of cheese",
		hasStackTrace: true,
		exits:         true,
	}
}

// buildRust builds into a folder that git ignores, so that it takes its minutes only once.
func buildRust(t *testing.T) string {
	t.Helper()
	// rustup's cargo is there without a toolchain, too.
	if err := exec.CommandContext(t.Context(), "cargo", "--version").Run(); err != nil {
		t.Skip("not run: no cargo")
	}
	target, err := filepath.Abs("../../../.cache/conformance")
	if err != nil {
		t.Fatal(err)
	}
	run(t, "rust", "cargo", "build", "--release", "--locked", "--target-dir", target)
	return filepath.Join(target, "release", "function")
}

// buildSlim builds a function with the runtime that a slim project has: in a module of that name, with the packages as they are rendered.
func buildSlim(t *testing.T) string {
	t.Helper()
	spec, err := kinds.All().Resolve(generator.Answers{"name": "function", "module": "example.com/function", "runtime": "slim"})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := generator.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, err := generator.Write(t.Context(), folder, tree, generator.WriteOptions{Overwrite: true}); err != nil {
		t.Fatal(err)
	}
	function, err := os.ReadFile(filepath.Join("testdata", "functions", "slim", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "cmd", "token-customizer", "main.go"), function, 0o600); err != nil {
		t.Fatal(err)
	}
	bootstrap := filepath.Join(folder, "bootstrap")
	run(t, folder, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", bootstrap, "./cmd/token-customizer")
	return bootstrap
}

// run runs a program in a folder, by default one of testdata/functions.
func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	if cmd.Dir = dir; !filepath.IsAbs(dir) {
		cmd.Dir = filepath.Join("testdata", "functions", dir)
	}
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}
