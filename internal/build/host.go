package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/golam-cli/golam/internal/misuse"
)

// HostOptions say which function to build for this machine.
type HostOptions struct {
	// Dir is a folder of the project.
	Dir string
	// Function is a name. It may be empty if the project has one function only.
	Function string
	// Cache is the folder for bootstraps and for what golam knows about projects: the user's cache folder.
	Cache string
	// Environ are environment variables for the go command, each as "name=value".
	Environ []string
}

// Host is a function that is ready to run on this machine.
type Host struct {
	Project  Project
	Function Function
	// Bootstrap is the absolute path of the executable file, in the cache. A later build replaces it.
	Bootstrap string
	// Dir is the folder to run it in, which stands for the root of its package: the project's, unless golam.yaml includes files in the
	// package that lie beside the function.
	Dir string
	// Built tells that it was out of date and has been built.
	Built bool
}

// ForHost gives a function's bootstrap for this machine. It is built with the recipe of [Build] if anything that can change it has changed
// since the last time: a source or embedded file, a new file, go.mod, the vendor folder, golam.yaml, or the toolchain. What is wrong with
// other functions does not matter. Errors: [misuse.Error], [GoError], [BrokenError], and what the machine could not do.
func ForHost(ctx context.Context, options HostOptions) (Host, error) {
	project, err := Open(options.Dir)
	if err != nil {
		return Host{}, err
	}
	cache, err := openCache(ctx, options.Cache, project)
	if err != nil {
		return Host{}, fmt.Errorf("the cache in %s: %w", options.Cache, err)
	}
	defer cache.close()

	asked := askForToolchain(ctx, project.Root, options.Environ)
	known, ok := cache.read()
	fresh, glanced := ok && known.fresh(options.Function), false
	if fresh {
		tree := known.Watched.tree(known.Tree)
		glanced = !slices.EqualFunc(tree, known.Tree, func(a, b folder) bool { return a.Path == b.Path && a.Time == b.Time })
		fresh, known.Tree = known.sameTree(tree), tree
	}
	toolchain, err := asked()
	if err != nil {
		return Host{}, err
	}
	if !fresh || known.Toolchain != toolchain.identity() {
		fresh = false
		if now, ok := known.edited(project); ok && known.Toolchain == toolchain.identity() {
			known = now
		} else if known, _, err = look(ctx, toolchain, project, platform(runtime.GOOS, runtime.GOARCH), known); err != nil {
			return Host{}, err
		}
	}
	i, err := known.find(options.Function)
	if err != nil {
		return Host{}, err
	}
	function := &known.Functions[i]
	if err := function.problem(); err != nil {
		return Host{}, err
	}
	host := Host{Project: project, Function: function.Function, Bootstrap: cache.bootstrap(function.Name)}
	if host.Dir, err = taskFolder(project, function.Name, filepath.Join(cache.dir, function.Name, "task")); err != nil {
		return Host{}, err
	}
	if function.Built != function.Inputs || !function.Binary.is(host.Bootstrap) {
		host.Built = true
		if err := cache.build(ctx, toolchain, function); err != nil {
			return Host{}, err
		}
		if !known.current(i) {
			function.Built = "" // it is not known whether it was built from the files before an edit or after it
		}
	}
	if host.Built || !fresh || glanced {
		err = cache.write(known)
	}
	return host, err
}

// index is what golam knows about a project: everything that its functions are built from.
type index struct {
	Format    int       `json:"format"`
	Toolchain string    `json:"toolchain"`
	Watched   watched   `json:"watched"`
	Names     string    `json:"names"`
	Tree      []folder  `json:"tree"`
	Files     []string  `json:"files"`
	Sums      []string  `json:"sums"`
	Heads     []string  `json:"heads"`
	Functions []indexed `json:"functions"`
	// Notes name what may have been meant as a function.
	Notes []string `json:"notes,omitempty"`

	// unsure: files have changed while they were looked at, so the next golam has to look again.
	unsure bool
	// doubtful are those of Files that have changed since they were read, perhaps, though not in their heads.
	doubtful []int
}

const indexFormat = 4

type indexed struct {
	Function
	// Problem says why the function cannot be built, and Command which go command said so, if one did.
	Problem string `json:"problem,omitempty"`
	Command string `json:"command,omitempty"`
	Note    string `json:"note,omitempty"` // that of the GoError
	// Files, Dirs and Patterns are those of the index that the function is built from, by their numbers.
	Files    []int `json:"files"`
	Dirs     []int `json:"dirs"`
	Patterns []int `json:"patterns,omitempty"`
	// Names sums up the names of the files in Dirs and of those that Patterns match.
	Names string `json:"names"`
	// Inputs sums up all that the function is built from; Built is what it was when the binary was built.
	Inputs string `json:"inputs"`
	Built  string `json:"built"`
	Binary stamp  `json:"binary"`
	// Payload is how it takes HTTP requests. Only a Live finds that out.
	Payload Payload `json:"payload"`
}

// problem is why the function cannot be built, nil if it can.
func (f indexed) problem() error {
	switch {
	case f.Problem == "":
		return nil
	case f.Command != "":
		return &GoError{Command: f.Command, Output: f.Problem, Note: f.Note}
	}
	return &BrokenError{f.Problem}
}

