package build

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
)

// Function is a main package that runs on Lambda.
type Function struct {
	// Name is what golam.yaml calls it, or made from the package's folder.
	Name string `json:"name"`
	// Package is its import path.
	Package string `json:"package"`
}

// program is the name that go build gives to the function's binary when it may choose: the last element of the import path, or the one
// before if that is a major version.
func (f Function) program() string {
	last := path.Base(f.Package)
	if last != f.Package && majorVersion.MatchString(last) {
		return path.Base(path.Dir(f.Package))
	}
	return last
}

var majorVersion = regexp.MustCompile(`^v([2-9]|[1-9][0-9]+)$`)

// BrokenError says why a function cannot be built, or could not run if it were.
type BrokenError struct{ text string }

func (e *BrokenError) Error() string { return e.text }

// lambdaPackage is what a function calls Start of.
const lambdaPackage = "github.com/aws/aws-lambda-go/lambda"

// goPackage is what golam asks go list about a package.
type goPackage struct {
	ImportPath, Name, Dir string
	Standard, DepOnly     bool
	Module                *goModule
	Imports               []string
	Error                 *goProblem

	GoFiles, IgnoredGoFiles, IgnoredOtherFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles, SwigFiles, SwigCXXFiles, SysoFiles []string

	EmbedFiles, EmbedPatterns []string
}

type goModule struct {
	Path, Version string
	GoMod         string
	Main          bool
	Replace       *goModule
}

// goProblem is why the go command cannot use a package.
type goProblem struct{ Pos, Err string }

func (p goProblem) String() string {
	if p.Pos == "" {
		return p.Err
	}
	return p.Pos + ": " + p.Err
}

const packageFields = "ImportPath,Name,Dir,Standard,DepOnly,Module,Imports,Error," +
	"GoFiles,IgnoredGoFiles,IgnoredOtherFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles," +
	"EmbedFiles,EmbedPatterns"

// listing is every main package of a project that may be a function and all that these import, but for the standard library.
type listing struct {
	project    Project
	modulePath string
	packages   map[string]goPackage
	main       []string // import paths of the project's own main packages, sorted
	// moduleCache is the folder whose files never change.
	moduleCache string
	// ignored are the folders that go.mod takes out of the project's packages.
	ignored []string
	// tree are the folders of the project, and sources the Go files in them.
	tree    []folder
	sources []string
	// notes name what is left out although it may have been meant as a function, with the reason.
	notes []string
}

// list reads those packages of a project that functions are made of, as they are for a platform. What is known of the project's folders
// saves reading them again.
func (t *toolchain) list(ctx context.Context, project Project, platform []string, known []folder) (*listing, error) {
	scan := t.newScan(project, platform)
	l := &listing{
		project: project, modulePath: scan.file.Module.Mod.Path, packages: map[string]goPackage{}, moduleCache: t.moduleCache,
		ignored: scan.ignored(),
	}
	l.tree = watched{Root: project.Root, Ignored: l.ignored}.tree(known)
	functions, unresolved, unlisted := scan.candidates(l.tree)
	if len(scan.unknown) > 0 {
		if err := scan.settle(ctx, t, platform); err != nil {
			return nil, err
		}
		functions, unresolved, unlisted = scan.candidates(l.tree)
	}
	// Without a package to list, the go command still says what is wrong with go.mod.
	listed, err := t.listPackages(ctx, project, platform, functions)
	if err != nil {
		return nil, err
	}
	for _, p := range listed {
		l.packages[p.ImportPath] = p
		if p.Name == "main" && !p.DepOnly {
			l.main = append(l.main, p.ImportPath)
		}
	}
	slices.Sort(l.main)
	l.sources = scan.sources(l.tree)
	if err := l.leaveOut(ctx, t, platform, scan, unresolved, unlisted); err != nil {
		return nil, err
	}
	return l, nil
}

// listPackages lists the packages in some folders and what they import. What is wrong with one is no error, but a part of it.
func (t *toolchain) listPackages(ctx context.Context, project Project, platform []string, dirs []string) ([]goPackage, error) {
	args := []string{"list", "-e", "-deps", "-tags", "lambda.norpc", "-json=" + packageFields, "--"}
	for _, dir := range dirs {
		relative, err := filepath.Rel(project.Root, dir)
		if err != nil {
			return nil, fmt.Errorf("list the packages: %w", err)
		}
		args = append(args, "./"+filepath.ToSlash(relative))
	}
	if len(dirs) == 0 {
		args = []string{"list", "-m", "-json=Path"}
	}
	output, err := t.run(ctx, project.Root, platform, args...)
	if err != nil || len(dirs) == 0 {
		return nil, err
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if !p.Standard {
			packages = append(packages, p)
		}
	}
}

