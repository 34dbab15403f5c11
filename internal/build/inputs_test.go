package build

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
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
	x, err := look(t.Context(), toolchain, project, index{})
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
	above := makeProject(t, manyInputs())
	root := filepath.Join(above, "p")
	before := lookAt(t, root)
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	tests := []struct {
		name   string
		change func(t *testing.T)
		fresh  bool
	}{
		{"nothing", func(*testing.T) {}, true},
		{"a source", func(t *testing.T) { write(t, in("cmd/f/main.go"), read(t, in("cmd/f/main.go"))+"// more\n") }, false},
		{"a source, with its size and time as before", func(t *testing.T) {
			info, err := os.Stat(in("data/one.txt"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, in("data/one.txt"), "two")
			if err := os.Chtimes(in("data/one.txt"), info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a source's time alone", func(t *testing.T) {
			if err := os.Chtimes(in("cmd/f/main.go"), time.Time{}, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"go.mod", func(t *testing.T) { write(t, in("go.mod"), read(t, in("go.mod"))+"\n// more\n") }, false},
		{"a new go.sum", func(t *testing.T) { write(t, in("go.sum"), "") }, false},
		{"golam.yaml", func(t *testing.T) { write(t, in("golam.yaml"), "functions: [{name: g}]\n") }, false},
		{"no golam.yaml", func(t *testing.T) { remove(t, in("golam.yaml")) }, false},
		{"an embedded file", func(t *testing.T) { write(t, in("data/one.txt"), "more") }, false},
		{"a new file for a pattern", func(t *testing.T) { write(t, in("data/list/b.txt"), "b") }, false},
		{"a new file beside a pattern", func(t *testing.T) { write(t, in("data/list/b.md"), "b") }, true},
		{"a new hidden file in an embedded folder", func(t *testing.T) { write(t, in("data/folder/deep/.new"), "") }, false},
		{"a file in a new embedded folder", func(t *testing.T) { write(t, in("data/folder/_x/y"), "") }, false},
		{"an embedded file that goes", func(t *testing.T) { remove(t, in("data/list/a.txt")) }, false},
		{"a new source", func(t *testing.T) { write(t, in("data/more.go"), "package data\n") }, false},
		{"a source that goes", func(t *testing.T) { remove(t, in("cmd/f/asm_amd64.s")) }, false},
		{"a source that moves", func(t *testing.T) {
			if err := os.Rename(in("data/data.go"), in("data/other.go")); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a source of another system", func(t *testing.T) { write(t, in("cmd/f/other_plan9.go"), "package main\n\n// more\n") }, false},
		{"a profile", func(t *testing.T) { write(t, in("cmd/f/default.pgo"), "") }, false},
		{"a new package", func(t *testing.T) { write(t, in("cmd/g/main.go"), "package main\n") }, false},
		{"a package that nothing imports", func(t *testing.T) { write(t, in("unused/unused.go"), "package unused // more\n") }, false},
		{"a replaced module", func(t *testing.T) { write(t, in("../beside/beside.go"), "package beside // more\n") }, false},
		{"a new source in it", func(t *testing.T) { write(t, in("../beside/more.go"), "package beside\n") }, false},
		{"its go.mod", func(t *testing.T) { write(t, in("../beside/go.mod"), "module example.com/beside\n\ngo 1.25\n") }, false},
		{"a folder becomes a module", func(t *testing.T) { write(t, in("unused/go.mod"), "module x\n") }, false},
		{"a test", func(t *testing.T) { write(t, in("cmd/f/main_test.go"), "package main // more\n") }, true},
		{"a new test", func(t *testing.T) { write(t, in("cmd/f/new_test.go"), "package main\n") }, true},
		{"another module inside", func(t *testing.T) { write(t, in("infra/more.go"), "package main\n") }, true},
		{"what was built", func(t *testing.T) { write(t, in("dist/f/x.go"), "package main\n") }, true},
		{"documentation", func(t *testing.T) { write(t, in("README.md"), "more\n") }, true},
		{"an event", func(t *testing.T) { write(t, in("events/new.json"), "{}") }, true},
		{"an editor's file", func(t *testing.T) { write(t, in("cmd/f/.main.go.swp"), "") }, true},
		{"a repository's file", func(t *testing.T) { write(t, in(".git/x.go"), "") }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			remove(t, above)
			for name, content := range manyInputs() {
				write(t, filepath.Join(above, name), content)
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

// TestInputs: a function is built from its own files and not from those of others.
func TestInputs(t *testing.T) {
	root := filepath.Join(makeProject(t, manyInputs()), "p")
	write(t, filepath.Join(root, "golam.yaml"), "functions: [{name: f}, {name: g}]\n")
	write(t, filepath.Join(root, "cmd/g/main.go"), "package main\n\nfunc main() {}\n")
	of := func(x index, name string) string {
		i, err := x.find(name)
		if err != nil {
			t.Fatal(err)
		}
		return x.Functions[i].Inputs
	}
	before := lookAt(t, root)
	write(t, filepath.Join(root, "data/one.txt"), "more")
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
	contains(t, err, `unknown function "ff": use f, g`)
}

// TestUnsure: what changes while it is looked at is looked at again. A time in the future stands for that.
func TestUnsure(t *testing.T) {
	root := filepath.Join(makeProject(t, manyInputs()), "p")
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
	write(t, path, "")
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
	root := makeProject(t, tiny())
	plain, err := findToolchain(t.Context(), root, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "env")
	write(t, config, "GOFLAGS=-race\nGOAMD64=v3\nGOPRIVATE=example.com/mine\n")
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