// stamp tells a file from another.
type stamp struct {
	Size int64 `json:"size"`
	Time int64 `json:"time"`
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Size(), info.ModTime().UnixNano()}, nil
}

func (s stamp) is(path string) bool {
	now, err := stampOf(path)
	return err == nil && now == s
}

// identity changes when the same source may give another binary.
func (t *toolchain) identity() string {
	return fmt.Sprintf("%s in %s, %s/%s, %q, %q", t.version, t.root, runtime.GOOS, runtime.GOARCH, recipe, fixed)
}

// clockStep is more than the time by which a file that is written now may seem older.
const clockStep = 20 * time.Millisecond

// look makes an index for a platform. What was built for the last one stays known.
func look(ctx context.Context, toolchain *toolchain, project Project, platform []string, last index) (index, *listing, error) {
	began := project.opened.Add(-clockStep) // golam.yaml may have changed since
	list, err := toolchain.list(ctx, project, platform, last.Tree)
	if err != nil {
		return index{}, nil, err
	}
	functions, err := list.functions()
	if err != nil {
		return index{}, nil, err
	}
	var all []goPackage
	for _, p := range list.packages {
		all = append(all, p)
	}
	now := index{
		Format: indexFormat, Toolchain: toolchain.identity(), Watched: list.watch(all), Files: append(list.inputs(all), list.sources...),
		Notes: list.notes,
	}
	slices.Sort(now.Files)
	now.Files = slices.Compact(now.Files)
	var looked []string
	now.Names, looked, now.Tree = now.Watched.names(list.tree)
	if now.Sums, err = sums(now.Files); err != nil {
		return index{}, nil, fmt.Errorf("read the sources: %w", err)
	}
	now.Heads = heads(now.Files)
	// What was written since go list began may have been read by it as it was before.
	now.unsure = slices.ContainsFunc(slices.Concat(now.Files, looked), changedAfter(began))
	number, dirNumber, patternNumber := numbers(now.Files), numbers(now.Watched.Dirs), numbers(now.Watched.Patterns)
	for _, function := range functions {
		entry := indexed{Function: function.Function}
		reached := list.reach(function.Package)
		for _, file := range list.inputs(reached) {
			entry.Files = append(entry.Files, number[file])
		}
		own := list.watch(reached)
		entry.Names = own.own()
		for _, dir := range own.Dirs {
			entry.Dirs = append(entry.Dirs, dirNumber[dir])
		}
		for _, pattern := range own.Patterns {
			entry.Patterns = append(entry.Patterns, patternNumber[pattern])
		}
		if function.err != nil {
			entry.Problem = function.err.Error()
		}
		if failure, ok := errors.AsType[*GoError](function.err); ok {
			entry.Problem, entry.Command, entry.Note = failure.Output, failure.Command, failure.Note
		}
		entry.Inputs = now.inputsOf(entry)
		if i := slices.IndexFunc(last.Functions, func(f indexed) bool { return f.Function == function.Function }); i >= 0 {
			entry.Built, entry.Binary = last.Functions[i].Built, last.Functions[i].Binary
			if last.Functions[i].Inputs == entry.Inputs && !last.unsure && last.Sums != nil {
				entry.Payload = last.Functions[i].Payload
			}
		}
		now.Functions = append(now.Functions, entry)
	}
	return now, list, nil
}

// changedAfter is a test of whether a file or a folder has changed after a time.
func changedAfter(since time.Time) func(path string) bool {
	return func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.ModTime().After(since)
	}
}

// findPayloads finds out how functions take HTTP requests, as far as that is not known.
func (x index) findPayloads(list *listing) {
	payloads := newPayloads(list)
	for i := range x.Functions {
		if f := &x.Functions[i]; f.Payload.Format == "" {
			f.Payload = payloads.of(f.Function)
		}
	}
}

// numbers gives the place of each value.
func numbers[T comparable](values []T) map[T]int {
	found := make(map[T]int, len(values))
	for i, value := range values {
		found[value] = i
	}
	return found
}

// find returns the index of the function of that name, or of the only one if the name is empty.
func (x index) find(name string) (int, error) {
	var functions []Function
	for _, function := range x.Functions {
		functions = append(functions, function.Function)
	}
	if name == "" {
		if len(functions) > 1 {
			var names []string
			for _, function := range functions {
				names = append(names, function.Name)
			}
			return 0, misuse.New("the project has several functions: name one of %s", strings.Join(names, ", "))
		}
		return 0, nil
	}
	chosen, err := choose(functions, []string{name}, x.Notes)
	if err != nil {
		return 0, err
	}
	return slices.Index(functions, chosen[0]), nil
}

// fresh says whether the index still describes a function, but for the folders of the project and the toolchain. It never does if it
// names no such function, or one that could not be built: the reason may be gone, as a network's is. For the only function of a project
// it has to describe the others too, since an edit may have added one.
func (x index) fresh(name string) bool {
	i, err := x.find(name)
	return err == nil && x.Functions[i].Problem == "" && x.current(i) && (name != "" || x.allCurrent())
}

