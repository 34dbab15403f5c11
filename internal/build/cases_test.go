package build

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/testkit"
)

// moduleCase copies a module of testdata/modules.
func moduleCase(t *testing.T, name string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(root, name)
	copyOf(t, filepath.Join("testdata", "modules", name), root)
	return root
}

// builtNames builds a module and returns the names of the functions in its dist.
func builtNames(t *testing.T, options Options) (Result, []string) {
	t.Helper()
	result := mustBuild(t, options)
	var names []string
	for _, f := range result.Functions {
		names = append(names, f.Name)
	}
	return result, names
}

// host builds a function of a module for this machine.
func host(t *testing.T, root, function string) (Host, error) {
	t.Helper()
	return ForHost(t.Context(), HostOptions{Dir: root, Function: function, Cache: t.TempDir(), Environ: os.Environ()})
}

// TestUnresolvableImport: a package that no function needs imports what no module provides.
func TestUnresolvableImport(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	root := moduleCase(t, "unresolvable-import")
	result, names := builtNames(t, Options{Dir: root})
	if !slices.Equal(names, []string{"fn"}) || len(result.Failed) > 0 {
		t.Errorf("built %q, failed %+v", names, result.Failed)
	}
	want := []string{"tool is left out: tool/main.go:3:8: no required module provides package example.com/private/unavailable; to add it:\n" +
		"\tgo get example.com/private/unavailable"}
	if diff := cmp.Diff(want, result.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if _, err := host(t, root, "fn"); err != nil {
		t.Error(err)
	}
	_, err := host(t, root, "tool")
	testkit.ErrorSays(t, err, `unknown function "tool"`, "tool is left out: tool/main.go:3:8")
	l := live(t, root)
	if f, u := update(t, l); f.Name != "fn" || f.Err != nil || len(u.Notes) != 1 {
		t.Errorf("watched: %+v", u)
	}
}

// TestBrokenFunctions: a function that cannot be listed, one that does not compile, one that golam.yaml names for nothing, and one with an
// aws-lambda-go of old do not hold up the one that can be built.
func TestBrokenFunctions(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	root := testkit.Folder(t, lambdaModule(t))
	for name, content := range map[string]string{
		"golam.yaml":              "functions: {gone: {path: cmd/gone}}\n",
		"cmd/good/main.go":        startSource,
		"cmd/unlisted/main.go":    strings.Replace(startSource, "import ", "import _ \"example.com/absent\"\nimport ", 1),
		"cmd/unparsable/main.go":  startSource + "\nfunc {\n",
		"cmd/mistaken/main.go":    startSource + "\nvar x int = \"text\"\n",
		"cmd/mistaken2/main.go":   startSource + "\nvar y = nothing\n",
		"cmd/unbuilt/windows.txt": "",
	} {
		testkit.Write(t, filepath.Join(root, name), content)
	}
	wanted := map[string]string{
		"gone":       "golam.yaml names the function gone, but cmd/gone is no main package",
		"unlisted":   "cmd/unlisted/main.go:3:8: no required module provides package example.com/absent",
		"unparsable": "cmd/unparsable/main.go:7:6: ",
		"mistaken":   "cmd/mistaken/main.go:7:13: ",
		"mistaken2":  "cmd/mistaken2/main.go:7:9: undefined: nothing",
	}
	for range 2 { // the second time from what is kept
		result, names := builtNames(t, Options{Dir: root})
		if !slices.Equal(names, []string{"good"}) || len(result.Failed) != len(wanted) {
			t.Errorf("built %q, failed %+v", names, result.Failed)
		}
		for _, f := range result.Failed {
			if testkit.ErrorSays(t, f.Err, wanted[f.Name]); strings.Count(f.Problem, "main.go:") > 1 {
				t.Errorf("%s: %s is of other functions, too", f.Name, f.Problem)
			}
		}
	}
	if got := inDist(t, root); !slices.Equal(got, []string{"good/bootstrap", "good.zip"}) {
		t.Errorf("dist has %q", got)
	}
	if _, err := host(t, root, "good"); err != nil {
		t.Error(err)
	}
	for name, text := range wanted {
		_, err := host(t, root, name)
		testkit.ErrorSays(t, err, text)
		_, err = Build(t.Context(), Options{Dir: root, Functions: []string{name}, Environ: os.Environ()})
		testkit.ErrorSays(t, err, text)
	}
	u, err := live(t, root).Update(t.Context(), func() {})
	if err != nil || len(u.Functions) != len(wanted)+1 {
		t.Fatalf("%+v, %v", u, err)
	}
	for _, f := range u.Functions {
		if f.Name == "good" {
			if f.Err != nil || f.Bootstrap == "" {
				t.Errorf("good: %+v", f)
			}
			continue
		}
		testkit.ErrorSays(t, f.Err, wanted[f.Name])
	}
	// A failed build leaves what dist has of a function.
	testkit.Write(t, filepath.Join(root, "cmd/good/main.go"), startSource+"\nvar z = nothing\n")
	testkit.Write(t, filepath.Join(root, "cmd/mistaken/main.go"), startSource)
	if result, names := builtNames(t, Options{Dir: root}); !slices.Equal(names, []string{"mistaken"}) || len(result.Failed) != len(wanted) {
		t.Errorf("built %q, failed %+v", names, result.Failed)
	}
	if got := inDist(t, root); !slices.Equal(got, []string{"good/bootstrap", "good.zip", "mistaken/bootstrap", "mistaken.zip"}) {
		t.Errorf("dist has %q", got)
	}
}

// moduleProxy serves a module from a folder, as GOPROXY=file:// does.
func moduleProxy(t *testing.T, modules map[string]map[string]string) string {
	t.Helper()
	proxy := t.TempDir()
	for path, files := range modules {
		dir := filepath.Join(proxy, path, "@v")
		testkit.Write(t, filepath.Join(dir, "list"), "v1.0.0\n")
		testkit.Write(t, filepath.Join(dir, "v1.0.0.info"), `{"Version":"v1.0.0"}`)
		testkit.Write(t, filepath.Join(dir, "v1.0.0.mod"), files["go.mod"])
		var archive bytes.Buffer
		writer := zip.NewWriter(&archive)
		for name, content := range files {
			entry, err := writer.Create(path + "@v1.0.0/" + name)
			if err == nil {
				_, err = entry.Write([]byte(content))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		testkit.Write(t, filepath.Join(dir, "v1.0.0.zip"), archive.String())
	}
	return proxy
}

// TestNoNeedlessDownloads: of what no function needs, no more than the go.mod is downloaded. A module that may wrap Start is.
func TestNoNeedlessDownloads(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the proxy's address is one of Unix")
	}
	const goMod = "module example.com/%s\n\ngo 1.26\n"
	proxy := moduleProxy(t, map[string]map[string]string{
		"example.com/needed": {"go.mod": fmt.Sprintf(goMod, "needed"), "n.go": "package needed\n"},
		"example.com/heavy":  {"go.mod": fmt.Sprintf(goMod, "heavy"), "h.go": "package heavy\n"},
		"github.com/aws/aws-lambda-go": {
			"go.mod":           "module github.com/aws/aws-lambda-go\n\ngo 1.26\n",
			"lambda/lambda.go": "package lambda\n\nfunc Start(any) {}\n",
		},
		"example.com/wrapper": {
			"go.mod": fmt.Sprintf(goMod, "wrapper") + "\nrequire github.com/aws/aws-lambda-go v1.0.0\n",
			"w.go":   "package wrapper\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc Run() { lambda.Start(nil) }\n",
		},
	})
	root := testkit.Folder(t, map[string]string{
		"go.mod":           fmt.Sprintf(goMod, "p"),
		"golam.yaml":       "functions: [{name: fn}]\n",
		"cmd/fn/main.go":   "package main\n\nimport _ \"example.com/needed\"\n\nfunc main() {}\n",
		"cmd/tool/main.go": "package main\n\nimport _ \"example.com/heavy\"\n\nfunc main() {}\n",
		"cmd/wrap/main.go": "package main\n\nimport \"example.com/wrapper\"\n\nfunc main() { wrapper.Run() }\n",
	})
	environ := func() (modules string, set []string) {
		modules = t.TempDir()
		return modules, []string{
			"GOPROXY=file://" + proxy, "GOSUMDB=off", "GOMODCACHE=" + modules, "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local", "GOENV=off",
		}
	}
	_, set := environ()
	for _, module := range []string{"needed", "heavy", "wrapper"} {
		testkit.Run(t, root, set, "go", "get", "example.com/"+module+"@v1.0.0")
	}
	testkit.Run(t, root, set, "go", "mod", "tidy")

	modules, set := environ()
	t.Cleanup(func() { // the go command makes folders that nothing can be removed from
		_ = filepath.WalkDir(modules, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		})
	})
	functions, err := Functions(t.Context(), root, append(os.Environ(), set...))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range functions {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"fn", "wrap"}) {
		t.Errorf("functions %q", names)
	}
	for module, wanted := range map[string]bool{"example.com/needed": true, "example.com/wrapper": true, "example.com/heavy": false} {
		if got := isFile(filepath.Join(modules, "cache", "download", module, "@v", "v1.0.0.zip")); got != wanted {
			t.Errorf("%s is downloaded: %v, want %v", module, got, wanted)
		}
	}
}

