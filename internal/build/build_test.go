package build

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/testkit"
)

func mustBuild(t *testing.T, options Options) Result {
	t.Helper()
	if options.Environ == nil {
		options.Environ = os.Environ()
	}
	if options.Cache == "" {
		options.Cache = t.TempDir()
	}
	result, err := Build(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// inDist lists the files in a project's dist.
func inDist(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS(filepath.Join(root, distFolder)), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestBuild builds a small project again and again.
func TestBuild(t *testing.T) {
	root := testkit.Folder(t, tiny())
	testkit.Write(t, filepath.Join(root, "config/rules.json"), "{}")
	testkit.Write(t, filepath.Join(root, "dist/other.txt"), "not golam's")

	first := mustBuild(t, Options{Dir: root, Include: []string{"config"}})
	if first.Root != root || first.Arch != "x86_64" || first.Go != runtime.Version() && os.Getenv("GOTOOLCHAIN") == "local" || first.Verified {
		t.Errorf("result %+v", first)
	}
	small := first.Functions[0]
	if small.Bootstrap.Change != nil || small.Zip.Change != nil || small.Unzipped != small.Bootstrap.Bytes+2 {
		t.Errorf("function %+v", small)
	}
	binary, archive := testkit.Read(t, filepath.Join(root, small.Bootstrap.Path)), testkit.Read(t, filepath.Join(root, small.Zip.Path))
	if sumOf([]byte(binary)) != small.Bootstrap.SHA256 || sumOf([]byte(archive)) != small.Zip.SHA256 || int64(len(archive)) != small.Zip.Bytes {
		t.Error("dist has something else than the result says")
	}
	want := []string{"other.txt", "small/bootstrap", "small/config/rules.json", "small.zip"}
	if got := inDist(t, root); !slices.Equal(got, want) {
		t.Errorf("dist has %q, want %q", got, want)
	}
	if got := packed(strings.NewReader(archive), int64(len(archive))); !slices.Equal(got, []string{"bootstrap", "config/rules.json"}) {
		t.Errorf("the package has %q", got)
	}
	if info, err := os.Stat(filepath.Join(root, small.Bootstrap.Path)); err != nil || info.Mode()&0o111 != 0o111 {
		t.Errorf("the bootstrap is not executable: %v, %v", info, err)
	}
	checkBinary(t, []byte(binary), "amd64")
	checkModules(t, small.Modules, "example.com/tiny", "std/runtime")
	if testing.Short() {
		return
	}

	second := mustBuild(t, Options{Dir: filepath.Join(root, "cmd"), Functions: []string{"small"}}).Functions[0]
	if *second.Bootstrap.Change != 0 || *second.Zip.Change >= 0 {
		t.Errorf("changes %d and %d, want none and less", *second.Bootstrap.Change, *second.Zip.Change)
	}
	if got := inDist(t, root); !slices.Equal(got, slices.Delete(want, 2, 3)) {
		t.Errorf("dist has %q after a build that includes nothing", got)
	}
	if _, err := os.Stat(filepath.Join(root, "dist/small/config")); err == nil {
		t.Error("an empty folder is left")
	}
	third := mustBuild(t, Options{Dir: root, Arch: "arm64"}).Functions[0]
	if third.Bootstrap.Change != nil {
		t.Errorf("change %d from another processor", *third.Bootstrap.Change)
	}
	checkBinary(t, []byte(testkit.Read(t, filepath.Join(root, third.Bootstrap.Path))), "arm64")
}

// checkBinary reads how a binary was built.
func checkBinary(t *testing.T, binary []byte, goarch string) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, setting := range info.Settings {
		got[setting.Key] = setting.Value
	}
	for key, want := range map[string]string{"GOOS": "linux", "GOARCH": goarch, "CGO_ENABLED": "0", "-trimpath": "true", "-tags": "lambda.norpc", "vcs": "", "GOEXPERIMENT": ""} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if bytes.Contains(binary, []byte(os.TempDir())) {
		t.Error("the binary knows where it was built")
	}
}

func checkModules(t *testing.T, modules []Module, wanted ...string) {
	t.Helper()
	var total float64
	for i, module := range modules {
		total += module.Share
		if i > 0 && module.Code > modules[i-1].Code {
			t.Errorf("%s is out of order", module.Path)
		}
	}
	if total < 0.999 || total > 1.001 {
		t.Errorf("the shares sum up to %f", total)
	}
	for _, path := range wanted {
		if !slices.ContainsFunc(modules, func(m Module) bool { return m.Path == path && m.Code > 0 }) {
			t.Errorf("no %s among %v", path, modules)
		}
	}
}

// TestReproducible builds a project that golam generates: in place, in another folder, in a clone, and for a user with other settings.
// The project's Makefile has to give the same binary to each of them.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a real function several times")
	}
	one := filepath.Join(t.TempDir(), "one")
	copyOf(t, "../../golden/sam", one)
	other := filepath.Join(t.TempDir(), "another", "place", "with a blank")
	copyOf(t, "../../golden/sam", other)
	clone := filepath.Join(t.TempDir(), "clone")
	git := []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@y", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@y"}
	testkit.Run(t, one, git, "git", "init", "-q")
	testkit.Run(t, one, git, "git", "add", "-A")
	testkit.Run(t, one, git, "git", "commit", "-qm", "all")
	testkit.Run(t, one, git, "git", "clone", "-q", one, clone)

	config := filepath.Join(t.TempDir(), "env")
	testkit.Write(t, config, "GOFLAGS=-buildvcs=true\nGOARM64=v8.9\nGOAMD64=v4\n")
	builds := []struct {
		name, dir string
		environ   []string
	}{
		{"in place", one, nil},
		{"another folder", other, nil},
		{"a clone", clone, nil},
		{"no configuration", other, []string{"GOENV=off", "GOFLAGS="}},
		{"a clone, no configuration", clone, []string{"GOENV=off", "GOFLAGS="}},
		{"another user's settings", clone, []string{
			"GOENV=" + config, "GOARM64=v9.0", "GOEXPERIMENT=nogreenteagc", "GOFIPS140=latest", "CGO_ENABLED=1", "GOFLAGS=-tags=other",
			"USER=other", "LC_ALL=C", "TZ=Asia/Tokyo",
		}},
	}
	var want Built
	for i, b := range builds {
		result := mustBuild(t, Options{Dir: b.dir, Environ: append(os.Environ(), b.environ...), Include: []string{"events"}})
		got := result.Functions[0]
		if i == 0 {
			want = got
			checkModules(t, got.Modules, "example.com/sam", "github.com/aws/aws-lambda-go", "std/crypto")
			continue
		}
		if got.Bootstrap.SHA256 != want.Bootstrap.SHA256 || got.Zip.SHA256 != want.Zip.SHA256 {
			t.Errorf("%s: bootstrap %s, zip %s, want %s and %s", b.name, got.Bootstrap.SHA256, got.Zip.SHA256, want.Bootstrap.SHA256, want.Zip.SHA256)
		}
	}
	if _, err := exec.LookPath("make"); err != nil {
		t.Log("there is no make to compare with")
		return
	}
	// Below a go.work that does not list the project.
	testkit.Write(t, filepath.Join(filepath.Dir(clone), "go.work"), "go 1.26\n")
	for _, b := range builds {
		if err := os.RemoveAll(filepath.Join(b.dir, distFolder)); err != nil {
			t.Fatal(err)
		}
		testkit.Run(t, b.dir, b.environ, "make", "build")
		if got := sumOf([]byte(testkit.Read(t, filepath.Join(b.dir, want.Bootstrap.Path)))); got != want.Bootstrap.SHA256 {
			t.Errorf("%s: make build gives %s, golam build %s", b.name, got, want.Bootstrap.SHA256)
		}
	}
}

