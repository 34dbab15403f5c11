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
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
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
	// Cache is the folder for what golam knows about projects: the user's cache folder. Binaries and packages are kept in it, so that what
	// has not changed is neither linked nor packed again. If it is empty or cannot be used, nothing is kept.
	Cache string
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
	// Failed are the functions that could not be built. What dist has of them stays as it was.
	Failed []Failed `json:"failed,omitempty"`
	// Notes name what may have been meant as a function and is none, with the reason.
	Notes []string `json:"notes,omitempty"`
}

// Failed is a function that could not be built.
type Failed struct {
	Function
	// Problem says why: that of Err, for JSON.
	Problem string `json:"problem"`
	// Err is a [GoError] or a [BrokenError].
	Err error `json:"-"`
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

// Build builds functions for Lambda into dist/<function>/bootstrap and dist/<function>.zip. The packages of all functions that can be built
// are written, or none is. What else is in dist stays, but for files that an earlier package had and this one has not. If no function can
// be built, that is an error; otherwise Result names those that cannot.
//
// Errors: [misuse.Error], [GoError], [BrokenError], [DifferenceError], the context's, and what the machine could not do.
func Build(ctx context.Context, options Options) (_ Result, err error) {
	job, err := newJob(ctx, options)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, job.close()) }()
	packages, failed, err := job.run(ctx)
	if err != nil {
		return Result{}, err
	}
	if len(packages) == 0 {
		return Result{}, allFailed(failed)
	}
	if err := checkLimits(packages); err != nil {
		return Result{}, err
	}
	if options.Verify {
		if options.Progress != nil {
			options.Progress("building again, from a copy and with an empty build cache: this takes a minute or so")
		}
		if err := verify(ctx, job, packages); err != nil {
			return Result{}, err
		}
	}
	result := Result{
		Root: job.root, Go: job.toolchain.version, Arch: job.arch, Verified: options.Verify, Failed: failed, Notes: job.known.Notes,
	}
	if _, err := generator.Recover(filepath.Join(job.root, distFolder)); err != nil {
		return Result{}, fmt.Errorf("write the packages: %w", err)
	}
	before := readDist(job.root, packages, goarch(job.arch))
	for i, p := range packages {
		built := Built{Function: p.function, Unzipped: p.unzipped(), Modules: p.Modules, ModulesProblem: p.ModulesProblem}
		built.Bootstrap = artifact(p.function.Name+"/"+bootstrapName, p.Size, p.Sum, before[i].bootstrap)
		built.Zip = artifact(p.function.Name+".zip", p.ZipSize, p.ZipSum, before[i].zip)
		result.Functions = append(result.Functions, built)
	}
	if err := writeDist(ctx, job.root, packages, before); err != nil {
		return result, err
	}
	job.kept.placed(job.root, packages)
	return result, nil
}

// allFailed is the error of a build of which nothing came. Functions often share a reason.
func allFailed(failed []Failed) error {
	var problems []error
	for _, f := range failed {
		if !slices.ContainsFunc(problems, func(err error) bool { return err.Error() == f.Err.Error() }) {
			problems = append(problems, f.Err)
		}
	}
	return errors.Join(problems...)
}

// job is one build of some functions.
type job struct {
	toolchain *toolchain
	project   Project
	root      string
	arch      string
	platform  []string
	known     index
	functions []indexed
	included  map[string][]file // by function
	kept      *kept
	ahead     *ahead // nil if nothing was compiled ahead
}

// ahead is what was compiled while the project was looked at: the functions of the last build, which are mostly those of this one.
type ahead struct {
	functions []indexed
	binaries  []file
	failed    []Failed
	err       error
}

func (j *job) close() error { return j.kept.close() }

