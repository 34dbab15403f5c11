package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/golam-cli/golam/internal/misuse"
)

// LiveOptions say what to keep built.
type LiveOptions struct {
	// Dir is a folder of the project.
	Dir string
	// Cache is the folder for what golam knows about projects: the user's cache folder.
	Cache string
	// Environ are environment variables for the go command, each as "name=value".
	Environ []string
	// Debug builds for a debugger: with symbols and without optimisation.
	Debug bool
	// Next chooses, of the functions that are out of date, those that an Update builds; the others are left to the next Update. Nil chooses
	// all of them.
	Next func(stale []string) []string
}

// Live keeps the functions of a project built for this machine while the project changes. There is one for a project at a time.
//
// What is built is a snapshot: a copy of the files that the functions are made of, so that a build may take its time while the next save
// comes, and never holds a part of it.
type Live struct {
	options LiveOptions
	root    string // of the project
	dir     string // its own folder, in the cache
	builds  string // the folder of what was built, which stays for the next Live
	lock    *flock.Flock

	toolchain *toolchain
	module    string // the sum of the go.mod that the toolchain was found for
	project   Project
	known     index
	settled   bool // known is what the last Update found
	pending   bool // there may be something to build
	names     string
	folders   []string
	snapshot  snapshot
	current   map[string]Current
	adopted   map[string]bool   // by function, a build of an earlier Live that may be out of date
	mistaken  map[string]string // by function, the inputs that could not be built
	failed    failure           // the last Update, if the project could not be read
}

// failure is a project that could not be read, and what it was like. It may be mended elsewhere (a network, a proxy), so it is not believed
// for long.
type failure struct {
	err      error
	contents string
	at       time.Time
}

const failureTime = 10 * time.Second

// Current is a function as it is built now.
type Current struct {
	Function
	// Bootstrap is the absolute path of the executable file, "" if there has been no good build. Each build has a path of its own.
	Bootstrap string
	// Dir is the folder to run it in: that of [Host].
	Dir string
	// Settings are what golam.yaml says about it.
	Settings Settings
	// Err says why the newest source has not been built, nil if it has. Bootstrap is that of the last good build then.
	Err error
	// Payload is how the newest source takes HTTP requests.
	Payload Payload
	// Stale means that the newest source has not been built yet.
	Stale bool
}

// Update is what a look at the project found.
type Update struct {
	// Functions are those of the project, by name.
	Functions []Current
	// Built tells that something was out of date and a build was made of it, be it a good one or not.
	Built bool
	// Notes name what may have been meant as a function and is none, with the reason.
	Notes []string
	// Pending means that functions are still out of date and need another Update.
	Pending bool
}

// LockedError says that another golam keeps the project built.
type LockedError struct{ Root string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another golam watches %s already: use that one, or end it first", e.Root)
}

// LiveFolder is the folder of a project in the cache that a Live and whoever wants to find it share.
func LiveFolder(cache string, project Project) string {
	return filepath.Join(projectCache(cache, project), watchFolder)
}

// OpenLive finds the project and makes it this golam's to keep built. Nothing is built before the first Update. Errors: [misuse.Error],
// [LockedError], and what the machine could not do.
func OpenLive(options LiveOptions) (*Live, error) {
	project, err := Open(options.Dir)
	if err != nil {
		return nil, err
	}
	l := &Live{
		options: options, root: project.Root, project: project, dir: LiveFolder(options.Cache, project),
		current: map[string]Current{}, adopted: map[string]bool{}, mistaken: map[string]string{},
	}
	fail := func(err error) (*Live, error) {
		return nil, fmt.Errorf("the cache in %s: %w", options.Cache, err)
	}
	if l.builds, err = openProjectCache(options.Cache, project, buildsFolder); err != nil {
		return fail(err)
	}
	l.lock = flock.New(l.dir + ".lock")
	locked, err := l.lock.TryLock()
	switch {
	case err != nil:
		return fail(err)
	case !locked:
		return nil, &LockedError{project.Root}
	}
	// A golam that was killed may have left something.
	if err := errors.Join(os.RemoveAll(l.dir), os.MkdirAll(l.dir, 0o700)); err != nil {
		_ = l.lock.Close()
		return fail(err)
	}
	l.snapshot = snapshot{dir: filepath.Join(l.dir, "source"), placed: map[string]string{}}
	if err := l.openBuilds(); err != nil {
		_ = l.lock.Close()
		return fail(err)
	}
	l.look()
	return l, nil
}

