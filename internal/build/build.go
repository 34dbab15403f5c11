// Package build finds the Lambda functions of a Go module and builds them: into reproducible packages for Lambda ([Build]), and for this
// machine ([ForHost]).
//
// What belongs here: finding functions, the one recipe of a build, what goes into a package, and knowing when a binary is out of date.
// What does not: running functions, watching files, and printing.
//
// The same source gives the same bytes whatever the folder, the user, and the user's Go configuration. Only the version of Go itself
// makes a difference; which one it is, the module and the user decide as ever (go.mod, GOTOOLCHAIN).
package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/golam-cli/golam/generator"
)

// Options say what to build.
type Options struct {
	// Dir is a folder of the project.
	Dir string
	// Functions are names; all functions if there are none.
	Functions []string
	// Arch is one of [Architectures], or empty for the project's.
	Arch string
	// Include are files and folders that go into every package, relative to the project.
	Include []string
	// Verify builds everything a second time, from a copy of the sources in another folder and with an empty build cache, and compares.
	Verify bool
	// Environ are environment variables for the go command, each as "name=value".
	Environ []string
	// Progress is told what takes long; it may be nil.
	Progress func(string)
}

// Result is what was built.
type Result struct {
	// Root is the project's folder.
	Root string `json:"root"`
	// Go is the version that built it, such as go1.26.8.
	Go   string `json:"go"`
	Arch string `json:"arch"`
	// Verified tells that a second build gave the same bytes.
	Verified  bool    `json:"verified"`
	Functions []Built `json:"functions"`
}

// Built is a function with its package.
type Built struct {
	Function
	Bootstrap Artifact `json:"bootstrap"`
	Zip       Artifact `json:"zip"`
	// Unzipped is the size of all files of the package, in bytes.
	Unzipped int64 `json:"unzipped"`
	// Modules are the parts of the bootstrap's code, the largest first.
	Modules []Module `json:"modules"`
	// ModulesProblem says why there are none: a newer Go than golam's own may write binaries that golam cannot read.
	ModulesProblem string `json:"modulesProblem,omitempty"`
}

// Artifact is a file in dist.
type Artifact struct {
	// Path is relative to the project, slash separated.
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Change in bytes since the build before; nil if there was none for the same architecture.
	Change *int64 `json:"change"`
}

// distFolder is where packages go.
const distFolder = "dist"

// Build builds functions for Lambda into dist/<function>/bootstrap and dist/<function>.zip, as a whole or not at all. What else is in
// dist stays, but for files that an earlier package had and this one has not.
//
// Errors: [MisuseError], [GoError], [DifferenceError], the context's, and what the machine could not do.
func Build(ctx context.Context, options Options) (Result, error) {
	job, list, err := newJob(ctx, options)
	if err != nil {
		return Result{}, err
	}
	packages, err := job.run(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := checkLimits(packages); err != nil {
		return Result{}, err
	}
	if options.Verify {
		if options.Progress != nil {
			options.Progress("building again, from a copy and with an empty build cache: this takes a minute or so")
		}
		if err := verify(ctx, job, list, options.Include, packages); err != nil {
			return Result{}, err
		}
	}
	result := Result{Root: job.root, Go: job.toolchain.version, Arch: job.arch, Verified: options.Verify}
	before := readDist(job.root, job.functions, goarch(job.arch))
	for i, p := range packages {
		built := Built{Function: p.function, Unzipped: p.unzipped()}
		built.Bootstrap = artifact(p.function.Name+"/"+bootstrapName, p.bootstrap(), before[i].bootstrap)
		built.Zip = artifact(p.function.Name+".zip", p.zip, before[i].zip)
		if built.Modules, err = modules(p.bootstrap()); err != nil {
			built.ModulesProblem = err.Error()
		}
		result.Functions = append(result.Functions, built)
	}
	return result, writeDist(ctx, job.root, packages, before)
}

// job is one build of some functions.
type job struct {
	toolchain *toolchain
	root      string
	arch      string
	platform  []string
	functions []Function
	included  []file
}

// newJob finds out what is to be built. The listing is of the whole project.
func newJob(ctx context.Context, options Options) (job, *listing, error) {
	project, err := Open(options.Dir)
	if err != nil {
		return job{}, nil, err
	}
	arch := options.Arch
	if arch == "" {
		arch = project.Arch
	}
	var problems []string
	if !slices.Contains(Architectures(), arch) {
		problems = append(problems, generator.Unknown("--arch", arch, Architectures()))
	}
	included, err := readIncludes(project.Root, options.Include)
	if misused, ok := errors.AsType[*MisuseError](err); ok {
		problems = append(problems, misused.text)
	} else if err != nil {
		return job{}, nil, err
	}
	if err := misuses(problems); err != nil {
		return job{}, nil, err
	}
	toolchain, err := findToolchain(ctx, project.Root, options.Environ)
	if err != nil {
		return job{}, nil, err
	}
	system := platform("linux", goarch(arch))
	list, err := toolchain.list(ctx, project, system)
	if err != nil {
		return job{}, nil, err
	}
	all, err := list.functions()
	if err != nil {
		return job{}, nil, err
	}
	functions, err := choose(all, options.Functions)
	if err != nil {
		return job{}, nil, err
	}
	return job{toolchain, project.Root, arch, system, functions, included}, list, nil
}

// packaged is a function with the files of its package, the bootstrap first.
type packaged struct {
	function Function
	files    []file
	zip      []byte
}

func (p packaged) bootstrap() []byte { return p.files[0].content }

func (p packaged) unzipped() int64 {
	var total int64
	for _, file := range p.files {
		total += int64(len(file.content))
	}
	return total
}

// run compiles all functions with one go command, which works on them in parallel and on what they share once, and packs them in
// parallel too.
func (j job) run(ctx context.Context) ([]packaged, error) {
	binaries, err := j.compile(ctx, recipe)
	if err != nil {
		return nil, err
	}
	packages := make([]packaged, len(j.functions))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, function := range j.functions {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var err error
			files := append([]file{newBootstrap(binaries[i])}, j.included...)
			packages[i] = packaged{function: function, files: files}
			packages[i].zip, err = pack(files)
			return err
		})
	}
	return packages, group.Wait()
}