// allCurrent says whether all files are those that the index knows.
func (x index) allCurrent() bool {
	now, err := sums(x.Files)
	return err == nil && slices.Equal(now, x.Sums)
}

// current says whether the files of a function are those that the index knows.
func (x index) current(i int) bool {
	f := x.Functions[i]
	if len(x.Sums) != len(x.Files) {
		return false // it was not sure
	}
	own := watched{Root: x.Watched.Root}
	var files, wanted []string
	for _, n := range f.Files {
		files, wanted = append(files, x.Files[n]), append(wanted, x.Sums[n])
	}
	for _, n := range f.Dirs {
		own.Dirs = append(own.Dirs, x.Watched.Dirs[n])
	}
	for _, n := range f.Patterns {
		own.Patterns = append(own.Patterns, x.Watched.Patterns[n])
	}
	now, err := sums(files)
	return err == nil && slices.Equal(now, wanted) && own.own() == f.Names
}

// sameTree says whether the project's folders hold the files that the index knows.
func (x index) sameTree(tree []folder) bool {
	names := func(tree []folder) (sum []string) {
		for _, f := range tree {
			if f.Names != "" || f.Path == "vendor" {
				sum = append(sum, f.Path+" "+f.Names)
			}
		}
		return sum
	}
	return slices.Equal(names(tree), names(x.Tree))
}

// cache is the folder in the cache that ForHost uses for a project. Its lock is held until it is closed.
type cache struct {
	root    string // the user's cache folder
	dir     string
	project Project
	lock    *flock.Flock
}

const indexName = "index.json"

func openCache(ctx context.Context, dir string, project Project) (*cache, error) {
	c := &cache{root: dir, project: project}
	var err error
	if c.dir, err = openProjectCache(dir, project, invokeFolder); err != nil {
		return nil, err
	}
	c.lock = flock.New(filepath.Join(c.dir, ".lock"))
	if _, err := c.lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *cache) close() { _ = c.lock.Close() }

// whole says whether all numbers lead somewhere: the file may have been written by anybody.
func (x index) whole() bool {
	for _, f := range x.Functions {
		for _, list := range []struct {
			numbers []int
			length  int
		}{{f.Files, len(x.Files)}, {f.Dirs, len(x.Watched.Dirs)}, {f.Patterns, len(x.Watched.Patterns)}} {
			if slices.ContainsFunc(list.numbers, func(n int) bool { return n < 0 || n >= list.length }) {
				return false
			}
		}
	}
	return true
}

// read returns what is known about this project.
func (c *cache) read() (known index, ok bool) {
	data, err := os.ReadFile(filepath.Join(c.dir, indexName))
	if err != nil || json.Unmarshal(data, &known) != nil || known.Format != indexFormat || !known.whole() || known.Watched.Root != c.project.Root || len(known.Functions) == 0 {
		return index{}, false
	}
	return known, true
}

// certain is the index without what does not hold for the next golam.
func (x index) certain() index {
	if x.unsure {
		x.Sums = nil
		return x
	}
	x.Sums = slices.Clone(x.Sums)
	for _, n := range x.doubtful {
		x.Sums[n] = ""
	}
	return x
}

func (c *cache) write(known index) error {
	data, err := json.Marshal(known.certain())
	if err == nil {
		err = replace(filepath.Join(c.dir, indexName), data)
	}
	if err != nil {
		return fmt.Errorf("the cache in %s: %w", c.dir, err)
	}
	return nil
}

// bootstrap is where the binary of a function is kept.
func (c *cache) bootstrap(function string) string {
	return filepath.Join(c.dir, function, "bootstrap"+executable())
}

func executable() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// build replaces the binary of a function.
func (c *cache) build(ctx context.Context, toolchain *toolchain, function *indexed) error {
	path := c.bootstrap(function.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the cache in %s: %w", c.dir, err)
	}
	fresh := path + ".new"
	if err := toolchain.build(ctx, c.project.Root, recipe, platform(runtime.GOOS, runtime.GOARCH), fresh, function.Package); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("the cache in %s: %w", c.dir, err)
	}
	binary, err := stampOf(path)
	if err != nil {
		return fmt.Errorf("the cache in %s: %w", c.dir, err)
	}
	function.Built, function.Binary = function.Inputs, binary
	sweepProjects(c.root, c.project)
	return nil
}

// replace writes a file as a whole or not at all.
func replace(path string, data []byte) error {
	fresh := path + ".new"
	err := os.WriteFile(fresh, data, 0o600)
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		_ = os.Remove(fresh)
	}
	return err
}

// Functions finds the functions of the project that dir is in, without building them.
func Functions(ctx context.Context, dir string, environ []string) ([]Function, error) {
	project, err := Open(dir)
	if err != nil {
		return nil, err
	}
	toolchain, err := findToolchain(ctx, project.Root, environ)
	if err != nil {
		return nil, err
	}
	list, err := toolchain.list(ctx, project, platform(runtime.GOOS, runtime.GOARCH), nil)
	if err != nil {
		return nil, err
	}
	all, err := list.functions()
	return functionsOf(all), err
}
