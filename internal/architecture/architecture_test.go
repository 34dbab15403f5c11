package architecture_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/golam-cli/golam/"
)

// layers from the bottom up: a package imports packages of lower layers, and of its own only within internal/. A layer that ends in a slash is
// of the packages below it.
var layers = []string{"templates", "generator", "generator/merge", "generator/kinds/", "generator/kinds", "internal/", "cmd", "cmd/"}

const order = "cmd to internal to generator/kinds to generator to templates"

func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(layer string) bool {
		return pkg == layer || strings.HasSuffix(layer, "/") && strings.HasPrefix(pkg, layer)
	})
}

// source is one Go file of golam itself.
type source struct {
	path string // relative to the repository, slash separated
	pkg  string
	test bool
	file *ast.File
	set  *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		if entry.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if relative != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || nested == nil) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(relative) != ".go" {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		found = append(found, source{path: relative, pkg: path.Dir(relative), test: strings.HasSuffix(relative, "_test.go"), file: file, set: set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("only %d Go files found: this test looks in the wrong place", len(found))
	}
	return found
}

func TestImportsPointOneWay(t *testing.T) {
	for _, source := range sources(t) {
		own := layerOf(source.pkg)
		if own < 0 {
			continue // golden, bench: imported by nobody
		}
		for _, spec := range source.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imported, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			theirs := layerOf(imported)
			within := own == theirs && (layers[own] == "internal/" || imported == source.pkg)
			// The core's tests from outside of it try it with golam's kinds.
			tried := source.test && source.file.Name.Name == "generator_test" && strings.HasPrefix(imported, "generator/kinds")
			if theirs < 0 || theirs >= own && !within && !tried {
				t.Errorf("%s imports %s: imports point from %s", source.path, imported, order)
			}
		}
	}
}

// TestInternalImports keeps packages of internal apart that need nothing of each other.
func TestInternalImports(t *testing.T) {
	forTests := []string{"authority", "counts", "judges", "ports", "ptytest", "testkit"}
	leaves := []string{"files", "quotas", "units"}
	for _, source := range sources(t) {
		if source.test {
			continue
		}
		pkg, inside := strings.CutPrefix(source.pkg, "internal/")
		for _, spec := range source.file.Imports {
			imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"internal/")
			switch {
			case !ours:
			case inside && slices.Contains(leaves, pkg):
				t.Errorf("%s imports internal/%s: %s needs no other package", source.path, imported, source.pkg)
			case imported == "watch" && (pkg == "invoke" || pkg == "running" || pkg == "build" || pkg == "local"):
				t.Errorf("%s imports the engine of golam watch: internal/running finds a running one", source.path)
			case layerOf(source.pkg) >= 0 && slices.Contains(forTests, imported) && !slices.Contains(forTests, pkg):
				t.Errorf("%s imports internal/%s, which is for tests", source.path, imported)
			}
		}
	}
}

// TestCoreKnowsNoKind keeps the words of every kind out of the core.
func TestCoreKnowsNoKind(t *testing.T) {
	for _, source := range sources(t) {
		if source.pkg != "generator" || source.test {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, source.path))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"cognito", "token", "claim", "trigger", "eventbridge"} {
			for i, line := range strings.Split(strings.ToLower(string(content)), "\n") {
				if strings.Contains(line, word) {
					t.Errorf("%s:%d: the core knows the word %q of a kind", source.path, i+1, word)
				}
			}
		}
	}
}

// TestOnlyCommandsPrintAndExit also finds init functions: nothing works before it is called.
func TestOnlyCommandsPrintAndExit(t *testing.T) {
	forbidden := map[string][]string{
		"os":  {"Exit", "Stdout", "Stderr"},
		"fmt": {"Print", "Printf", "Println"},
		"log": {"Fatal", "Fatalf", "Fatalln", "Print", "Printf", "Println"},
	}
	for _, source := range sources(t) {
		if source.test {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.FuncDecl:
				if node.Recv == nil && node.Name.Name == "init" {
					t.Errorf("%s: func init: let the caller call it", source.set.Position(node.Pos()))
				}
			case *ast.SelectorExpr:
				pkg, ok := node.X.(*ast.Ident)
				own := layerOf(source.pkg)
				if !ok || own < 0 || own >= layerOf("cmd") || source.pkg == "internal/terminal" {
					return true
				}
				for _, name := range forbidden[pkg.Name] {
					if node.Sel.Name == name {
						t.Errorf("%s: %s.%s: only package cmd prints and exits", source.set.Position(node.Pos()), pkg.Name, name)
					}
				}
			}
			return true
		})
	}
}

// TestOneServer finds servers that do without the limits of internal/localhttp.
func TestOneServer(t *testing.T) {
	forbidden := []string{"Server", "Serve", "ServeTLS", "ListenAndServe", "ListenAndServeTLS"}
	for _, source := range sources(t) {
		if own := layerOf(source.pkg); source.test || own < 0 || source.pkg == "internal/localhttp" {
			continue
		}
		imports := slices.ContainsFunc(source.file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"net/http"` })
		ast.Inspect(source.file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok || !imports {
				return true
			}
			if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Name == "http" && slices.Contains(forbidden, selector.Sel.Name) {
				t.Errorf("%s: http.%s: use internal/localhttp", source.set.Position(node.Pos()), selector.Sel.Name)
			}
			return true
		})
	}
}

// TestOnePlacePrints keeps commands from printing text that is not golam's own without making it printable: only print.go has the streams
// themselves.
func TestOnePlacePrints(t *testing.T) {
	for _, source := range sources(t) {
		if source.test || source.pkg != "cmd" || source.path == "cmd/print.go" {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			outer, ok := node.(*ast.SelectorExpr)
			if !ok || outer.Sel.Name != "Out" && outer.Sel.Name != "Err" {
				return true
			}
			if inner, ok := outer.X.(*ast.SelectorExpr); ok && inner.Sel.Name == "streams" {
				t.Errorf("%s: streams.%s: print through stdout or stderr of print.go", source.set.Position(outer.Pos()), outer.Sel.Name)
			}
			return true
		})
	}
}

func TestPackagesAreDescribed(t *testing.T) {
	described := map[string]bool{}
	for _, source := range sources(t) {
		if !source.test {
			described[source.pkg] = described[source.pkg] || source.file.Doc != nil
		}
	}
	for pkg, ok := range described {
		if !ok {
			t.Errorf("package %s has no comment that says what belongs in it", pkg)
		}
	}
}