// compile builds the functions with one go command and returns their binaries in the same order.
func (j job) compile(ctx context.Context, recipe []string) (binaries [][]byte, err error) {
	folder, err := os.MkdirTemp("", "golam-build-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var paths []string
	for _, function := range j.functions {
		paths = append(paths, function.Package)
	}
	if err := j.toolchain.build(ctx, j.root, recipe, j.platform, folder+string(filepath.Separator), paths...); err != nil {
		return nil, err
	}
	for _, function := range j.functions {
		binary, err := os.ReadFile(filepath.Join(folder, function.program()))
		if err != nil {
			return nil, fmt.Errorf("read what was built: %w", err)
		}
		binaries = append(binaries, binary)
	}
	return binaries, nil
}

// checkLimits refuses what Lambda would refuse in any case. A package that is too large for a direct upload can go through S3.
func checkLimits(packages []packaged) error {
	for _, p := range packages {
		if p.unzipped() > UnzippedLimit {
			return fmt.Errorf("the package of %s has %d bytes unzipped, and Lambda takes %d: include less, or use a container image",
				p.function.Name, p.unzipped(), UnzippedLimit)
		}
	}
	return nil
}

func artifact(name string, content []byte, before int64) Artifact {
	made := Artifact{Path: distFolder + "/" + name, Bytes: int64(len(content)), SHA256: sumOf(content)}
	if before > 0 {
		change := made.Bytes - before
		made.Change = &change
	}
	return made
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// DifferenceError says that two builds of the same source differ.
type DifferenceError struct {
	// Path is that of the file in dist.
	Path string
	// First and Second are the SHA-256 of the two, in hexadecimal.
	First, Second string
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("%s is not reproducible, so nothing was written: the first build gives %s, the second, from a copy in another "+
		"folder, %s", e.Path, e.First, e.Second)
}

// verify builds a copy of the sources and compares. The build cache is an empty one of its own, and not only -a, so that nothing of the
// first build can take part in the second: not even the compiled standard library. Only the module cache is shared, whose content go.sum
// vouches for.
func verify(ctx context.Context, first job, list *listing, include []string, packages []packaged) (err error) {
	folder, err := os.MkdirTemp("", "golam-verify-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var reached []goPackage
	for _, function := range first.functions {
		reached = append(reached, list.reach(function.Package)...)
	}
	files := list.inputs(reached)
	for _, included := range first.included {
		files = append(files, filepath.Join(first.root, filepath.FromSlash(included.path)))
	}
	second := first
	if second.root, err = copyInputs(filepath.Join(folder, "another", "folder"), first.root, files); err != nil {
		return fmt.Errorf("copy the sources: %w", err)
	}
	if second.included, err = readIncludes(second.root, include); err != nil {
		return err
	}
	second.platform = append(slices.Clone(first.platform), "GOCACHE="+filepath.Join(folder, "cache"), "GOCACHEPROG=")
	again, err := second.run(ctx)
	if err != nil {
		return err
	}
	return compare(packages, again)
}

func compare(first, second []packaged) error {
	for i, p := range first {
		path := distFolder + "/" + p.function.Name
		if !bytes.Equal(p.bootstrap(), second[i].bootstrap()) {
			return &DifferenceError{path + "/" + bootstrapName, sumOf(p.bootstrap()), sumOf(second[i].bootstrap())}
		}
		if !bytes.Equal(p.zip, second[i].zip) {
			return &DifferenceError{path + ".zip", sumOf(p.zip), sumOf(second[i].zip)}
		}
	}
	return nil
}

// copyInputs copies files to a folder so that they stand to each other as before, and returns where the root is then. A replace directive
// may have brought in files from beside the root.
func copyInputs(folder, root string, files []string) (string, error) {
	above := root
	for _, file := range files {
		for !within(above, file) {
			parent := filepath.Dir(above)
			if parent == above {
				return "", fmt.Errorf("%s is on another volume than the project: move one of them", file)
			}
			above = parent
		}
	}
	place := func(path string) (string, error) {
		relative, err := filepath.Rel(above, path)
		return filepath.Join(folder, relative), err
	}
	for _, file := range files {
		target, err := place(file)
		if err != nil {
			return "", err
		}
		info, err := os.Stat(file)
		if err != nil {
			return "", err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(target, content, 0o600|info.Mode()&0o100); err != nil {
			return "", err
		}
	}
	return place(root)
}

func within(dir, path string) bool {
	relative, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(relative)
}