// TestSameFolderName: functions in folders of the same name are told apart, and golam.yaml can name them.
func TestSameFolderName(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	root := moduleCase(t, "same-folder-name")
	if _, names := builtNames(t, Options{Dir: root}); !slices.Equal(names, []string{"orders-create", "users-create"}) {
		t.Errorf("built %q", names)
	}
	first, err := host(t, root, "orders-create")
	if err != nil {
		t.Fatal(err)
	}
	second, err := host(t, root, "users-create")
	if err != nil || first.Function.Package == second.Function.Package {
		t.Errorf("%+v, %v", second, err)
	}
	u, err := live(t, root).Update(t.Context(), func() {})
	if err != nil || len(u.Functions) != 2 || u.Functions[0].Bootstrap == u.Functions[1].Bootstrap || u.Functions[0].Err != nil || u.Functions[1].Err != nil {
		t.Errorf("watched: %+v, %v", u, err)
	}
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: {new-order: {path: ./orders/create}}\n")
	if _, names := builtNames(t, Options{Dir: root}); !slices.Equal(names, []string{"create", "new-order"}) {
		t.Errorf("built %q, with one named in golam.yaml", names)
	}
}

// TestRootMain: the main package at the root of a module gets a name that Lambda takes, and golam.yaml can give it another one.
func TestRootMain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	root := moduleCase(t, "root-main")
	if _, names := builtNames(t, Options{Dir: root, Functions: []string{"good"}}); !slices.Equal(names, []string{"good"}) {
		t.Errorf("built %q", names)
	}
	if _, names := builtNames(t, Options{Dir: root}); !slices.Equal(names, []string{"api-example-com", "good"}) {
		t.Errorf("built %q", names)
	}
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: {api: {path: .}}\nexclude: [./good]\n")
	if _, names := builtNames(t, Options{Dir: root}); !slices.Equal(names, []string{"api"}) {
		t.Errorf("built %q, with one named in golam.yaml", names)
	}
}