// newJob finds out what is to be built.
func newJob(ctx context.Context, options Options) (_ *job, err error) {
	project, err := Open(options.Dir)
	if err != nil {
		return nil, err
	}
	j := &job{project: project, root: project.Root, arch: cmp.Or(options.Arch, project.Arch), included: map[string][]file{}}
	var problems []string
	if !slices.Contains(Architectures(), j.arch) {
		problems = append(problems, generator.Unknown("--arch", j.arch, Architectures()))
	}
	fromOption, err := readIncludes(project.Root, options.Include)
	if misused, ok := errors.AsType[*misuse.Error](err); ok {
		problems = append(problems, misused.Error())
	} else if err != nil {
		return nil, err
	}
	if err := misuse.Join(problems); err != nil {
		return nil, err
	}
	j.platform = platform("linux", goarch(j.arch))
	if j.kept, err = openKept(ctx, options.Cache, project, j.arch); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close())
		}
	}()
	asked := askForToolchain(ctx, project.Root, options.Environ)
	known, fresh := j.kept.Index.edited(project)
	if j.toolchain, err = asked(); err != nil {
		return nil, err
	}
	if fresh && known.Toolchain == j.toolchain.identity() {
		j.known = known
	} else if err = j.look(ctx, project, options.Functions); err != nil {
		return nil, err
	}
	j.kept.Index = j.known.certain()
	if j.functions, err = chosenOf(j.known, options.Functions); err != nil {
		return nil, err
	}
	for _, f := range j.functions {
		more, err := included(project.Root, project.entry(f.Name))
		if err != nil {
			return nil, err
		}
		if j.included[f.Name], err = both(fromOption, more); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// both joins the files of --include and those of golam.yaml.
func both(first, second []file) ([]file, error) {
	for _, f := range second {
		for _, other := range first {
			if strings.EqualFold(f.path, other.path) && f.name != other.name {
				return nil, misuse.New("--include %s and the include of %s in %s would both be %s in the package: leave one out",
					other.name, f.name, generator.ProjectFile, f.path)
			}
		}
	}
	return slices.CompactFunc(slices.SortedFunc(slices.Values(slices.Concat(first, second)), func(a, b file) int {
		return strings.Compare(a.path, b.path)
	}), func(a, b file) bool { return a.path == b.path }), nil
}

// look has the go command list the project. Names are those of the functions to build, which are compiled meanwhile.
func (j *job) look(ctx context.Context, project Project, names []string) (err error) {
	wait := j.compileAhead(ctx, j.kept.Index, names)
	j.known, _, err = look(ctx, j.toolchain, project, j.platform, j.kept.Index)
	wait(err == nil)
	return err
}

// compileAhead compiles functions of an index that is out of date, while the project is looked at. The returned function waits for that,
// or ends it if its outcome is of no use.
func (j *job) compileAhead(ctx context.Context, known index, names []string) (wait func(useful bool)) {
	functions, err := chosenOf(known, names)
	if err != nil || len(functions) == 0 || known.Watched.Root != j.root ||
		slices.ContainsFunc(functions, func(f indexed) bool { return f.Problem != "" }) {
		return func(bool) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	copied := *j
	copied.functions = functions
	done := make(chan *ahead, 1)
	go func() {
		made := &ahead{functions: functions}
		made.binaries, made.failed, made.err = copied.compile(ctx, "link", recipe)
		done <- made
	}()
	return func(useful bool) {
		defer cancel()
		if !useful {
			cancel()
		}
		if made := <-done; useful {
			j.ahead = made
		}
	}
}

// use says whether what was compiled ahead are the functions of this build.
func (a *ahead) use(functions []indexed) bool {
	return a != nil && slices.EqualFunc(a.functions, functions, func(a, b indexed) bool {
		return a.Function == b.Function && b.Problem == ""
	})
}

// chosenOf returns the functions of the given names of an index, or all if there are none.
func chosenOf(known index, names []string) ([]indexed, error) {
	var all []Function
	for _, f := range known.Functions {
		all = append(all, f.Function)
	}
	chosen, err := choose(all, names, known.Notes)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(known.Functions), func(f indexed) bool { return !slices.Contains(chosen, f.Function) }), nil
}

// packaged is a function with its package.
type packaged struct {
	record
	function Function
	binary   file
	included []file
	zip      string // the absolute path of the package
}

// files are those of the package, the bootstrap first.
func (p packaged) files() []file { return append([]file{p.binary}, p.included...) }

func (p packaged) unzipped() int64 {
	var total int64
	for _, file := range p.files() {
		total += file.size
	}
	return total
}

// run compiles functions and packs them. The failed ones are those that the go command cannot build.
func (j *job) run(ctx context.Context) (packages []packaged, failed []Failed, err error) {
	var binaries []file
	if j.ahead.use(j.functions) {
		binaries, failed, err = j.ahead.binaries, j.ahead.failed, j.ahead.err
	} else {
		binaries, failed, err = j.compile(ctx, "link", recipe)
	}
	if err != nil {
		return nil, nil, err
	}
	made := make([]packaged, len(j.functions))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range j.functions {
		if binaries[i].path == "" {
			continue
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			made[i] = packaged{function: f.Function, binary: binaries[i], included: j.included[f.Name]}
			return j.kept.pack(&made[i])
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	packages = slices.DeleteFunc(made, func(p packaged) bool { return p.function.Name == "" })
	return packages, failed, nil
}

// compile builds the functions into a folder that is kept, where the go command finds by itself what is up to date. It returns their
// binaries in the order of the functions, empty for those that cannot be built. One go command works on all functions in parallel, and on
// what they share once, but binaries of the same name need one each.
func (j *job) compile(ctx context.Context, kind string, recipe []string) (binaries []file, failed []Failed, err error) {
	binaries = make([]file, len(j.functions))
	problems := make([]error, len(j.functions))
	var sound []int
	for i, f := range j.functions {
		if problems[i] = f.problem(); problems[i] == nil {
			sound = append(sound, i)
		}
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for round, functions := range rounds(sound, func(i int) Function { return j.functions[i].Function }) {
		group.Go(func() error {
			folder := filepath.Join(j.kept.dir, kind, strconv.Itoa(round))
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return fmt.Errorf("the cache in %s: %w", j.kept.dir, err)
			}
			if err := j.link(ctx, recipe, folder, functions, problems); err != nil {
				return err
			}
			for _, i := range functions {
				if problems[i] != nil {
					continue
				}
				binaries[i] = newBootstrap(folder, j.functions[i].program(), 0)
				info, err := os.Lstat(filepath.Join(folder, binaries[i].name))
				if err != nil {
					return fmt.Errorf("read what was built: %w", err)
				}
				binaries[i].size = info.Size()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for i, f := range j.functions {
		if problems[i] != nil {
			failed = append(failed, Failed{f.Function, problems[i].Error(), problems[i]})
		}
	}
	return binaries, failed, nil
}

// rounds puts functions into groups within which no two binaries have the same name.
func rounds[T any](items []T, function func(T) Function) [][]T {
	var groups [][]T
	same := map[string]int{}
	for _, item := range items {
		program := strings.ToLower(function(item).program())
		round := same[program]
		if round == len(groups) {
			groups = append(groups, nil)
		}
		groups[round] = append(groups[round], item)
		same[program]++
	}
	return groups
}

// link builds functions into a folder with one go command. If that fails, it asks for each function alone whether it can be built: the
// folder may hold an older binary of those that cannot.
func (j *job) link(ctx context.Context, recipe []string, folder string, functions []int, problems []error) (err error) {
	// A go command that was killed may have left half a binary, which the next one would take for a whole one.
	mark := folder + ".linking"
	for _, i := range functions {
		if name := filepath.Join(folder, j.functions[i].program()); !j.kept.sound(j.functions[i].Name, name, isFile(mark)) {
			if err := os.RemoveAll(name); err != nil {
				return fmt.Errorf("the cache in %s: %w", j.kept.dir, err)
			}
		}
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return fmt.Errorf("the cache in %s: %w", j.kept.dir, err)
	}
	defer func() {
		if err == nil {
			err = os.Remove(mark)
		}
	}()
	var paths []string
	for _, i := range functions {
		paths = append(paths, j.functions[i].Package)
	}
	target := folder + string(filepath.Separator)
	err = j.toolchain.build(ctx, j.root, recipe, j.platform, target, paths...)
	if err == nil {
		return nil
	}
	if _, mistaken := errors.AsType[*GoError](err); !mistaken || MachineFault(err) {
		return err
	}
	if len(functions) == 1 {
		problems[functions[0]] = err
		return nil
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range functions {
		group.Go(func() error {
			err := j.toolchain.build(ctx, j.root, recipe, j.platform, target, j.functions[i].Package)
			if _, mistaken := errors.AsType[*GoError](err); mistaken && !MachineFault(err) {
				problems[i], err = err, nil
			}
			return err
		})
	}
	return group.Wait()
}

// checkLimits refuses what Lambda would refuse in any case. A package that is too large for a direct upload can go through S3.
func checkLimits(packages []packaged) error {
	for _, p := range packages {
		if p.unzipped() > quotas.MaxUnzipped {
			return fmt.Errorf("the package of %s has %d bytes unzipped, and Lambda takes %d: include less, or use a container image",
				p.function.Name, p.unzipped(), quotas.MaxUnzipped)
		}
	}
	return nil
}

func artifact(name string, size int64, sum string, before int64) Artifact {
	made := Artifact{Path: distFolder + "/" + name, Bytes: size, SHA256: sum}
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
func verify(ctx context.Context, first *job, packages []packaged) (err error) {
	folder, err := os.MkdirTemp("", "golam-verify-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	second := *first
	second.functions = nil
	var files []string
	for _, f := range first.functions {
		if !slices.ContainsFunc(packages, func(p packaged) bool { return p.function == f.Function }) {
			continue // it could not be built
		}
		second.functions = append(second.functions, f)
		for _, i := range f.Files {
			files = append(files, first.known.Files[i])
		}
		for _, included := range first.included[f.Name] {
			files = append(files, filepath.Join(first.root, filepath.FromSlash(included.name)))
		}
	}
	slices.Sort(files)
	if second.root, err = copyInputs(filepath.Join(folder, "another", "folder"), first.root, slices.Compact(files)); err != nil {
		return fmt.Errorf("copy the sources: %w", err)
	}
	second.included = map[string][]file{}
	for name, included := range first.included {
		for _, f := range included {
			f.root = second.root
			second.included[name] = append(second.included[name], f)
		}
	}
	second.ahead = nil
	second.kept = &kept{dir: filepath.Join(folder, "packages"), slots: newSlots(), Records: map[string]record{}}
	second.platform = append(slices.Clone(first.platform), "GOCACHE="+filepath.Join(folder, "cache"), "GOCACHEPROG=")
	again, failed, err := second.run(ctx)
	if err == nil && len(failed) > 0 {
		err = allFailed(failed)
	}
	if err != nil {
		return err
	}
	return compare(packages, again)
}

func compare(first, second []packaged) error {
	for i, p := range first {
		path := distFolder + "/" + p.function.Name
		if p.Sum != second[i].Sum {
			return &DifferenceError{path + "/" + bootstrapName, p.Sum, second[i].Sum}
		}
		if p.ZipSum != second[i].ZipSum {
			return &DifferenceError{path + ".zip", p.ZipSum, second[i].ZipSum}
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
