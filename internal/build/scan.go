package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	gobuild "go/build"
	"go/build/constraint"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/golam-cli/golam/internal/files"
)

// scan reads the source of a module without the go command, to find the main packages that may be functions. Only these are then listed
// by the go command, so that a package that no function needs can neither stop a build nor make the go command download anything.
//
// It errs to one side: a package that it finds need not be a function, but every function is found.
type scan struct {
	project Project
	context gobuild.Context
	file    *modfile.File
	// vendored says that imports of other modules are looked up below vendor.
	vendored    bool
	moduleCache string
	packages    map[string]*source // by folder
	states      map[string]state   // by folder
	unknown     []module.Version   // modules whose go.mod has not been downloaded
	mayCall     map[string]bool    // by path of such a module
}

// source is a package as it is on the disk.
type source struct {
	dir     string
	name    string
	imports []string
	calls   bool     // it calls Start of aws-lambda-go
	runtime bool     // it is a runtime of the project's own
	files   []string // of Go, ignored ones included
	ignored []string
}

// state is what is known about a package.
type state struct {
	// function: it reaches a call of Start, or may do so.
	function bool
	// unresolved: it imports what no module provides.
	unresolved bool
	// runtime: it reaches a runtime of the project's own.
	runtime bool
}

// newScan reads the module's go.mod. What is wrong with it is for the go command to say.
func (t *toolchain) newScan(project Project, platform []string) *scan {
	s := &scan{
		project: project, context: gobuild.Default, moduleCache: t.moduleCache,
		packages: map[string]*source{}, states: map[string]state{}, mayCall: map[string]bool{},
	}
	s.context.OpenFile = func(name string) (io.ReadCloser, error) { return files.Open(name) }
	s.context.CgoEnabled, s.context.Compiler, s.context.BuildTags = false, "gc", []string{"lambda.norpc"}
	for _, setting := range platform {
		switch name, value, _ := strings.Cut(setting, "="); name {
		case "GOOS":
			s.context.GOOS = value
		case "GOARCH":
			s.context.GOARCH = value
		}
	}
	s.context.ReleaseTags = releaseTags(t.version, s.context.ReleaseTags)
	name := filepath.Join(project.Root, "go.mod")
	data, err := readSource(name)
	if err == nil {
		s.file, err = modfile.ParseLax(name, data, nil)
	}
	if err != nil || s.file.Module == nil {
		s.file = &modfile.File{Module: &modfile.Module{}}
	}
	s.vendored = len(present(project.Root, "vendor/modules.txt")) > 0
	return s
}

// releaseTags are the tags go1.1 to go1.N of a toolchain, or those given if its version is not a release's.
func releaseTags(version string, otherwise []string) []string {
	var minor int
	if _, err := fmt.Sscanf(version, "go1.%d", &minor); err != nil || minor > 1000 {
		return otherwise
	}
	var tags []string
	for i := 1; i <= minor; i++ {
		tags = append(tags, fmt.Sprintf("go1.%d", i))
	}
	return tags
}

// ignored are the folders that go.mod takes out of the pattern "./...", relative and slash separated. A name without a leading "./"
// stands for every folder of that name.
func (s *scan) ignored() (paths []string) {
	for _, ignore := range s.file.Ignore {
		paths = append(paths, ignore.Path)
	}
	return paths
}

// read reads the package in a folder, nil if there is none.
func (s *scan) read(dir string) *source {
	if p, known := s.packages[dir]; known {
		return p
	}
	s.packages[dir] = nil
	found, err := s.context.ImportDir(dir, 0)
	if found == nil {
		return nil
	}
	p := &source{dir: dir, name: found.Name, imports: found.Imports}
	for _, name := range slices.Concat(found.IgnoredGoFiles, found.InvalidGoFiles) {
		p.ignored = append(p.ignored, filepath.Join(dir, name))
	}
	for _, name := range slices.Concat(found.GoFiles, found.CgoFiles) {
		p.files = append(p.files, filepath.Join(dir, name))
	}
	p.files = append(p.files, p.ignored...)
	var none *gobuild.NoGoError
	if err != nil && errors.As(err, &none) && len(p.ignored) == 0 {
		return nil
	}
	if slices.Contains(p.imports, lambdaPackage) {
		for _, name := range found.GoFiles {
			content, err := readSource(filepath.Join(dir, name))
			p.calls = p.calls || err == nil && mentionsStart(content)
		}
	}
	if s.own(dir) && (slices.Contains(p.imports, "os") || slices.Contains(p.imports, "syscall")) {
		p.runtime = isRuntime(dir, found.GoFiles)
	}
	s.packages[dir] = p
	return p
}