// TestFilesBesideMain: golam.yaml includes files from beside the function, which lie at the root of its package, and in the folder that it
// runs in here.
func TestFilesBesideMain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	root := moduleCase(t, "files-beside-main")
	if h, err := host(t, root, "page"); err != nil || h.Dir != root {
		t.Errorf("without include it runs in %s, %v", h.Dir, err)
	}
	testkit.Write(t, filepath.Join(root, "functions/page/static/deep/one.css"), "css")
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: {page: {path: functions/page, include: [page.html, static]}}\n")
	want := []string{"page/bootstrap", "page/page.html", "page/static/deep/one.css", "page.zip"}
	for range 2 {
		result := mustBuild(t, Options{Dir: root})
		if got := inDist(t, root); !slices.Equal(got, want) {
			t.Errorf("dist has %q, want %q", got, want)
		}
		archive := testkit.Read(t, filepath.Join(root, result.Functions[0].Zip.Path))
		if got := packed(strings.NewReader(archive), int64(len(archive))); !slices.Equal(got, []string{"bootstrap", "page.html", "static/deep/one.css"}) {
			t.Errorf("the package has %q", got)
		}
	}
	page := testkit.Read(t, filepath.Join(root, "functions/page/page.html"))
	h, err := host(t, root, "page")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := update(t, live(t, root))
	for _, dir := range []string{h.Dir, f.Dir} {
		if got := testkit.Read(t, filepath.Join(dir, "page.html")); got != page {
			t.Errorf("%s has page.html %q", dir, got)
		}
		if got := testkit.Read(t, filepath.Join(dir, "static/deep/one.css")); got != "css" {
			t.Errorf("%s has one.css %q", dir, got)
		}
	}
	// A file becomes a folder, another goes.
	testkit.Remove(t, filepath.Join(root, "functions/page/page.html"))
	testkit.Write(t, filepath.Join(root, "functions/page/page.html/index.html"), "index")
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: {page: {path: functions/page, include: [page.html]}}\n")
	task := filepath.Join(t.TempDir(), "task")
	project, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Write(t, filepath.Join(task, "page.html"), "a file")
	testkit.Write(t, filepath.Join(task, "static/deep/one.css"), "old")
	if _, err := taskFolder(project, "page", task); err != nil || testkit.Read(t, filepath.Join(task, "page.html/index.html")) != "index" {
		t.Errorf("%v", err)
	}
	if isFile(filepath.Join(task, "static/deep/one.css")) {
		t.Error("a file that is no longer included is still there")
	}
	testkit.Remove(t, filepath.Join(root, distFolder))
	mustBuild(t, Options{Dir: root})
	if got := inDist(t, root); !slices.Equal(got, []string{"page/bootstrap", "page/page.html/index.html", "page.zip"}) {
		t.Errorf("dist has %q", got)
	}
	for include, text := range map[string]string{"absent": "absent", "main.go/../../../x": "not a file or a folder below"} {
		testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: {page: {path: functions/page, include: ["+include+"]}}\n")
		_, err := Build(t.Context(), Options{Dir: root, Environ: os.Environ()})
		testkit.ErrorSays(t, err, "golam.yaml", text)
	}
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: {page: {path: functions/page, include: [main.go]}}\n")
	testkit.Write(t, filepath.Join(root, "main.go"), "package other\n")
	_, err = Build(t.Context(), Options{Dir: root, Include: []string{"main.go"}, Environ: os.Environ()})
	testkit.ErrorSays(t, err, "--include main.go and the include of functions/page/main.go in golam.yaml would both be main.go")
}