// leaveOut names what may have been meant as a function: main packages that import what no module provides, with the go command's
// reason, those that build constraints leave out, and those that only golam.yaml can make functions. Nothing is downloaded for them.
func (l *listing) leaveOut(ctx context.Context, t *toolchain, platform []string, scan *scan, unresolved, unlisted []string) error {
	functions := map[string]bool{}
	for _, importPath := range l.main {
		functions[l.packages[importPath].Dir] = true
	}
	if len(unresolved) > 0 {
		listed, err := t.listPackages(ctx, l.project, append(slices.Clone(platform), "GOPROXY=off"), unresolved)
		if err != nil {
			return err
		}
		other := &listing{project: l.project, packages: map[string]goPackage{}}
		for _, p := range listed {
			// Nothing is known of what only has not been downloaded.
			if p.Error != nil && strings.Contains(p.Error.Err, "GOPROXY=off") {
				p.Error = nil
			}
			other.packages[p.ImportPath] = p
		}
		for _, p := range listed {
			if reason := other.problem(p.ImportPath); !p.DepOnly && reason != "" {
				l.notes = append(l.notes, fmt.Sprintf("%s is left out: %s", relativeTo(l.project.Root, p.Dir), reason))
			}
		}
	}
	l.notes = append(l.notes, scan.hidden(l.tree, functions)...)
	if len(unlisted) > 0 {
		folders := make([]string, len(unlisted))
		for i, dir := range unlisted {
			folders[i] = relativeTo(l.project.Root, dir)
		}
		l.notes = append(l.notes, describeUnlisted(folders))
	}
	return nil
}

// problem says why the go command cannot use a package or one that it imports, "" if it can.
func (l *listing) problem(importPath string) string {
	var problems []string
	for _, p := range l.reach(importPath) {
		if p.Error != nil && !slices.Contains(problems, p.Error.String()) {
			problems = append(problems, p.Error.String())
		}
	}
	return strings.Join(problems, "\n")
}

func relativeTo(root, dir string) string {
	relative, err := filepath.Rel(root, dir)
	if err != nil {
		return dir
	}
	return filepath.ToSlash(relative)
}

// reach returns the packages that a package is made of, itself included, sorted by import path.
func (l *listing) reach(importPath string) []goPackage {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(importPath string) {
		if p, known := l.packages[importPath]; known && !seen[importPath] {
			seen[importPath] = true
			for _, imported := range p.Imports {
				visit(imported)
			}
		}
	}
	visit(importPath)
	var reached []goPackage
	for _, importPath := range slices.Sorted(maps.Keys(seen)) {
		reached = append(reached, l.packages[importPath])
	}
	return reached
}

// found is a function, and why it cannot be built, if that is known before a build: a [GoError] or a [BrokenError].
type found struct {
	Function
	dir string
	err error
}

