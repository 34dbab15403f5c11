package build

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestMentionsStart(t *testing.T) {
	const quoted = `"github.com/aws/aws-lambda-go/lambda"`
	tests := map[string]struct {
		source string
		want   bool
	}{
		"a call":            {"package main; import " + quoted + "; func main() { lambda.Start(nil) }", true},
		"with options":      {"package main; import " + quoted + "; func main() { lambda.StartWithOptions(nil) }", true},
		"a value":           {"package main; import " + quoted + "; var start = lambda.Start", true},
		"another name":      {"package main; import aws " + quoted + "; func main() { aws.Start(nil) }", true},
		"a dot import":      {"package main; import . " + quoted + "; func main() { Start(nil) }", true},
		"its types only":    {"package main; import " + quoted + "; var h lambda.Handler", false},
		"for its effects":   {"package main; import _ " + quoted + "; func Start() {}", false},
		"another's Start":   {"package main; import " + quoted + "; var h lambda.Handler; func main() { server.Start() }", false},
		"another lambda":    {`package main; import "example.com/lambda"; func main() { lambda.Start(nil) }`, false},
		"with a mistake":    {"package main; import " + quoted + "; func main() { lambda.Start(nil) ", true},
		"nothing":           {"", false},
		"no Go":             {"<html>", false},
		"its own name":      {"package main; import aws " + quoted + "; var h aws.Handler; func main() { lambda.Start(nil) }", false},
		"in a comment only": {"package main; import " + quoted + "; var h lambda.Handler // lambda.Start", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := mentionsStart([]byte(test.source)); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func FuzzMentionsStart(f *testing.F) {
	f.Add([]byte(`package main; import l "github.com/aws/aws-lambda-go/lambda"; func main() { l.Start(nil) }`))
	f.Fuzz(func(t *testing.T, source []byte) {
		if mentionsStart(source) && !mentionsStart(append(source, "\n// more\n"...)) {
			t.Error("a comment at the end makes a difference")
		}
	})
}

func TestProgram(t *testing.T) {
	for path, want := range map[string]string{
		"example.com/demo/cmd/token-customizer": "token-customizer",
		"example.com/demo":                      "demo",
		"example.com/demo/v2":                   "demo",
		"example.com/demo/v2/cmd/api":           "api",
		"example.com/demo/cmd/v1":               "v1",
		"demo":                                  "demo",
	} {
		if got := (Function{Package: path}).program(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// lambdaModule is the go.mod and go.sum of a module that needs aws-lambda-go.
func lambdaModule(t *testing.T) map[string]string {
	t.Helper()
	const functions = "../local/testdata/functions/"
	return map[string]string{"go.mod": testkit.Read(t, functions+"go.mod"), "go.sum": testkit.Read(t, functions+"go.sum")}
}

const startSource = "package main\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc main() { lambda.Start(func() {}) }\n"

// TestFunctions asks the go command about modules.
func TestFunctions(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  []string
		err   []string
	}{
		"one at the top": {files: map[string]string{"main.go": startSource}, want: []string{"functions example.com/functions"}},
		"several": {
			files: map[string]string{
				"cmd/b/main.go": startSource, "api/main.go": startSource,
				"cmd/tool/main.go":        "package main\n\nfunc main() {}\n",
				"dist/api/again/main.go":  startSource,
				"infra/go.mod":            "module example.com/infra\n",
				"infra/main.go":           startSource,
				"testdata/fixture/x.go":   startSource,
				"cmd/b/windows_test.go":   "package main\n",
				"cmd/c/main.go":           "package main\n\nimport \"example.com/functions/run\"\n\nfunc main() { run.It() }\n",
				"run/run.go":              "package run\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc It() { lambda.Start(func() {}) }\n",
				"cmd/typed/main.go":       "package main\n\nimport \"example.com/functions/typed\"\n\nfunc main() { typed.It() }\n",
				"typed/typed.go":          "package typed\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nvar h lambda.Handler\n\nfunc It() {}\n",
				"cmd/url/main.go":         "package main\n\nimport \"github.com/aws/aws-lambda-go/lambdaurl\"\n\nfunc main() { lambdaurl.Start(nil) }\n",
				"node_modules/x/y/go.mod": "module x\n",
			},
			want: []string{
				"api example.com/functions/api", "b example.com/functions/cmd/b", "c example.com/functions/cmd/c",
				"url example.com/functions/cmd/url",
			},
		},
		"a named one and one that is found": {
			files: map[string]string{
				"golam.yaml": "functions: [{name: slim}]", "cmd/slim/main.go": "package main\n\nfunc main() {}\n", "cmd/z/main.go": startSource,
			},
			want: []string{"slim example.com/functions/cmd/slim", "z example.com/functions/cmd/z"},
		},
		"none": {
			files: map[string]string{"cmd/tool/main.go": "package main\n\nfunc main() {}\n"},
			err:   []string{"no function", "lambda", "golam.yaml"},
		},
		"no package at all": {files: map[string]string{}, err: []string{"no function"}},
		"a name without a package": {
			files: map[string]string{"golam.yaml": "functions: [{name: gone}]", "cmd/z/main.go": startSource},
			want:  []string{"gone ", "z example.com/functions/cmd/z"},
		},
		"two of one name": {
			files: map[string]string{"cmd/api/main.go": startSource, "api/main.go": startSource},
			want:  []string{"api example.com/functions/api", "cmd-api example.com/functions/cmd/api"},
		},
		"two that differ in case": {
			files: map[string]string{"cmd/api/main.go": startSource, "other/API/main.go": startSource},
			want:  []string{"cmd-api example.com/functions/cmd/api", "other-API example.com/functions/other/API"},
		},
		"three whose paths end alike": {
			files: map[string]string{"a/x/lambda/main.go": startSource, "a/y/lambda/main.go": startSource, "b/y/lambda/main.go": startSource},
			want: []string{
				"a-y-lambda example.com/functions/a/y/lambda", "b-y-lambda example.com/functions/b/y/lambda", "x-lambda example.com/functions/a/x/lambda",
			},
		},
		"paths that give the same name": {
			files: map[string]string{"a-b/c/main.go": startSource, "a/b-c/main.go": startSource, "d/c/main.go": startSource, "d/b-c/main.go": startSource},
			want: []string{
				"a-b-c example.com/functions/a-b/c", "a-b-c-2 example.com/functions/a/b-c", "d-b-c example.com/functions/d/b-c", "d-c example.com/functions/d/c",
			},
		},
		"a name that golam.yaml has given away": {
			files: map[string]string{"golam.yaml": "functions: {api: {path: other}}", "cmd/api/main.go": startSource, "other/main.go": startSource},
			want:  []string{"api example.com/functions/other", "cmd-api example.com/functions/cmd/api"},
		},
		"names that Lambda refuses": {
			files: map[string]string{"cmd/my.api/main.go": startSource, "cmd/" + strings.Repeat("x", 70) + "/main.go": startSource},
			want:  []string{"my-api example.com/functions/cmd/my.api", strings.Repeat("x", 64) + " example.com/functions/cmd/" + strings.Repeat("x", 70)},
		},
		"names that other tools dislike": {
			files: map[string]string{
				"v2/main.go": startSource, "src/main.go": startSource, "lambda-handler/main.go": startSource, "main.go": startSource,
				"x/v3/main.go": startSource, "gopkg.in/yaml.v3/main.go": startSource,
			},
			want: []string{
				"functions example.com/functions", "lambda-handler example.com/functions/lambda-handler", "src example.com/functions/src",
				"v2 example.com/functions/v2", "v3 example.com/functions/x/v3", "yaml-v3 example.com/functions/gopkg.in/yaml.v3",
			},
		},
		"excluded ones": {
			files: map[string]string{
				"golam.yaml": "functions: {kept: {path: old/kept}}\nexclude: [./old, tools/]", "old/a/main.go": startSource,
				"old/kept/main.go": startSource, "tools/main.go": startSource, "toolset/main.go": startSource,
			},
			want: []string{"kept example.com/functions/old/kept", "toolset example.com/functions/toolset"},
		},
		"one in a folder that go list leaves out": {
			files: map[string]string{"golam.yaml": "functions: {odd: {path: testdata/odd}}", "testdata/odd/main.go": startSource},
			want:  []string{"odd example.com/functions/testdata/odd"},
		},
		"a folder that go.mod ignores": {
			files: map[string]string{
				"go.mod":        testkit.Read(t, "../local/testdata/functions/go.mod") + "\nignore (\n\t./old\n\tattic\n)\n",
				"old/a/main.go": startSource, "x/attic/main.go": startSource, "b/main.go": startSource,
			},
			want: []string{"b example.com/functions/b"},
		},
		"a broken go.mod": {files: map[string]string{"go.mod": "modul x\n"}, err: []string{"go.mod:1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := testkit.Folder(t, lambdaModule(t))
			for path, content := range test.files {
				testkit.Write(t, filepath.Join(root, path), content)
			}
			functions, err := Functions(t.Context(), root, os.Environ())
			if test.err != nil {
				testkit.ErrorSays(t, err, test.err...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, function := range functions {
				got = append(got, function.Name+" "+function.Package)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("functions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWorkspaceIsNotUsed: a go.work above the project changes nothing, and an error mentions it.
func TestWorkspaceIsNotUsed(t *testing.T) {
	above := testkit.Folder(t, map[string]string{
		"go.work":          "go 1.26\n\nuse ./other\n",
		"other/go.mod":     "module example.com/other\n\ngo 1.26\n",
		"other/other.go":   "package other\n",
		"p/go.mod":         "module example.com/p\n\ngo 1.26\n",
		"p/golam.yaml":     "functions: [{name: f}]\n",
		"p/cmd/f/main.go":  "package main\n\nfunc main() {}\n",
		"p/cmd/f/other.go": "package main\n",
	})
	root := filepath.Join(above, "p")
	if _, err := Functions(t.Context(), root, os.Environ()); err != nil {
		t.Fatal(err)
	}
	fails := func() error {
		t.Helper()
		_, err := ForHost(t.Context(), HostOptions{Dir: root, Cache: t.TempDir(), Environ: os.Environ()})
		return err
	}
	testkit.Write(t, filepath.Join(root, "cmd/f/other.go"), "package main\n\nimport _ \"example.com/other\"\n")
	testkit.ErrorSays(t, fails(), "cmd/f/other.go:3:8", "go.work provides example.com/other", "replace example.com/other => ../other")
	for _, source := range []string{"import _ \"example.com/absent\"", "var x = nothing"} {
		testkit.Write(t, filepath.Join(root, "cmd/f/other.go"), "package main\n\n"+source+"\n")
		if err := fails(); err == nil || strings.Contains(err.Error(), "go.work") {
			t.Errorf("a go.work is blamed for what it did not cause: %v", err)
		}
	}
}

func TestNoGoCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if runtime.GOOS == "windows" {
		t.Setenv("Path", t.TempDir())
	}
	_, err := Functions(t.Context(), testkit.Folder(t, tiny()), os.Environ())
	testkit.ErrorSays(t, err, "no go command", "install Go")
}