// own says whether a folder holds source of the project itself.
func (s *scan) own(dir string) bool {
	return within(s.project.Root, dir) && !within(filepath.Join(s.project.Root, "vendor"), dir)
}

// look says what a package reaches. A package that imports itself in a circle is the go command's to refuse.
func (s *scan) look(dir string) state {
	if known, ok := s.states[dir]; ok {
		return known
	}
	s.states[dir] = state{}
	p := s.read(dir)
	if p == nil {
		return state{}
	}
	own := s.own(dir)
	now := state{function: p.calls, runtime: p.runtime}
	for _, imported := range p.imports {
		below := s.follow(imported, own)
		now.function = now.function || below.function
		now.unresolved = now.unresolved || below.unresolved
		now.runtime = now.runtime || below.runtime
	}
	s.states[dir] = now
	return now
}

// follow says what an import leads to. Own says that a package of the project imports it.
func (s *scan) follow(imported string, own bool) state {
	if imported == lambdaPackage || imported == "C" || imported == "unsafe" {
		return state{}
	}
	if rest, ok := belowPath(s.file.Module.Mod.Path, imported); ok {
		if dir := filepath.Join(s.project.Root, filepath.FromSlash(rest)); s.read(dir) != nil {
			return s.look(dir)
		}
	}
	if s.vendored {
		if dir := filepath.Join(s.project.Root, "vendor", filepath.FromSlash(imported)); isDir(dir) {
			return s.look(dir)
		}
	}
	required, rest, ok := s.provider(imported)
	switch {
	case !ok && standard(imported):
		return state{}
	case !ok && own:
		return state{unresolved: !s.vendored}
	case !ok:
		return state{function: true} // a module that go.mod need not list: the go command finds out
	}
	dir, local := s.folder(required)
	if dir != "" && isDir(dir) {
		return s.look(filepath.Join(dir, filepath.FromSlash(rest)))
	}
	return state{function: !local && s.reachesLambda(required)}
}

// provider finds the module that go.mod requires for an import, and the rest of the import path.
func (s *scan) provider(imported string) (found module.Version, rest string, ok bool) {
	for _, required := range s.file.Require {
		below, is := belowPath(required.Mod.Path, imported)
		if is && len(required.Mod.Path) > len(found.Path) {
			found, rest, ok = required.Mod, below, true
		}
	}
	return found, rest, ok
}

// folder is where a module's source is, or would be if it were downloaded. It is local if it is no part of the module cache.
func (s *scan) folder(required module.Version) (dir string, local bool) {
	required, dir = s.replaced(required)
	if dir != "" {
		return dir, true
	}
	escaped, err := module.EscapePath(required.Path)
	version, err2 := module.EscapeVersion(required.Version)
	if err != nil || err2 != nil || s.moduleCache == "" {
		return "", false
	}
	return filepath.Join(s.moduleCache, filepath.FromSlash(escaped)+"@"+version), false
}

// replaced applies the replace directives of go.mod: to another module, or to a folder.
func (s *scan) replaced(required module.Version) (_ module.Version, dir string) {
	for _, replace := range s.file.Replace {
		if replace.Old.Path != required.Path || replace.Old.Version != "" && replace.Old.Version != required.Version {
			continue
		}
		if replace.New.Version != "" {
			return replace.New, ""
		}
		dir = filepath.FromSlash(replace.New.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(s.project.Root, dir)
		}
		return required, dir
	}
	return required, ""
}

// reachesLambda says whether a package of a module that has not been downloaded may call Start. The module's go.mod tells: since Go 1.17
// it lists every module that is needed to build any of its packages.
func (s *scan) reachesLambda(required module.Version) bool {
	const lambdaModule = "github.com/aws/aws-lambda-go"
	if required.Path == lambdaModule {
		return true
	}
	required, _ = s.replaced(required)
	if known, ok := s.mayCall[required.Path]; ok {
		return known
	}
	escaped, err := module.EscapePath(required.Path)
	version, err2 := module.EscapeVersion(required.Version)
	if err != nil || err2 != nil {
		return true
	}
	name := filepath.Join(s.moduleCache, "cache", "download", filepath.FromSlash(escaped), "@v", version+".mod")
	data, err := readSource(name)
	if err != nil {
		s.unknown = append(s.unknown, required)
		return true
	}
	file, err := modfile.ParseLax(name, data, nil)
	may := err != nil || file.Go == nil || semver.Compare("v"+file.Go.Version, "v1.17") < 0 ||
		slices.ContainsFunc(file.Require, func(r *modfile.Require) bool { return r.Mod.Path == lambdaModule })
	s.mayCall[required.Path] = may
	return may
}

