package build

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/testkit"
)

func TestOpen(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"go.mod": "module x\n", "golam.yaml": "schema: 1\narch: x86_64\n", "a/b/c.txt": ""})
	for _, dir := range []string{root, filepath.Join(root, "a", "b")} {
		project, err := Open(dir)
		if err != nil || project.Root != root || !project.Made || project.Arch != "x86_64" {
			t.Errorf("%s: %+v, %v", dir, project, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	if project, err := Open(link); err != nil || project.Root != root {
		t.Errorf("through a link: %+v, %v", project, err)
	}
	testkit.Remove(t, filepath.Join(root, "golam.yaml"))
	if project, err := Open(root); err != nil || project.Made || project.Arch != "arm64" {
		t.Errorf("without golam.yaml: %+v, %v", project, err)
	}
	_, err := Open(t.TempDir())
	var misused *MisuseError
	if !errors.As(err, &misused) {
		t.Errorf("no go.mod: %v", err)
	}
	testkit.ErrorSays(t, err, "go.mod", "golam new")
}

func TestOpenRefusesHugeProjectFile(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"go.mod": "module x\n", "golam.yaml": strings.Repeat("#", generator.MaxAnswers+1)})
	_, err := Open(root)
	testkit.ErrorSays(t, err, "golam.yaml", "bytes")
}

func TestParseProjectFile(t *testing.T) {
	const list = "schema: 1\n"
	in := func(names ...string) (all []named) {
		for _, name := range names {
			all = append(all, named{name: name, path: "cmd/" + name})
		}
		return all
	}
	tests := map[string]struct {
		text string
		want projectFile
		err  string
	}{
		"nothing": {want: projectFile{arch: "arm64"}},
		"what golam writes": {
			text: "schema: 1\nname: demo\narch: x86_64\nfunctions:\n  - name: a\n  - name: b_2\n",
			want: projectFile{made: true, arch: "x86_64", named: in("a", "b_2")},
		},
		"what a later golam writes": {
			text: "schema: 2\nfunctions:\n  a: {kind: http, memory: 256, timeout: 10}\n",
			want: projectFile{made: true, arch: "arm64", named: []named{{name: "a", path: "cmd/a", Settings: Settings{MemorySize: 256, Timeout: 10 * time.Second}}}},
		},
		"written by hand": {
			text: "functions:\n  api: {path: ./services/api, memory: 512, timeout: 10, env_file: .env, include: [page.html, ./static/]}\n" +
				"exclude: [./tools, old/]\n",
			want: projectFile{arch: "arm64", exclude: []string{"tools", "old"}, named: []named{{
				name: "api", path: "services/api", include: []string{"page.html", "static"},
				Settings: Settings{MemorySize: 512, Timeout: 10 * time.Second, EnvFile: ".env"},
			}}},
		},
		"a function with no settings": {text: "functions: {api: }", want: projectFile{arch: "arm64", named: in("api")}},
		"one at the root":             {text: "functions: {api: {path: .}}", want: projectFile{arch: "arm64", named: []named{{name: "api", path: "."}}}},
		"no functions":                {text: "functions:", want: projectFile{arch: "arm64"}},
		"an alias":                    {text: "exclude: &a [x]\nfunctions: {b: {include: *a}}", want: projectFile{arch: "arm64", exclude: []string{"x"}, named: []named{{name: "b", path: "cmd/b", include: []string{"x"}}}}},
		"no architecture":             {text: "functions: [{name: a}]", want: projectFile{arch: "arm64", named: in("a")}},
		"an unknown one":              {text: "arch: arm", err: "did you mean arm64"},
		"an empty one":                {text: "arch: ''", err: "unknown arch"},
		"no YAML":                     {text: "arch: [", err: "golam cannot read it"},
		"a list of text":              {text: "functions: [a]", err: "golam cannot read it"},
		"text":                        {text: "functions: api", err: "write a name for each"},
		"no name":                     {text: "functions: [{}]", err: "name of function 1"},
		"a path for a name":           {text: "functions: [{name: ../../x}]", err: "name of function 1"},
		"a name of 65":                {text: "functions: [{name: " + strings.Repeat("x", 65) + "}]", err: "1 to 64"},
		"the same twice":              {text: "functions: [{name: a}, {name: a}]", err: "twice"},
		"the same on a Mac":           {text: "functions: [{name: a}, {name: A}]", err: "twice"},
		"the same path":               {text: "functions: {a: {path: x}, b: {path: ./x}}", err: "a and b have the same path x"},
		"a line end in it":            {text: "functions: [{name: \"a\\n\"}]", err: "name of function 1"},
		"a path out":                  {text: "functions: {a: {path: ../x}}", err: `path: "../x" is not a folder in the project`},
		"an absolute path":            {text: "functions: {a: {path: /x}}", err: "is not a folder in the project"},
		"an environment file outside": {text: "functions: {a: {env_file: ../.env}}", err: "env_file"},
		"an include from outside":     {text: "functions: {a: {include: [../x]}}", err: "include"},
		"little memory":               {text: "functions: {a: {memory: 64}}", err: "memory: 64 MB: use 128 to 10240"},
		"no time":                     {text: "functions: {a: {timeout: 0}}", err: "timeout: 0 s: use 1 to 900"},
		"time with a unit":            {text: "functions: {a: {timeout: 10s}}", err: `function "a"`},
		"exclude something outside":   {text: "exclude: [..]", err: "exclude"},
		"a slip of the pen":           {text: "exlude: [x]", err: `unknown key "exlude": did you mean exclude?`},
		"a slip in a function":        {text: "functions: {a: {timout: 3}}", err: `function "a": unknown key "timout": did you mean timeout?`},
		"all of it":                   {text: "arch: arm\nfunctions: [{name: a.b}, {name: c}, {name: c}]", err: "did you mean arm64?\nthe name of function 1: use 1 to 64 letters, digits, hyphens and underscores\nit names the function c twice"},
		"more than it knows":          {text: list + "future: {a: [1]}\n", want: projectFile{made: true, arch: "arm64"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseProjectFile([]byte(test.text))
			if test.err != "" {
				testkit.ErrorSays(t, err, test.err)
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func FuzzParseProjectFile(f *testing.F) {
	f.Add([]byte("schema: 1\narch: arm64\nfunctions:\n  - name: token-customizer\n"))
	f.Add([]byte("functions: &a [{name: x}]\nb: *a\n"))
	f.Add([]byte("functions: {x: {path: a/b, include: [c]}}\nexclude: [d]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseProjectFile(data)
		if err != nil {
			return
		}
		if !slices.Contains(Architectures(), file.arch) {
			t.Errorf("architecture %q", file.arch)
		}
		for _, function := range file.named {
			if strings.ContainsAny(function.name, `/\.`) {
				t.Errorf("function %q", function.name)
			}
			for _, path := range append(function.include, function.path) {
				if !filepath.IsLocal(path) {
					t.Errorf("path %q", path)
				}
			}
		}
	})
}
