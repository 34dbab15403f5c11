package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/module"

	"github.com/golam-cli/golam/generator"
)

// Function is a main package that runs on Lambda.
type Function struct {
	// Name is that of the package's folder.
	Name string `json:"name"`
	// Package is its import path.
	Package string `json:"package"`
}

// program is the name that go build gives to the function's binary when it may choose.
func (f Function) program() string {
	prefix, _, ok := module.SplitPathVersion(f.Package)
	if !ok {
		prefix = f.Package
	}
	return path.Base(prefix)
}

// lambdaPackage is what a function calls Start of.
const lambdaPackage = "github.com/aws/aws-lambda-go/lambda"

// goPackage is what golam asks go list about a package.
type goPackage struct {
	ImportPath, Name, Dir string
	Standard, DepOnly     bool
	Module                *goModule
	Imports               []string

	GoFiles, IgnoredGoFiles, IgnoredOtherFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles, SwigFiles, SwigCXXFiles, SysoFiles []string

	EmbedFiles, EmbedPatterns []string
}

type goModule struct {
	GoMod string
	Main  bool
}

const packageFields = "ImportPath,Name,Dir,Standard,DepOnly,Module,Imports," +
	"GoFiles,IgnoredGoFiles,IgnoredOtherFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles," +
	"EmbedFiles,EmbedPatterns"

// listing is every package of a project and all that these import, but for the standard library.
type listing struct {
	project  Project
	packages map[string]goPackage
	main     []string // import paths of the project's own main packages, sorted
	// moduleCache is the folder whose files never change.
	moduleCache string
}

// list reads a project's packages as they are for a platform.
func (t *toolchain) list(ctx context.Context, project Project, platform []string) (*listing, error) {
	output, err := t.run(ctx, project.Root, platform, "list", "-deps", "-tags", "lambda.norpc", "-json="+packageFields, "./...")
	if err != nil {
		return nil, err
	}
	l := &listing{project: project, packages: map[string]goPackage{}, moduleCache: t.moduleCache}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Standard {
			continue
		}
		l.packages[p.ImportPath] = p
		// Source that was included in a package is not the project's again.
		if p.Name == "main" && !p.DepOnly && !within(filepath.Join(project.Root, distFolder), p.Dir) {
			l.main = append(l.main, p.ImportPath)
		}
	}
	slices.Sort(l.main)
	return l, nil
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

// functions finds the functions of the project: main packages that reach Start of aws-lambda-go, and those that golam.yaml names.
func (l *listing) functions() ([]Function, error) {
	var found []Function
	for _, name := range l.project.named {
		dir := filepath.Join(l.project.Root, "cmd", name)
		i := slices.IndexFunc(l.main, func(importPath string) bool { return l.packages[importPath].Dir == dir })
		if i < 0 {
			return nil, fmt.Errorf("%s names the function %s, but cmd/%s is no main package: write it, or remove the name",
				generator.ProjectFile, name, name)
		}
		found = append(found, Function{Name: name, Package: l.main[i]})
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
	for _, importPath := range l.main {
		named := slices.ContainsFunc(found, func(f Function) bool { return f.Package == importPath })
		if named || !slices.ContainsFunc(l.reach(importPath), func(p goPackage) bool { return starts[p.ImportPath] }) {
			continue
		}
		function := Function{Package: importPath}
		function.Name = function.program()
		found = append(found, function)
	}
	slices.SortFunc(found, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return found, l.check(found)
}

func (l *listing) check(functions []Function) error {
	if len(functions) == 0 {
		return &NoFunctionError{Root: l.project.Root, Unlisted: l.unlisted(nil)}
	}
	for i, function := range functions {
		if !functionName.MatchString(function.Name) {
			return fmt.Errorf("the function in %s cannot be called %q on Lambda: rename its folder, use %s",
				l.folder(function), function.Name, nameRule)
		}
		for _, other := range functions[:i] {
			if strings.EqualFold(function.Name, other.Name) || function.program() == other.program() {
				return fmt.Errorf("%s and %s would both make the function %s: rename one of the folders",
					l.folder(other), l.folder(function), function.Name)
			}
		}
	}
	return nil
}

// NoFunctionError says that a project has no function.
type NoFunctionError struct {
	// Root is the project's folder.
	Root string
	// Unlisted are folders, relative to it, of main packages with a runtime of their own.
	Unlisted []string
}

func (e *NoFunctionError) Error() string {
	if len(e.Unlisted) > 0 {
		return fmt.Sprintf("there is no function in %s, but %s", e.Root, DescribeUnlisted(e.Unlisted))
	}
	return fmt.Sprintf("there is no function in %s: a function is a main package that calls Start of %s, or cmd/<name> for a name "+
		"among the functions in %s", e.Root, lambdaPackage, generator.ProjectFile)
}

// folder is where a function is, relative to the project.
func (l *listing) folder(f Function) string {
	relative, err := filepath.Rel(l.project.Root, l.packages[f.Package].Dir)
	if err != nil {
		return f.Package
	}
	return filepath.ToSlash(relative)
}

// choose returns the functions of the given names, or all if there are none.
func choose(functions []Function, names []string) ([]Function, error) {
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
	if err := misuses(problems); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(functions), func(f Function) bool { return !slices.Contains(names, f.Name) }), nil
}

// callsStart tells whether the source of a package that imports aws-lambda-go mentions one of its Start functions.
func callsStart(p goPackage) (bool, error) {
	for _, name := range p.GoFiles {
		source, err := os.ReadFile(filepath.Join(p.Dir, name))
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