// Dir is a folder for files that go with this Live.
func (l *Live) Dir() string { return l.dir }

// Root is the project's folder.
func (l *Live) Root() string { return l.root }

// Made tells that golam made the project. As for the methods below, nothing else may be under way.
func (l *Live) Made() bool { return l.project.Made }

// Close removes everything but the builds that are current: the next Live begins with them.
func (l *Live) Close() error {
	l.keep()
	err := os.RemoveAll(l.dir)
	if err := errors.Join(err, l.lock.Close()); err != nil {
		return fmt.Errorf("the cache in %s: %w", l.options.Cache, err)
	}
	return nil
}

// Folders are those in which a change may matter.
func (l *Live) Folders() []string { return l.folders }

// Inputs are the files, known so far, that functions are built from.
func (l *Live) Inputs() []string { return l.known.Files }

// look finds the names of the files and the folders that matter.
func (l *Live) look() (names string) {
	w := l.known.Watched
	w.Root = l.project.Root
	names, l.folders, l.known.Tree = w.names(l.known.Tree)
	for _, file := range l.known.Files {
		l.folders = append(l.folders, filepath.Dir(file))
	}
	slices.Sort(l.folders)
	l.folders = slices.Compact(l.folders)
	return names
}

// Again makes the next Update look at everything, and try again what could not be built, even if nothing has changed.
func (l *Live) Again() {
	l.settled, l.failed = false, failure{}
	clear(l.mistaken)
}

// Update builds what is out of date, and calls building before it does. The error is about the project as a whole: a [GoError] if its
// go.mod or its packages cannot be read. Mistakes in the source of a function are with the function. In both cases the functions that were
// built before are still there.
func (l *Live) Update(ctx context.Context, building func()) (Update, error) {
	l.sameToolchain(ctx)
	names := l.look()
	if l.settled && names == l.names {
		if now, err := sums(l.known.Files); err == nil && slices.Equal(now, l.known.Sums) {
			built := false
			clear(l.adopted)
			if l.pending {
				if built, err = l.build(ctx, l.known, building); built {
					l.keep()
				}
			}
			return Update{Functions: l.functions(), Built: built, Pending: l.pending, Notes: l.known.Notes}, err
		}
	}
	l.settled = false
	contents := l.contents()
	if l.failed.err != nil && l.failed.contents == contents && time.Since(l.failed.at) < failureTime {
		return Update{Functions: l.functions()}, l.failed.err
	}
	l.failed = failure{}
	// A save that comes while the sources are read makes them a mixture. Whoever saves all the time gets what there is in the end.
	const attempts = 4
	var now index
	for attempt := 1; ; attempt++ {
		var err error
		if now, err = l.list(ctx); err != nil {
			if _, none := errors.AsType[*NoFunctionError](err); none {
				clear(l.current)
			}
			if ctx.Err() == nil {
				l.failed = failure{err, contents, time.Now()}
			}
			return Update{Functions: l.functions()}, err
		}
		copied, err := l.snapshot.take(l.project.Root, now.Files)
		if err == nil && slices.Equal(copied, now.Sums) {
			break
		}
		if attempt == attempts {
			if err != nil {
				return Update{Functions: l.functions()}, fmt.Errorf("copy the sources: %w", err)
			}
			now.Sums = nil // so that it does not count as settled
			for i := range now.Functions {
				now.Functions[i].Built = "" // who knows
			}
			break
		}
		if ctx.Err() != nil {
			return Update{}, ctx.Err()
		}
	}
	built, err := l.build(ctx, now, building)
	if err != nil {
		return Update{Functions: l.functions()}, err
	}
	l.known, l.names, l.settled = now, now.Names, now.Sums != nil && !now.unsure
	l.look()
	if built {
		l.keep()
	}
	return Update{Functions: l.functions(), Built: built, Pending: l.pending, Notes: now.Notes}, nil
}