// TestSAMLayout: above the modules of a project that sam init made, it is said where these are.
func TestSAMLayout(t *testing.T) {
	root := moduleCase(t, "sam-layout")
	_, err := Open(root)
	testkit.ErrorSays(t, err, "there is no go.mod in "+root+" or above it, but there is one in hello: go there first, with cd hello")
	testkit.Write(t, filepath.Join(root, "functions/bye/go.mod"), "module bye\n")
	testkit.Write(t, filepath.Join(root, "node_modules/x/go.mod"), "module x\n")
	_, err = Open(root)
	testkit.ErrorSays(t, err, "below it there are Go modules in functions/bye, hello: go to one of them first")
	for i := range 12 {
		testkit.Write(t, filepath.Join(root, fmt.Sprintf("more/m%02d/go.mod", i)), "module m\n")
	}
	_, err = Open(root)
	testkit.ErrorSays(t, err, "more/m07 and other folders")
}

// TestOldRuntime: an aws-lambda-go without the Runtime API is named before anything runs.
func TestOldRuntime(t *testing.T) {
	for version, old := range map[string]bool{"v1.17.0": true, "v1.18.0": false, "v1.55.1": false, "": false, "v1.17.1-0.20200101000000-000000000000": true} {
		l := &listing{packages: map[string]goPackage{
			"p/fn":        {ImportPath: "p/fn", Imports: []string{lambdaPackage}},
			"p/other":     {ImportPath: "p/other"},
			lambdaPackage: {ImportPath: lambdaPackage, Module: &goModule{Path: "github.com/aws/aws-lambda-go", Version: version}},
		}}
		err := l.runtimeProblem(found{Function: Function{Name: "fn", Package: "p/fn"}})
		if (err != nil) != old {
			t.Errorf("%s: %v", version, err)
		}
		if old {
			testkit.ErrorSays(t, err, "fn uses github.com/aws/aws-lambda-go "+version, "AWS_LAMBDA_RUNTIME_API", "go get github.com/aws/aws-lambda-go@latest")
		}
		if err := l.runtimeProblem(found{Function: Function{Name: "other", Package: "p/other"}}); err != nil {
			t.Errorf("what does not use it: %v", err)
		}
		l.packages[lambdaPackage].Module.Replace = &goModule{Path: "../fork"}
		if err := l.runtimeProblem(found{Function: Function{Name: "fn", Package: "p/fn"}}); err != nil {
			t.Errorf("a replaced one: %v", err)
		}
	}
	root := testkit.Folder(t, map[string]string{
		"go.mod":         "module example.com/old\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.17.0\n",
		"cmd/fn/main.go": startSource,
		"vendor/x":       "",
		"vendor/github.com/aws/aws-lambda-go/lambda/lambda.go": "package lambda\n\nfunc Start(any) {}\n",
		"vendor/modules.txt": "# github.com/aws/aws-lambda-go v1.17.0\n## explicit\ngithub.com/aws/aws-lambda-go/lambda\n",
	})
	_, err := host(t, root, "")
	var broken *BrokenError
	if !errors.As(err, &broken) {
		t.Errorf("error %v", err)
	}
	testkit.ErrorSays(t, err, "aws-lambda-go v1.17.0, which does not know the Runtime API")
	_, err = Build(t.Context(), Options{Dir: root, Environ: os.Environ()})
	testkit.ErrorSays(t, err, "aws-lambda-go v1.17.0")
}