// functions finds the functions of the project: main packages that reach Start of aws-lambda-go, and those that golam.yaml names.
func (l *listing) functions() ([]found, error) {
	var all []found
	for _, n := range l.project.named {
		dir := filepath.Join(l.project.Root, filepath.FromSlash(n.Path))
		i := slices.IndexFunc(l.main, func(importPath string) bool { return l.packages[importPath].Dir == dir })
		if i < 0 {
			all = append(all, found{Function{Name: n.Name}, dir, &BrokenError{fmt.Sprintf(
				"%s names the function %s, but %s is no main package: write it, or remove the name", generator.ProjectFile, n.Name, n.Path)}})
			continue
		}
		all = append(all, found{Function: Function{Name: n.Name, Package: l.main[i]}, dir: dir})
	}
	starts := map[string]bool{}
	for importPath, p := range l.packages {
		if !slices.Contains(p.Imports, lambdaPackage) {
			continue
		}
		var err error
		if starts[importPath], err = callsStart(p); err != nil {
			return nil, err
		}
	}
	var unnamed []found
	for _, importPath := range l.main {
		dir := l.packages[importPath].Dir
		named := slices.ContainsFunc(all, func(f found) bool { return f.Package == importPath })
		if named || l.project.excluded(dir) ||
			!slices.ContainsFunc(l.reach(importPath), func(p goPackage) bool { return starts[p.ImportPath] }) {
			continue
		}
		unnamed = append(unnamed, found{Function: Function{Package: importPath}, dir: dir})
	}
	l.name(all, unnamed)
	all = append(all, unnamed...)
	if len(all) == 0 {
		return nil, &NoFunctionError{Root: l.project.Root, Notes: l.notes}
	}
	for i, f := range all {
		if problem := l.problem(f.Package); f.err == nil && problem != "" {
			all[i].err = newGoError("list", l.project.Root, problem)
		}
		if all[i].err == nil {
			all[i].err = l.runtimeProblem(f)
		}
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// name gives functions the names of their folders. Names that several would have, begin with more of the path.
func (l *listing) name(taken, functions []found) {
	elements := make([][]string, len(functions)) // of the path, the last first
	used := make([]int, len(functions))
	for i, f := range functions {
		elements[i] = l.elements(f)
		used[i] = 1
	}
	name := func(i int) string {
		parts := slices.Clone(elements[i][:used[i]])
		slices.Reverse(parts)
		return lambdaName(strings.Join(parts, "-"))
	}
	for more := true; more; {
		more = false
		count := map[string]int{}
		for _, f := range taken {
			count[strings.ToLower(f.Name)]++
		}
		for i := range functions {
			count[strings.ToLower(name(i))]++
		}
		for i := range functions {
			if count[strings.ToLower(name(i))] > 1 && used[i] < len(elements[i]) {
				used[i]++
				more = true
			}
		}
	}
	// Paths that differ may still give the same name: a-b/c and a/b-c do. The later ones get a number.
	names := map[string]bool{}
	for _, f := range taken {
		names[strings.ToLower(f.Name)] = true
	}
	for i := range functions {
		base := name(i)
		functions[i].Name = base
		for n := 2; names[strings.ToLower(functions[i].Name)]; n++ {
			suffix := fmt.Sprintf("-%d", n)
			functions[i].Name = base[:min(len(base), quotas.MaxName-len(suffix))] + suffix
		}
		names[strings.ToLower(functions[i].Name)] = true
	}
}

// elements are those of the path from the project to a function, the last first. The project's folder may be called anything, so a
// function in it has the name of the module.
func (l *listing) elements(f found) []string {
	relative := relativeTo(l.project.Root, f.dir)
	if relative == "." {
		return []string{f.program()}
	}
	elements := strings.Split(relative, "/")
	slices.Reverse(elements)
	return elements
}

// lambdaName makes a name one that Lambda takes.
func lambdaName(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case quotas.InName(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name = strings.Trim(b.String()[:min(b.Len(), quotas.MaxName)], "-")
	return cmp.Or(name, "function")
}

// firstRuntimeAPI is the first version of aws-lambda-go that speaks the Runtime API, which is all that provided.al2023 has.
const firstRuntimeAPI = "v1.18.0"

// runtimeProblem says if a function could be built but would never answer.
func (l *listing) runtimeProblem(f found) error {
	reached := slices.ContainsFunc(l.reach(f.Package), func(p goPackage) bool { return p.ImportPath == lambdaPackage })
	m := l.packages[lambdaPackage].Module
	if !reached || m == nil {
		return nil
	}
	if m.Replace != nil {
		m = m.Replace
	}
	if m.Version == "" || semver.Compare(m.Version, firstRuntimeAPI) >= 0 {
		return nil
	}
	return &BrokenError{fmt.Sprintf("%s uses %s %s, which does not know the Runtime API (AWS_LAMBDA_RUNTIME_API) that provided.al2023 and golam "+
		"offer: it would never answer. Raise it in go.mod to %s or later: go get %s@latest", f.Name, m.Path, m.Version, firstRuntimeAPI, m.Path)}
}

// NoFunctionError says that a project has no function.
type NoFunctionError struct {
	// Root is the project's folder.
	Root string
	// Notes name what may have been meant as one.
	Notes []string
}

func (e *NoFunctionError) Error() string {
	text := fmt.Sprintf("there is no function in %s: a function is a main package that calls Start of %s, or one that %s names",
		e.Root, lambdaPackage, generator.ProjectFile)
	return strings.Join(append([]string{text}, e.Notes...), "\n")
}

func functionsOf(all []found) (functions []Function) {
	for _, f := range all {
		functions = append(functions, f.Function)
	}
	return functions
}

// choose returns the functions of the given names, or all if there are none. Notes go with an unknown name, since they may name what was
// meant.
func choose(functions []Function, names, notes []string) ([]Function, error) {
	if len(names) == 0 {
		return functions, nil
	}
	var known []string
	for _, function := range functions {
		known = append(known, function.Name)
	}
	var problems []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			problems = append(problems, generator.Unknown("function", name, known))
		}
	}
	if len(problems) > 0 {
		problems = append(problems, notes...)
	}
	if err := misuse.Join(problems); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(functions), func(f Function) bool { return !slices.Contains(names, f.Name) }), nil
}

// callsStart reports whether the source of a package that imports aws-lambda-go mentions one of its Start functions.
func callsStart(p goPackage) (bool, error) {
	for _, name := range p.GoFiles {
		source, err := readSource(filepath.Join(p.Dir, name))
		if err != nil {
			return false, fmt.Errorf("look for functions: %w", err)
		}
		if mentionsStart(source) {
			return true, nil
		}
	}
	return false, nil
}

// mentionsStart is satisfied with what can be parsed: go build says what is wrong with the rest.
func mentionsStart(source []byte) bool {
	file, _ := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if file == nil {
		return false
	}
	found := false
	for _, spec := range file.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err != nil || imported != lambdaPackage {
			continue
		}
		name := "lambda"
		if spec.Name != nil {
			name = spec.Name.Name
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr:
				pkg, ok := node.X.(*ast.Ident)
				found = found || ok && pkg.Name == name && strings.HasPrefix(node.Sel.Name, "Start")
			case *ast.Ident:
				found = found || name == "." && strings.HasPrefix(node.Name, "Start")
			}
			return !found
		})
	}
	return found
}