// settle downloads the go.mod files that were missing, if there were any, and forgets what was concluded without them.
func (s *scan) settle(ctx context.Context, t *toolchain, platform []string) error {
	if len(s.unknown) == 0 {
		return nil
	}
	args := []string{"list", "-m", "-e", "-json=Path,GoMod"}
	for _, unknown := range s.unknown {
		args = append(args, unknown.Path+"@"+unknown.Version)
	}
	// What it cannot download now, it says when it lists the packages.
	if _, err := t.run(ctx, s.project.Root, platform, args...); ctx.Err() != nil {
		return err
	}
	s.unknown = nil
	clear(s.states)
	return nil
}

// candidates are the folders of main packages that may be functions, of those that import what no module provides, and of those that use a
// runtime of the project's own although golam.yaml does not name them.
func (s *scan) candidates(tree []folder) (functions, unresolved, unlisted []string) {
	wanted := map[string]bool{}
	for _, n := range s.project.named {
		wanted[filepath.Join(s.project.Root, filepath.FromSlash(n.Path))] = true
	}
	for _, f := range tree {
		dir := filepath.Join(s.project.Root, filepath.FromSlash(f.Path))
		if !f.Go || s.project.excluded(dir) && !wanted[dir] {
			continue
		}
		p := s.read(dir)
		if p == nil || p.name != "main" {
			continue
		}
		switch found := s.look(dir); {
		case found.function, wanted[dir]:
			functions = append(functions, dir)
		case found.unresolved:
			unresolved = append(unresolved, dir)
		case found.runtime:
			unlisted = append(unlisted, dir)
		}
	}
	for dir := range wanted {
		if p := s.read(dir); p != nil && p.name == "main" && !slices.Contains(functions, dir) { // in testdata, say
			functions = append(functions, dir)
		}
	}
	slices.Sort(functions)
	return functions, unresolved, unlisted
}

// sources are the Go files of the project. An edit of any can make its package a function.
func (s *scan) sources(tree []folder) (files []string) {
	for _, f := range tree {
		if !f.Go {
			continue
		}
		if p := s.read(filepath.Join(s.project.Root, filepath.FromSlash(f.Path))); p != nil {
			files = append(files, p.files...)
		}
	}
	return files
}

// hidden names the files of main packages that call Start but that a build constraint leaves out.
func (s *scan) hidden(tree []folder, functions map[string]bool) (notes []string) {
	for _, f := range tree {
		dir := filepath.Join(s.project.Root, filepath.FromSlash(f.Path))
		if !f.Go || functions[dir] || s.project.excluded(dir) {
			continue
		}
		p := s.read(dir)
		if p == nil {
			continue
		}
		for _, name := range p.ignored {
			content, err := readSource(name)
			if err != nil || !bytes.Contains(content, []byte(lambdaPackage)) || !mentionsStart(content) {
				continue
			}
			reason := constraintOf(content)
			if reason == "ignore" {
				continue // that tag says so on purpose
			}
			if reason == "" {
				reason = "the ending of its name, which is for another system"
			} else {
				reason = "its constraint //go:build " + reason
			}
			notes = append(notes, fmt.Sprintf("%s calls lambda.Start, but %s leaves it out", path.Join(f.Path, filepath.Base(name)), reason))
		}
	}
	return notes
}

// constraintOf returns the build constraint of a file, or "".
func constraintOf(content []byte) string {
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if constraint.IsGoBuild(line) {
			if parsed, err := constraint.Parse(line); err == nil {
				return parsed.String()
			}
		}
		if strings.HasPrefix(line, "package ") {
			break
		}
	}
	return ""
}

// belowPath returns what an import path has beyond that of a module which it is below.
func belowPath(modulePath, imported string) (rest string, ok bool) {
	if modulePath == "" {
		return "", false
	}
	if imported == modulePath {
		return "", true
	}
	return strings.CutPrefix(imported, modulePath+"/")
}

// standard says whether an import path has the form of the standard library's.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// readSource reads a file of a module, which may be anything in a repository that somebody cloned.
func readSource(name string) ([]byte, error) {
	const most = 64 << 20 // bytes
	return files.Read(name, most)
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