// contents sums up what a project that cannot be read is made of, as far as is known.
func (l *Live) contents() string {
	files := slices.Clone(l.known.Files)
	for _, dir := range l.folders {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			if !entry.IsDir() && isSource(entry.Name()) {
				files = append(files, filepath.Join(dir, entry.Name()))
			}
		}
	}
	slices.Sort(files)
	all := sha256.New()
	for _, file := range slices.Compact(files) {
		told, err := sum(file)
		fmt.Fprintf(all, "%q %s %v\n", file, told, err)
	}
	return hex.EncodeToString(all.Sum(nil))
}

func (l *Live) functions() []Current {
	list := slices.Collect(maps.Values(l.current))
	for i := range list {
		list[i].setDir(l.project, filepath.Join(l.dir, "task", list[i].Name))
	}
	slices.SortFunc(list, func(a, b Current) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// list reads the project's packages as they are now.
func (l *Live) list(ctx context.Context) (index, error) {
	project, err := Open(l.project.Root)
	if err != nil {
		return index{}, err
	}
	if project.Root != l.project.Root {
		return index{}, misuse.New("%s has no go.mod any more", l.project.Root)
	}
	l.project = project
	if err := l.findToolchain(ctx); err != nil {
		return index{}, err
	}
	now, list, err := look(ctx, l.toolchain, project, platform(runtime.GOOS, runtime.GOARCH), l.known)
	if err != nil {
		return index{}, err
	}
	now.findPayloads(list)
	return now, nil
}

// findToolchain finds the toolchain that go.mod asks for now.
func (l *Live) findToolchain(ctx context.Context) (err error) {
	module, _ := sum(filepath.Join(l.project.Root, "go.mod"))
	if l.toolchain == nil || module != l.module {
		if l.toolchain, err = findToolchain(ctx, l.project.Root, l.options.Environ); err != nil {
			return err
		}
		l.module = module
	}
	return nil
}

// build builds functions of an index that are out of date, from the snapshot. It keeps in the index what has been built.
func (l *Live) build(ctx context.Context, now index, building func()) (bool, error) {
	stale := l.stale(now)
	chosen := stale
	if l.options.Next != nil && len(stale) > 0 {
		names := make([]string, len(stale))
		for i, f := range stale {
			names[i] = f.Name
		}
		next := l.options.Next(names)
		chosen = slices.DeleteFunc(slices.Clone(stale), func(f *indexed) bool { return !slices.Contains(next, f.Name) })
	}
	l.pending = len(chosen) < len(stale)
	if len(chosen) == 0 {
		return false, nil
	}
	building()
	var functions []Function
	for _, f := range chosen {
		functions = append(functions, f.Function)
	}
	recipe := recipe
	if l.options.Debug {
		recipe = debugRecipe
	}
	output := ""
	err := os.MkdirAll(l.builds, 0o700) // caches are cleaned
	if err == nil {
		output, err = os.MkdirTemp(l.builds, "build-")
	}
	if err == nil {
		err = l.toolchain.buildAll(ctx, l.snapshot.root, recipe, platform(runtime.GOOS, runtime.GOARCH), output, functions)
	}
	failure, mistaken := errors.AsType[*GoError](err)
	switch {
	case mistaken:
		failure.Output = strings.ReplaceAll(failure.Output, l.snapshot.root, l.project.Root)
	case err != nil:
		if output != "" {
			_ = os.RemoveAll(output)
		}
		l.pending = true
		return true, err
	}
	for _, f := range chosen {
		current := Current{Function: f.Function, Bootstrap: l.current[f.Name].Bootstrap, Err: err, Payload: f.Payload}
		made := filepath.Join(output, f.Name+executable())
		// What one mistake does not concern is built all the same.
		if binary, missing := stampOf(made); missing == nil && isFile(made) {
			current.Bootstrap, current.Err = made, nil
			if now.Sums != nil {
				f.Built, f.Binary = f.Inputs, binary
			}
		}
		delete(l.mistaken, f.Name)
		if current.Err != nil && now.Sums != nil {
			l.mistaken[f.Name] = f.Inputs
		}
		l.current[f.Name] = current
	}
	_ = os.Remove(output) // if nothing could be built
	return true, nil
}

// stale finds the functions of an index that are out of date, and makes the current ones those of the index.
func (l *Live) stale(now index) []*indexed {
	var stale []*indexed
	listed := map[string]bool{}
	for i := range now.Functions {
		f := &now.Functions[i]
		listed[f.Name] = true
		current := l.current[f.Name]
		problem := f.problem()
		switch {
		case problem != nil:
			current.Function, current.Err, current.Stale = f.Function, problem, false
		case current.Function == f.Function && f.Built == f.Inputs && isFile(current.Bootstrap):
			current.Err, current.Stale = nil, false
		case current.Function == f.Function && current.Err != nil && l.mistaken[f.Name] == f.Inputs:
		default:
			if l.adopted[f.Name] {
				// Nobody has asked this Live for what was good then.
				l.Forget(current.Bootstrap)
				current.Bootstrap = ""
			}
			current.Function, current.Stale = f.Function, true
			stale = append(stale, f)
		}
		delete(l.adopted, f.Name)
		current.Payload = f.Payload
		l.current[f.Name] = current
	}
	maps.DeleteFunc(l.current, func(name string, _ Current) bool { return !listed[name] })
	return stale
}

// isFile reports whether a file is where it was put: caches are cleaned.
func isFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// Forget removes the file of a build that is of no use any more.
func (l *Live) Forget(bootstrap string) {
	if within(l.builds, bootstrap) {
		_ = os.Remove(bootstrap)
		_ = os.Remove(filepath.Dir(bootstrap)) // if it is empty
	}
}

// snapshot is a copy of files in a folder, that stand to each other as before.
type snapshot struct {
	dir    string
	above  string            // what dir stands for
	root   string            // where the project is in it
	placed map[string]string // by path of the copy, what is in it
}

// take makes the snapshot one of these files, and tells what it has of each, in the form of [sums].
func (s *snapshot) take(root string, files []string) (found []string, err error) {
	defer func() {
		if err != nil {
			s.above = "" // it may be another one than is known, so the next begins anew
		}
	}()
	above := root
	for _, file := range files {
		for !within(above, file) {
			above = filepath.Dir(above)
		}
	}
	if above != s.above {
		if err := os.RemoveAll(s.dir); err != nil {
			return nil, err
		}
		s.above, s.placed = above, map[string]string{}
	}
	place := func(path string) (string, error) {
		relative, err := filepath.Rel(above, path)
		return filepath.Join(s.dir, relative), err
	}
	if s.root, err = place(root); err != nil {
		return nil, err
	}
	found = make([]string, len(files))
	kept := map[string]bool{}
	for i, file := range files {
		target, err := place(file)
		if err != nil {
			return nil, err
		}
		kept[target] = true
		if found[i], err = s.copy(target, file); err != nil {
			return nil, err
		}
	}
	for target := range s.placed {
		if !kept[target] {
			if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			delete(s.placed, target)
		}
	}
	return found, nil
}

func (s *snapshot) copy(target, file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", file)
	}
	large := info.Size() > readAlways
	if large {
		told, err := sum(file)
		if err != nil || s.placed[target] == told && isFile(target) {
			return told, err
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(content)
	told := hex.EncodeToString(hash[:])
	if large {
		if told, err = sum(file); err != nil {
			return "", err
		}
	}
	if s.placed[target] == told && isFile(target) {
		return told, nil
	}
	delete(s.placed, target)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(target, content, 0o600); err != nil {
		return "", err
	}
	s.placed[target] = told
	return told, nil
}
