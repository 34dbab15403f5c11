package build

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/golam-cli/golam/internal/testkit"
)

// TestEdited changes one thing. If golam brings its index up to date without the go command, that must be the index which a look gives.
func TestEdited(t *testing.T) {
	files := func() map[string]string {
		files := manyInputs()
		files["p/golam.yaml"] = "functions: [{name: f}, {name: g}]\n"
		files["p/cmd/g/main.go"] = "package main\n\nimport (\n\t\"os\"\n)\n\n// Main comment.\nfunc main() { println(os.Args[0]) }\n"
		files["p/tool/main.go"] = "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(0) }\n"
		files["p/cmd/f/ignored.go"] = "//go:build never\n\npackage main\n\nfunc never() {}\n"
		files["p/data/more.txt"] = "not embedded"
		return files
	}
	above := testkit.Folder(t, files())
	root := filepath.Join(above, "p")
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	replace := func(name, before, after string) func(*testing.T) {
		return func(t *testing.T) {
			source := testkit.Read(t, in(name))
			if !strings.Contains(source, before) {
				t.Fatalf("%s has no %q", name, before)
			}
			testkit.Write(t, in(name), strings.Replace(source, before, after, 1))
		}
	}
	var old time.Time // long before golam looks
	age := func(t *testing.T) {
		t.Helper()
		old = time.Now().Add(-time.Hour)
		err := filepath.WalkDir(above, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chtimes(path, old, old)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	restore := func(t *testing.T) {
		t.Helper()
		testkit.Remove(t, above)
		for name, content := range files() {
			testkit.Write(t, filepath.Join(above, name), content)
		}
		age(t)
	}
	restore(t)
	before := lookAt(t, root)
	if before.unsure {
		t.Fatal("the files are not old enough")
	}
	for _, tt := range []struct {
		name   string
		change func(*testing.T)
		known  bool
	}{
		{"nothing", func(*testing.T) {}, true},
		{"a body", replace("cmd/f/main.go", "func main() {}", "func main() { println() }"), true},
		{"a new function", replace("cmd/g/main.go", "func main", "func other() {}\n\nfunc main"), true},
		{"a mistake in a body", replace("cmd/g/main.go", "println(", "println("+"("), true},
		{"an embedded file", replace("data/one.txt", "one", "two"), true},
		{"a replaced module", func(t *testing.T) {
			testkit.Write(t, filepath.Join(above, "beside/beside.go"), "package beside\n\nvar X int\n")
		}, true},
		{"an ignored file", replace("cmd/f/ignored.go", "never()", "ever()"), true},
		{"a file of another system", replace("cmd/f/other_plan9.go", "package main\n", "package main\n\nvar X int\n"), true},
		{"a program that is no function", replace("tool/main.go", "Exit(0)", "Exit(1)"), true},
		{"a file beside the code", replace("data/more.txt", "not", "still not"), true},
		{"two files", func(t *testing.T) {
			replace("cmd/f/main.go", "func main() {}", "func main() { println() }")(t)
			replace("data/one.txt", "one", "two")(t)
		}, true},
		{"a head and a body", func(t *testing.T) {
			replace("cmd/f/main.go", "func main() {}", "func main() { println() }")(t)
			replace("cmd/g/main.go", "\"os\"", "\"io\"")(t)
		}, false},
		{"an import", replace("cmd/g/main.go", "\"os\"", "\"os\"\n\t_ \"example.com/p/unused\""), false},
		{"an import less", replace("cmd/f/main.go", "\t_ \"example.com/p/data\"\n", ""), false},
		{"an import of another form", replace("tool/main.go", "import \"os\"\n", "import \"os\"\n\nimport _ \"io\"\n"), false},
		{"an import after a semicolon", replace("tool/main.go", "import \"os\"\n", "import \"os\"; import _ \"io\"\n"), false},
		{"a first import", replace("unused/unused.go", "package unused\n", "package unused\n\nimport _ \"os\"\n"), false},
		{"a constraint", replace("cmd/g/main.go", "package", "//go:build linux\n\npackage"), false},
		{"another constraint", replace("cmd/f/ignored.go", "never", "linux"), false},
		{"an old constraint", replace("cmd/g/main.go", "package", "// +build linux\n\npackage"), false},
		{"a setting of the runtime", replace("cmd/g/main.go", "package", "//go:debug http2client=0\n\npackage"), false},
		{"another name", replace("unused/unused.go", "package unused", "package other"), false},
		{"cgo", replace("cmd/g/main.go", "\"os\"", "\"os\"\n\t\"C\""), false},
		{"what is embedded", replace("data/data.go", "list/*.txt", "list"), false},
		{"embedded no more", replace("data/data.go", "//go:embed one.txt", "// embed one.txt"), false},
		{"a mistake in a head", replace("cmd/g/main.go", "\"os\"", "os"), false},
		{"a NUL byte", replace("cmd/g/main.go", "package", "\x00package"), false},
		{"a call of Start", replace("tool/main.go", "os.Exit(0)", "os.Exit(len(`\"AWS_LAMBDA_RUNTIME_API\"`))"), false},
		{"an ignored file that mentions aws-lambda-go", replace("cmd/f/ignored.go", "func", "// github.com/aws/aws-lambda-go/lambda\nfunc"), false},
		{"assembly", replace("cmd/f/asm_amd64.s", "nothing", "something"), false},
		{"go.mod", replace("go.mod", "go 1.26", "go 1.25"), false},
		{"a go.mod of a replaced module", func(t *testing.T) {
			testkit.Write(t, filepath.Join(above, "beside/go.mod"), "module example.com/beside\n\ngo 1.25\n")
		}, false},
		{"golam.yaml", replace("golam.yaml", "name: g", "name: g, memory: 512"), false},
		{"a new go.sum", func(t *testing.T) { testkit.Write(t, in("go.sum"), "") }, false},
		{"a vendor folder", func(t *testing.T) { testkit.Write(t, in("vendor/modules.txt"), "") }, false},
		{"a profile", func(t *testing.T) { testkit.Write(t, in("cmd/f/default.pgo"), "") }, false},
		{"a new source", func(t *testing.T) { testkit.Write(t, in("data/new.go"), "package data\n") }, false},
		{"a new file for a pattern", func(t *testing.T) { testkit.Write(t, in("data/list/b.txt"), "b") }, false},
		{"a source less", func(t *testing.T) { testkit.Remove(t, in("cmd/f/ignored.go")) }, false},
		{"an embedded file less", func(t *testing.T) { testkit.Remove(t, in("data/list/a.txt")) }, false},
		{"a new package", func(t *testing.T) { testkit.Write(t, in("new/main.go"), "package main\n\nfunc main() {}\n") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			restore(t)
			tt.change(t)
			age(t)
			project, err := Open(root)
			if err != nil {
				t.Fatal(err)
			}
			got, known := before.edited(project)
			if known != tt.known {
				t.Fatalf("known %v, want %v", known, tt.known)
			}
			if !known {
				return
			}
			want := lookAt(t, root)
			// The times of folders are the same.
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(index{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("after a look (-), and without (+):\n%s", diff)
			}
		})
	}
}

// TestEditedMeanwhile: a file that changes while golam looks is looked at again.
func TestEditedMeanwhile(t *testing.T) {
	root := testkit.Folder(t, tiny())
	past := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, past, past)
	})
	if err != nil {
		t.Fatal(err)
	}
	before := lookAt(t, root)
	main := filepath.Join(root, "cmd", "small", "main.go")
	project, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Write(t, main, tiny()["cmd/small/main.go"]+"// edited\n")
	after, known := before.edited(project)
	if !known {
		t.Fatal("it asks the go command")
	}
	after = after.certain()
	if i := slices.Index(after.Files, main); i < 0 || after.Sums[i] != "" {
		t.Errorf("it is sure of %s: %q", main, after.Sums)
	}
	if after.current(0) {
		t.Error("the function counts as current")
	}
	if _, known := after.edited(project); !known {
		t.Error("the next look asks the go command")
	}
	testkit.Write(t, main, strings.Replace(tiny()["cmd/small/main.go"], "import ", "import _ \"os\"\n\nimport ", 1))
	if _, known := after.edited(project); known {
		t.Error("another import is not seen")
	}
	if runtime.GOOS == "windows" {
		return // the go command is a shell script below
	}
	// The whole of golam build and golam invoke asks the go command for nothing but its settings and the build.
	cache, asked := t.TempDir(), filepath.Join(t.TempDir(), "asked")
	testkit.Write(t, main, tiny()["cmd/small/main.go"])
	if err := os.Chtimes(main, past, past); err != nil {
		t.Fatal(err)
	}
	shim(t, `echo "$1" >> '`+asked+`'; exec "$GO" "$@"`)
	mustBuild(t, Options{Dir: root, Cache: cache})
	if err := os.Chtimes(root, past, past); err != nil { // it has dist now
		t.Fatal(err)
	}
	forHost(t, root, cache)
	for range 2 {
		testkit.Write(t, main, testkit.Read(t, main)+"// edited\n")
		testkit.Write(t, asked, "")
		mustBuild(t, Options{Dir: root, Cache: cache})
		forHost(t, root, cache)
		if got := strings.Fields(testkit.Read(t, asked)); !slices.Equal(got, []string{"env", "build", "env", "build"}) {
			t.Errorf("after an edit, the go command is asked for %q", got)
		}
	}
}