// TestVerify builds a function for real with an empty cache, and one with a go command that puts the folder into the binary.
func TestVerify(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the runtime")
	}
	root := filepath.Join(testkit.Folder(t, map[string]string{
		"p/go.mod":          "module example.com/p\n\ngo 1.26\n\nrequire example.com/beside v0.0.0\n\nreplace example.com/beside => ../beside\n",
		"p/golam.yaml":      "arch: x86_64\nfunctions: [{name: small}]\n",
		"p/cmd/small/f.go":  "package main\n\nimport \"example.com/beside\"\n\nvar where string\n\nfunc main() { println(beside.Text, where) }\n",
		"p/config/one.json": "{}",
		"beside/go.mod":     "module example.com/beside\n\ngo 1.26\n",
		"beside/beside.go":  "package beside\n\nconst Text = \"beside\"\n",
	}), "p")
	if err := os.Chmod(filepath.Join(root, "config", "one.json"), 0o755); err != nil { // in both packages
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var told []string
	options := Options{Dir: root, Verify: true, Include: []string{"config"}, Environ: os.Environ(), Progress: func(text string) { told = append(told, text) }}
	if result := mustBuild(t, options); !result.Verified || len(told) != 1 {
		t.Errorf("verified %v, told %q", result.Verified, told)
	}
	if runtime.GOOS == "windows" {
		return // the other go command is a shell script
	}
	before := inDist(t, root)
	shim(t, `for argument do
	shift
	[ "$argument" = "-s -w" ] && argument="-s -w -X main.where=$PWD"
	set -- "$@" "$argument"
done
exec "$GO" "$@"`)
	options.Environ = os.Environ()
	_, err := Build(t.Context(), options)
	var difference *DifferenceError
	if !errors.As(err, &difference) || difference.Path != "dist/small/bootstrap" || difference.First == difference.Second {
		t.Errorf("error %v", err)
	}
	if after := inDist(t, root); !slices.Equal(after, before) {
		t.Errorf("dist has %q, want %q", after, before)
	}
	if left, _ := filepath.Glob(filepath.Join(temporary, "golam-*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

func TestCompare(t *testing.T) {
	make := func(binary, zip string) []packaged {
		return []packaged{{function: Function{Name: "fn"}, record: record{Sum: sumOf([]byte(binary)), ZipSum: sumOf([]byte(zip))}}}
	}
	if err := compare(make("a", "b"), make("a", "b")); err != nil {
		t.Error(err)
	}
	testkit.ErrorSays(t, compare(make("a", "b"), make("x", "b")), "dist/fn/bootstrap is not reproducible", sumOf([]byte("a")), sumOf([]byte("x")))
	testkit.ErrorSays(t, compare(make("a", "b"), make("a", "x")), "dist/fn.zip is not reproducible")
}

func TestBuildErrors(t *testing.T) {
	root := testkit.Folder(t, tiny())
	build := func(options Options) error {
		options.Dir, options.Environ = root, os.Environ()
		_, err := Build(t.Context(), options)
		return err
	}
	for name, test := range map[string]struct {
		options Options
		want    string
	}{
		"architecture": {Options{Arch: "x86-64"}, `unknown --arch "x86-64": did you mean x86_64?`},
		"function":     {Options{Functions: []string{"small", "smal"}}, `unknown function "smal": did you mean small?`},
		"functions":    {Options{Functions: []string{"smal", "other"}}, "unknown function \"smal\": did you mean small?\nunknown function \"other\""},
		"include":      {Options{Include: []string{"../.."}}, "--include"},
		"both":         {Options{Arch: "x86-64", Include: []string{"../.."}}, "did you mean x86_64?\n--include"},
	} {
		err := build(test.options)
		var misused *misuse.Error
		if !errors.As(err, &misused) {
			t.Errorf("%s: %v is no misuse", name, err)
		}
		testkit.ErrorSays(t, err, test.want)
	}
	testkit.Write(t, filepath.Join(root, "cmd/small/broken.go"), "package main\n\nfunc f() { undefined() }\n")
	err := build(Options{})
	var failure *GoError
	if !errors.As(err, &failure) {
		t.Errorf("%v", err)
	}
	testkit.ErrorSays(t, err, "cmd/small/broken.go:3:12: undefined: undefined")
	if _, err := os.Stat(filepath.Join(root, distFolder)); err == nil {
		t.Error("there is a dist after a build that failed")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ended, Options{Dir: root, Environ: os.Environ()}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestDistIsConfined: neither a link nor an earlier package can make golam touch what is not in dist.
func TestDistIsConfined(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"keep.txt": "k", "dist/fn/old.txt": "o", "dist/fn/sub/x": "x", "dist/keep": "k", "dist/gn/keep": "k"})
	outside := testkit.Folder(t, map[string]string{"x": "outside"})
	if err := os.Symlink(outside, filepath.Join(root, "dist", "fn", "out")); err != nil {
		t.Fatal(err)
	}
	made := testkit.Folder(t, map[string]string{"fn": "binary", "fn.zip": "zip"})
	fn := packaged{
		function: Function{Name: "fn"}, binary: newBootstrap(made, "fn", 6),
		record: record{ZipSize: 3}, zip: filepath.Join(made, "fn.zip"),
	}
	before := previous{packed: []string{"old.txt", "sub/x", "../../keep.txt", "../keep", "/etc/hostname", "out/x", "..", "", ".", "sub", "../gn/keep", "bootstrap"}}
	if err := writeDist(t.Context(), root, []packaged{fn}, []previous{before}); err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"keep.txt", "dist/keep", "dist/gn/keep", "dist/fn/bootstrap", "dist/fn/out"} {
		if _, err := os.Lstat(filepath.Join(root, kept)); err != nil {
			t.Errorf("%s is gone", kept)
		}
	}
	if testkit.Read(t, filepath.Join(outside, "x")) != "outside" {
		t.Error("what is outside has changed")
	}
	for _, gone := range []string{"dist/fn/old.txt", "dist/fn/sub"} {
		if _, err := os.Lstat(filepath.Join(root, gone)); err == nil {
			t.Errorf("%s is still there", gone)
		}
	}
	testkit.Remove(t, filepath.Join(root, "dist"))
	if err := os.Symlink(outside, filepath.Join(root, "dist")); err != nil {
		t.Fatal(err)
	}
	testkit.ErrorSays(t, writeDist(t.Context(), root, []packaged{fn}, []previous{{}}), "dist")
	if left, _ := filepath.Glob(filepath.Join(outside, "*")); len(left) != 1 {
		t.Errorf("outside has %q", left)
	}
}
