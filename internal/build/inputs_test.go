package build

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// lookAt makes an index of a project as ForHost does.
func lookAt(t *testing.T, root string) index {
	t.Helper()
	project, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	toolchain, err := findToolchain(t.Context(), root, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	x, _, err := look(t.Context(), toolchain, project, platform(runtime.GOOS, runtime.GOARCH), index{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// freshHere says whether an index still describes the project's only function, as ForHost asks.
func (x index) freshHere() bool {
	return x.fresh("") && x.sameTree(x.Watched.tree(x.Tree))
}

// manyInputs are what a module of several packages may have: a replaced module beside it, files that are embedded by name, pattern and
// folder, and files for other systems. The project is in p.
func manyInputs() map[string]string {
	return map[string]string{
		"beside/go.mod":              "module example.com/beside\n\ngo 1.26\n",
		"beside/beside.go":           "package beside\n",
		"p/go.mod":                   "module example.com/p\n\ngo 1.26\n\nrequire example.com/beside v0.0.0\n\nreplace example.com/beside => ../beside\n",
		"p/golam.yaml":               "functions: [{name: f}]\n",
		"p/cmd/f/main.go":            "package main\n\nimport (\n\t_ \"example.com/beside\"\n\t_ \"example.com/p/data\"\n)\n\nfunc main() {}\n",
		"p/cmd/f/main_test.go":       "package main\n",
		"p/cmd/f/other_plan9.go":     "package main\n",
		"p/cmd/f/asm_amd64.s":        "// nothing\n",
		"p/data/data.go":             "package data\n\nimport \"embed\"\n\n//go:embed one.txt list/*.txt all:folder\nvar FS embed.FS\n",
		"p/data/one.txt":             "one",
		"p/data/list/a.txt":          "a",
		"p/data/folder/deep/.hidden": "h",
		"p/unused/unused.go":         "package unused\n",
		"p/infra/go.mod":             "module example.com/infra\n",
		"p/infra/main.go":            "package main\n",
		"p/README.md":                "read me\n",
		"p/empty/notes.txt":          "",
	}
}

// TestFresh changes one thing and asks whether it is seen.
func TestFresh(t *testing.T) {
	above := testkit.Folder(t, manyInputs())
	root := filepath.Join(above, "p")
	before := lookAt(t, root)
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	tests := []struct {
		name   string
		change func(t *testing.T)
		fresh  bool
	}{
		{"nothing", func(*testing.T) {}, true},
		{"a source", func(t *testing.T) {
			testkit.Write(t, in("cmd/f/main.go"), testkit.Read(t, in("cmd/f/main.go"))+"// more\n")
		}, false},
		{"a source, with its size and time as before", func(t *testing.T) {
			info, err := os.Stat(in("data/one.txt"))
			if err != nil {
				t.Fatal(err)
			}
			testkit.Write(t, in("data/one.txt"), "two")
			if err := os.Chtimes(in("data/one.txt"), info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a source's time alone", func(t *testing.T) {
			if err := os.Chtimes(in("cmd/f/main.go"), time.Time{}, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"go.mod", func(t *testing.T) { testkit.Write(t, in("go.mod"), testkit.Read(t, in("go.mod"))+"\n// more\n") }, false},
		{"a new go.sum", func(t *testing.T) { testkit.Write(t, in("go.sum"), "") }, false},
		{"golam.yaml", func(t *testing.T) { testkit.Write(t, in("golam.yaml"), "functions: [{name: g}]\n") }, false},
		{"no golam.yaml", func(t *testing.T) { testkit.Remove(t, in("golam.yaml")) }, false},
		{"an embedded file", func(t *testing.T) { testkit.Write(t, in("data/one.txt"), "more") }, false},
		{"a new file for a pattern", func(t *testing.T) { testkit.Write(t, in("data/list/b.txt"), "b") }, false},
		{"a new file beside a pattern", func(t *testing.T) { testkit.Write(t, in("data/list/b.md"), "b") }, true},
		{"a new hidden file in an embedded folder", func(t *testing.T) { testkit.Write(t, in("data/folder/deep/.new"), "") }, false},
		{"a file in a new embedded folder", func(t *testing.T) { testkit.Write(t, in("data/folder/_x/y"), "") }, false},
		{"an embedded file that goes", func(t *testing.T) { testkit.Remove(t, in("data/list/a.txt")) }, false},
		{"a new source", func(t *testing.T) { testkit.Write(t, in("data/more.go"), "package data\n") }, false},
		{"a source that goes", func(t *testing.T) { testkit.Remove(t, in("cmd/f/asm_amd64.s")) }, false},
		{"a source that moves", func(t *testing.T) {
			if err := os.Rename(in("data/data.go"), in("data/other.go")); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a source of another system", func(t *testing.T) { testkit.Write(t, in("cmd/f/other_plan9.go"), "package main\n\n// more\n") }, false},
		{"a profile", func(t *testing.T) { testkit.Write(t, in("cmd/f/default.pgo"), "") }, false},
		{"a new package", func(t *testing.T) { testkit.Write(t, in("cmd/g/main.go"), "package main\n") }, false},
		{"a package that nothing imports", func(t *testing.T) { testkit.Write(t, in("unused/unused.go"), "package unused // more\n") }, false},
		{"a replaced module", func(t *testing.T) { testkit.Write(t, in("../beside/beside.go"), "package beside // more\n") }, false},
		{"a new source in it", func(t *testing.T) { testkit.Write(t, in("../beside/more.go"), "package beside\n") }, false},
		{"its go.mod", func(t *testing.T) { testkit.Write(t, in("../beside/go.mod"), "module example.com/beside\n\ngo 1.25\n") }, false},
		{"a vendor folder", func(t *testing.T) { testkit.Write(t, in("vendor/modules.txt"), "") }, false},
		{"an empty vendor folder", func(t *testing.T) {
			if err := os.Mkdir(in("vendor"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a folder becomes a module", func(t *testing.T) { testkit.Write(t, in("unused/go.mod"), "module x\n") }, false},
		{"a test", func(t *testing.T) { testkit.Write(t, in("cmd/f/main_test.go"), "package main // more\n") }, true},
		{"a new test", func(t *testing.T) { testkit.Write(t, in("cmd/f/new_test.go"), "package main\n") }, true},
		{"another module inside", func(t *testing.T) { testkit.Write(t, in("infra/more.go"), "package main\n") }, true},
		{"what was built", func(t *testing.T) { testkit.Write(t, in("dist/f/x.go"), "package main\n") }, true},
		{"documentation", func(t *testing.T) { testkit.Write(t, in("README.md"), "more\n") }, true},
		{"an event", func(t *testing.T) { testkit.Write(t, in("events/new.json"), "{}") }, true},
		{"an editor's file", func(t *testing.T) { testkit.Write(t, in("cmd/f/.main.go.swp"), "") }, true},
		{"a repository's file", func(t *testing.T) { testkit.Write(t, in(".git/x.go"), "") }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			testkit.Remove(t, above)
			for name, content := range manyInputs() {
				testkit.Write(t, filepath.Join(above, name), content)
			}
			if !before.freshHere() {
				t.Fatal("it is not fresh from the beginning")
			}
			test.change(t)
			if fresh := before.freshHere(); fresh != test.fresh {
				t.Errorf("fresh %v, want %v", fresh, test.fresh)
			}
		})
	}
}

// TestVendor: every file below vendor counts from the moment that go mod vendor has made it.
func TestVendor(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	above := testkit.Folder(t, manyInputs())
	root, cache := filepath.Join(above, "p"), t.TempDir()
	beside := "package beside\n\nfunc init() { println(\"%s\") }\n"
	testkit.Write(t, filepath.Join(above, "beside/beside.go"), fmt.Sprintf(beside, "replaced"))
	l := live(t, root)
	step := func(what, want string) {
		t.Helper()
		if _, printed := forHost(t, root, cache); printed != want {
			t.Errorf("%s: invoked, it prints %q, want %q", what, printed, want)
		}
		if f, _ := update(t, l); says(t, f) != want {
			t.Errorf("%s: watched, it prints %q, want %q", what, says(t, f), want)
		}
		result := mustBuild(t, Options{Dir: root, Cache: cache, Arch: "x86_64"})
		binary := testkit.Read(t, filepath.Join(root, result.Functions[0].Bootstrap.Path))
		for _, text := range strings.Fields(want) {
			if !strings.Contains(binary, text) {
				t.Errorf("%s: built, it does not hold %q", what, text)
			}
		}
	}
	step("a replaced folder", "replaced")
	testkit.Run(t, root, []string{"GOFLAGS=", "GOWORK=off"}, "go", "mod", "vendor")
	step("vendored", "replaced")
	testkit.Write(t, filepath.Join(root, "vendor/example.com/beside/beside.go"), fmt.Sprintf(beside, "edited"))
	step("an edit below vendor", "edited")
	testkit.Write(t, filepath.Join(root, "vendor/example.com/beside/more.go"), "package beside\n\nfunc init() { println(\"added\") }\n")
	step("a new file below vendor", "edited\nadded")
	testkit.Remove(t, filepath.Join(root, "vendor"))
	step("no longer vendored", "replaced")
}

// TestShadowed: a folder of the project that could provide an import of another module is an input from the moment that it appears.
func TestShadowed(t *testing.T) {
	above := testkit.Folder(t, map[string]string{
		"inner/go.mod":    "module example.com/p/inner\n\ngo 1.26\n",
		"inner/inner.go":  "package inner\n",
		"p/go.mod":        "module example.com/p\n\ngo 1.26\n\nrequire example.com/p/inner v0.0.0\n\nreplace example.com/p/inner => ../inner\n",
		"p/golam.yaml":    "functions: [{name: f}]\n",
		"p/cmd/f/main.go": "package main\n\nimport _ \"example.com/p/inner\"\n\nfunc main() {}\n",
	})
	root := filepath.Join(above, "p")
	x := lookAt(t, root)
	if !x.freshHere() {
		t.Error("it is not fresh from the beginning")
	}
	testkit.Write(t, filepath.Join(root, "inner/inner.go"), "package inner\n")
	if x.current(0) {
		t.Error("the new folder is not seen")
	}
}

// TestTree: a folder that has not changed is not read again, however many files there are, and one that has changed just now is.
func TestTree(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"a/a.go": "", "a/b/b.txt": "", "c/c.txt": ""})
	past := time.Now().Add(-time.Hour)
	for _, dir := range []string{".", "a", "a/b"} {
		if err := os.Chtimes(filepath.Join(root, dir), past, past); err != nil {
			t.Fatal(err)
		}
	}
	w := watched{Root: root}
	first := w.tree(nil)
	var paths []string
	for i := range first {
		paths = append(paths, first[i].Path)
		first[i].Names = "known" // to tell what is known from what is read
	}
	if want := []string{".", "a", "a/b", "c"}; !slices.Equal(paths, want) {
		t.Fatalf("the tree has %q, want %q", paths, want)
	}
	names := func(tree []folder) (found []string) {
		for _, f := range tree {
			if f.Names == "known" {
				found = append(found, f.Path)
			}
		}
		return found
	}
	if got, want := names(w.tree(first)), []string{".", "a", "a/b"}; !slices.Equal(got, want) {
		t.Errorf("known without reading are %q, want %q", got, want)
	}
	testkit.Write(t, filepath.Join(root, "a/new.go"), "")
	if got, want := names(w.tree(first)), []string{".", "a/b"}; !slices.Equal(got, want) {
		t.Errorf("known without reading are %q, want %q", got, want)
	}
	testkit.Remove(t, filepath.Join(root, "a"))
	if tree := w.tree(first); len(tree) != 2 {
		t.Errorf("without a: %+v", tree)
	}
}

// TestInputs: a function is built from its own files and not from those of others.
func TestInputs(t *testing.T) {
	root := filepath.Join(testkit.Folder(t, manyInputs()), "p")
	testkit.Write(t, filepath.Join(root, "golam.yaml"), "functions: [{name: f}, {name: g}]\n")
	testkit.Write(t, filepath.Join(root, "cmd/g/main.go"), "package main\n\nfunc main() {}\n")
	of := func(x index, name string) string {
		i, err := x.find(name)
		if err != nil {
			t.Fatal(err)
		}
		return x.Functions[i].Inputs
	}
	before := lookAt(t, root)
	testkit.Write(t, filepath.Join(root, "data/one.txt"), "more")
	after := lookAt(t, root)
	if of(before, "f") == of(after, "f") {
		t.Error("f embeds the file that changed, and nothing is seen")
	}
	if of(before, "g") != of(after, "g") {
		t.Error("g has nothing to do with the file that changed")
	}
	if of(after, "f") == of(after, "g") {
		t.Error("f and g are the same")
	}
	if _, err := after.find(""); err == nil {
		t.Error("it is not said which of two functions")
	}
	_, err := after.find("ff")
	testkit.ErrorSays(t, err, `unknown function "ff": use f, g`)
}

// TestUnsure: what changes while it is looked at is looked at again. A time in the future stands for that.
func TestUnsure(t *testing.T) {
	root := filepath.Join(testkit.Folder(t, manyInputs()), "p")
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	set := func(path string, when time.Time) {
		t.Helper()
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(filepath.Dir(root), func(path string, _ os.DirEntry, err error) error {
		set(path, past)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if lookAt(t, root).unsure {
		t.Error("nothing has changed for an hour, and the index is not sure")
	}
	for _, path := range []string{"cmd/f/main.go", "go.mod", "empty", "data/folder/deep", "../beside"} {
		set(filepath.Join(root, path), future)
		if !lookAt(t, root).unsure {
			t.Errorf("%s has changed, and the index is sure of it", path)
		}
		set(filepath.Join(root, path), past)
	}
}

func TestSumOfLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	testkit.Write(t, path, "")
	if err := os.Truncate(path, readAlways+1); err != nil {
		t.Fatal(err)
	}
	before, err := sum(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 1)); err != nil {
		t.Fatal(err)
	}
	if after, err := sum(path); err != nil || after == before {
		t.Errorf("another time makes no difference: %s, %v", after, err)
	}
	if _, err := sum(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent file has a sum")
	}
}

// TestSettings: what the user has set changes neither the toolchain's identity nor what it is told to build.
func TestSettings(t *testing.T) {
	root := testkit.Folder(t, tiny())
	plain, err := findToolchain(t.Context(), root, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "env")
	testkit.Write(t, config, "GOFLAGS=-race\nGOAMD64=v3\nGOPRIVATE=example.com/mine\n")
	odd := append(os.Environ(), "GOENV="+config, "GOARM64=v9.0", "GOEXPERIMENT=unknown", "CGO_ENABLED=1", "GOOS=plan9", "GOARCH=mips",
		"GOWORK=/absent/go.work", "GO111MODULE=off", "GOFIPS140=latest")
	user, err := findToolchain(t.Context(), root, odd)
	if err != nil {
		t.Fatal(err)
	}
	if plain.identity() != user.identity() {
		t.Errorf("%s is not %s", user.identity(), plain.identity())
	}
	output, err := user.run(t.Context(), root, platform("linux", "arm64"), "env", "GOFLAGS", "GOAMD64", "GOARM64", "GOEXPERIMENT",
		"CGO_ENABLED", "GOOS", "GOARCH", "GOWORK", "GOFIPS140", "GOPRIVATE")
	if err != nil {
		t.Fatal(err)
	}
	if want := "-buildvcs=false\nv1\nv8.0\n\n0\nlinux\narm64\noff\noff\nexample.com/mine\n"; string(output) != want {
		t.Errorf("the settings are %q, want %q", output, want)
	}
	if runtime.GOOS == "linux" && user.moduleCache != plain.moduleCache {
		t.Errorf("module cache %s, want %s", user.moduleCache, plain.moduleCache)
	}
}
