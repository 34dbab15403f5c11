package build

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// two is a project of two functions that share a package.
func two() map[string]string {
	files := tiny()
	files["golam.yaml"] = "arch: x86_64\nfunctions:\n  - name: small\n  - name: second\n"
	files["cmd/second/main.go"] = files["cmd/small/main.go"]
	return files
}

// identities are those of all files in dist: another file in the place of one has another.
func identities(t *testing.T, root string) map[string]os.FileInfo {
	t.Helper()
	found := map[string]os.FileInfo{}
	for _, name := range inDist(t, root) {
		info, err := os.Lstat(filepath.Join(root, distFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = info
	}
	return found
}

// replaced names the files of dist that were written again.
func replaced(t *testing.T, root string, before map[string]os.FileInfo) (names []string) {
	t.Helper()
	after := identities(t, root)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if now, was := after[name], before[name]; was == nil || !os.SameFile(was, now) || !was.ModTime().Equal(now.ModTime()) {
			names = append(names, name)
		}
	}
	return names
}

// TestBuildKeeps: what has not changed is neither linked nor packed nor written again, and the bytes are those of a build from nothing.
func TestBuildKeeps(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it builds several times, with a shell script for the go command")
	}
	root, cache := testkit.Folder(t, two()), t.TempDir()
	asked := filepath.Join(t.TempDir(), "asked")
	t.Setenv("ASKED", asked)
	shim(t, `echo "$1" >>"$ASKED"; exec "$GO" "$@"`)
	build := func() Result {
		t.Helper()
		_ = os.Remove(asked)
		return mustBuild(t, Options{Dir: root, Cache: cache})
	}
	same := func(what string, a, b Result) {
		t.Helper()
		if len(a.Functions) != len(b.Functions) {
			t.Fatalf("%s: failed %+v", what, b.Failed)
		}
		for i, f := range a.Functions {
			if g := b.Functions[i]; f.Bootstrap.SHA256 != g.Bootstrap.SHA256 || f.Zip.SHA256 != g.Zip.SHA256 || len(f.Modules) != len(g.Modules) {
				t.Errorf("%s: %+v is not %+v", what, g, f)
			}
			for _, made := range []Artifact{b.Functions[i].Bootstrap, b.Functions[i].Zip} {
				if got := testkit.Read(t, filepath.Join(root, made.Path)); sumOf([]byte(got)) != made.SHA256 || int64(len(got)) != made.Bytes {
					t.Errorf("%s: %s is not what the result says", what, made.Path)
				}
			}
		}
	}
	// What has changed just now is looked at again.
	past := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Chtimes(path, past, past)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	first := build()
	before := identities(t, root)
	zips, err := filepath.Glob(filepath.Join(cache, "golam", "*", "package-x86_64", "zip", "*.zip"))
	if err != nil || len(zips) != 2 {
		t.Fatalf("kept %q, %v", zips, err)
	}

	second := build()
	same("nothing has changed", first, second)
	if got := replaced(t, root, before); len(got) > 0 {
		t.Errorf("nothing has changed, and %q are written", got)
	}
	if got := strings.Fields(testkit.Read(t, asked)); !slices.Equal(got, []string{"env", "build"}) {
		t.Errorf("nothing has changed, and the go command is asked for %q", got)
	}
	if change := second.Functions[0].Zip.Change; change == nil || *change != 0 {
		t.Errorf("nothing has changed, and the change is %v", change)
	}

	testkit.Write(t, filepath.Join(root, "cmd/small/main.go"), tiny()["cmd/small/main.go"]+"\nfunc init() { println(text.Text) }\n")
	third := build()
	if got := replaced(t, root, before); !slices.Equal(got, []string{"small.zip", "small/bootstrap"}) {
		t.Errorf("one main has changed, and %q are written", got)
	}
	testkit.Write(t, filepath.Join(root, "cmd/small/main.go"), tiny()["cmd/small/main.go"])
	same("as before", first, build())

	// Whatever happens to dist and to the cache, the bytes are the same.
	for name, harm := range map[string]func(){
		"no dist":     func() { testkit.Remove(t, filepath.Join(root, distFolder)) },
		"another zip": func() { testkit.Write(t, filepath.Join(root, third.Functions[1].Zip.Path), "other") },
		"a broken cache": func() {
			testkit.Write(t, filepath.Join(filepath.Dir(filepath.Dir(zips[0])), keptName), `{"format":1,"records":{"small":{`)
		},
		"an empty one": func() { testkit.Write(t, filepath.Join(filepath.Dir(filepath.Dir(zips[0])), keptName), `{"format":1}`) },
		"numbers astray": func() {
			testkit.Write(t, filepath.Join(filepath.Dir(filepath.Dir(zips[0])), keptName), `{"format":1,"index":{"format":2,"functions":[{"files":[7]}]},"records":{}}`)
		},
		"a broken kept":   func() { testkit.Write(t, zips[0], "other") },
		"no kept package": func() { testkit.Remove(t, filepath.Dir(zips[0])) },
		"no cache":        func() { testkit.Remove(t, filepath.Join(cache, "golam")) },
		"a broken binary": func() {
			binaries, _ := filepath.Glob(filepath.Join(cache, "golam", "*", "package-x86_64", "link", "*", "small"))
			if len(binaries) != 1 {
				t.Fatalf("binaries %q", binaries)
			}
			testkit.Write(t, binaries[0], "other")
		},
		"half a binary of a go command that was killed": func() {
			binaries, _ := filepath.Glob(filepath.Join(cache, "golam", "*", "package-x86_64", "link", "*", "small"))
			if len(binaries) != 1 {
				t.Fatalf("binaries %q", binaries)
			}
			whole := testkit.Read(t, binaries[0])
			part := len(whole) / 4 // of the code
			testkit.Write(t, binaries[0], whole[:part]+strings.Repeat("\x00", part)+whole[2*part:])
			testkit.Write(t, filepath.Dir(binaries[0])+".linking", "")
			testkit.Remove(t, filepath.Join(root, distFolder))
		},
	} {
		harm()
		same(name, first, build())
	}
	same("without a cache", first, mustBuild(t, Options{Dir: root, Cache: filepath.Join(root, "go.mod")}))

	// What is kept of a function goes with it.
	testkit.Remove(t, filepath.Join(root, "cmd/second"))
	testkit.Write(t, filepath.Join(root, "golam.yaml"), tiny()["golam.yaml"])
	build()
	left, _ := filepath.Glob(filepath.Join(cache, "golam", "*", "package-x86_64", "*", "*"))
	for _, name := range left {
		if strings.Contains(name, "second") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestBuildNoticesFunctions: an edit that makes a package a function, and a new folder, are seen by the next build.
func TestBuildNoticesFunctions(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	root, cache := testkit.Folder(t, lambdaModule(t)), t.TempDir()
	testkit.Write(t, filepath.Join(root, "cmd/a/main.go"), startSource)
	testkit.Write(t, filepath.Join(root, "cmd/tool/main.go"), "package main\n\nfunc main() {}\n")
	names := func() []string {
		t.Helper()
		_, names := builtNames(t, Options{Dir: root, Cache: cache})
		return names
	}
	if got := names(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("functions %q", got)
	}
	testkit.Write(t, filepath.Join(root, "cmd/tool/main.go"), startSource)
	testkit.Write(t, filepath.Join(root, "cmd/new/main.go"), startSource)
	if got := names(); !slices.Equal(got, []string{"a", "new", "tool"}) {
		t.Errorf("functions %q after two have come", got)
	}
	testkit.Remove(t, filepath.Join(root, "cmd/a"))
	if got := names(); !slices.Equal(got, []string{"new", "tool"}) {
		t.Errorf("functions %q after one has gone", got)
	}
}

// TestBuildKeepsWithIncludes: a package gets the files that it is to have now, although its binary is the one that dist has already.
func TestBuildKeepsWithIncludes(t *testing.T) {
	files := tiny()
	files["a.txt"], files["b.txt"] = "a", "b"
	root, cache := testkit.Folder(t, files), t.TempDir()
	for _, include := range [][]string{{"a.txt"}, {"a.txt", "b.txt"}, {"b.txt"}, nil} {
		zip := testkit.Read(t, filepath.Join(root, mustBuild(t, Options{Dir: root, Cache: cache, Include: include}).Functions[0].Zip.Path))
		want := append(slices.Clone(include), bootstrapName)
		if got := packed(strings.NewReader(zip), int64(len(zip))); !slices.Equal(got, want) {
			t.Errorf("the package with %q has %q", include, got)
		}
		for i := range want {
			want[i] = "small/" + want[i]
		}
		if got := inDist(t, root); !slices.Equal(got, append(want, "small.zip")) {
			t.Errorf("with %q dist has %q", include, got)
		}
	}
}

// TestPackagesOfLostProject: what golam build keeps of a project goes once the project has gone, and only then.
func TestPackagesOfLostProject(t *testing.T) {
	lost, other, cache := testkit.Folder(t, tiny()), testkit.Folder(t, tiny()), t.TempDir()
	mustBuild(t, Options{Dir: lost, Cache: cache})
	kept := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(cache, "golam", "*", "package-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	forHost(t, other, cache)
	if got := kept(); got != 1 {
		t.Errorf("%d folders of packages, want that of the project which is there", got)
	}
	testkit.Remove(t, lost)
	testkit.Write(t, filepath.Join(other, "text/files/one.txt"), "two")
	forHost(t, other, cache)
	if got := kept(); got != 0 {
		t.Errorf("%d folders of packages are left of a project that is gone", got)
	}
}