// TestHiddenByConstraints: a file that calls Start but is left out is named, unless that is on purpose.
func TestHiddenByConstraints(t *testing.T) {
	root := testkit.Folder(t, lambdaModule(t))
	other := "windows"
	if runtime.GOOS == other {
		other = "linux"
	}
	for name, content := range map[string]string{
		"cmd/good/main.go":                   startSource,
		"cmd/hidden/lambda.go":               "//go:build lambda && !local\n\n" + startSource,
		"cmd/hidden/local.go":                "//go:build !lambda\n\npackage main\n\nfunc main() {}\n",
		"cmd/other/main_" + other + ".go":    startSource,
		"cmd/script/main.go":                 "//go:build ignore\n\n" + startSource,
		"cmd/good/main_lambda.go":            "//go:build extra\n\n" + startSource,
		"cmd/talk/main.go":                   "//go:build talk\n\npackage main\n\nfunc main() {}\n",
		"internal/lambda_test/extra_test.go": "package x\n",
	} {
		testkit.Write(t, filepath.Join(root, name), content)
	}
	want := []string{
		"cmd/hidden/lambda.go calls lambda.Start, but its constraint //go:build lambda && !local leaves it out",
		"cmd/other/main_" + other + ".go calls lambda.Start, but the ending of its name, which is for another system leaves it out",
	}
	l := live(t, root)
	if _, u := update(t, l); !slices.Equal(u.Notes, want) {
		t.Errorf("notes %q, want %q", u.Notes, want)
	}
	_, err := host(t, root, "hidden")
	testkit.ErrorSays(t, err, `unknown function "hidden"`, want[0])
	testkit.Remove(t, filepath.Join(root, "cmd/good"))
	_, err = host(t, root, "")
	testkit.ErrorSays(t, err, "there is no function in", want[0])
}
