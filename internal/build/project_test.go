package build

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator"
)

func TestOpen(t *testing.T) {
	root := makeProject(t, map[string]string{"go.mod": "module x\n", "golam.yaml": "arch: x86_64\n", "a/b/c.txt": ""})
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
	remove(t, filepath.Join(root, "golam.yaml"))
	if project, err := Open(root); err != nil || project.Made || project.Arch != "arm64" {
		t.Errorf("without golam.yaml: %+v, %v", project, err)
	}
	_, err := Open(t.TempDir())
	var misused *MisuseError
	if !errors.As(err, &misused) {
		t.Errorf("no go.mod: %v", err)
	}
	contains(t, err, "go.mod", "golam new")
}

func TestOpenRefusesHugeProjectFile(t *testing.T) {
	root := makeProject(t, map[string]string{"go.mod": "module x\n", "golam.yaml": strings.Repeat("#", generator.MaxAnswers+1)})
	_, err := Open(root)
	contains(t, err, "golam.yaml", "bytes")
}

func TestParseProjectFile(t *testing.T) {
	tests := map[string]struct {
		text, arch string
		functions  []string
		err        string
	}{
		"nothing":            {arch: "arm64"},
		"what golam writes":  {text: "schema: 1\nname: demo\narch: x86_64\nfunctions:\n  - name: a\n  - name: b_2\n", arch: "x86_64", functions: []string{"a", "b_2"}},
		"no architecture":    {text: "functions: [{name: a}]", arch: "arm64", functions: []string{"a"}},
		"an unknown one":     {text: "arch: arm", err: "did you mean arm64"},
		"an empty one":       {text: "arch: ''", err: "unknown arch"},
		"no YAML":            {text: "arch: [", err: "not as golam wrote it"},
		"a list of text":     {text: "functions: [a]", err: "not as golam wrote it"},
		"no name":            {text: "functions: [{}]", err: "name of function 1"},
		"a path":             {text: "functions: [{name: ../../x}]", err: "name of function 1"},
		"a name of 65":       {text: "functions: [{name: " + strings.Repeat("x", 65) + "}]", err: "1 to 64"},
		"the same twice":     {text: "functions: [{name: a}, {name: a}]", err: "twice"},
		"the same on a Mac":  {text: "functions: [{name: a}, {name: A}]", err: "twice"},
		"a line end in it":   {text: "functions: [{name: \"a\\n\"}]", err: "name of function 1"},
		"all of it":          {text: "arch: arm\nfunctions: [{name: a.b}, {name: c}, {name: c}]", err: "did you mean arm64?\nthe name of function 1: use 1 to 64 letters, digits, hyphens and underscores\nit names the function c twice"},
		"more than it knows": {text: "future: {a: [1]}\n", arch: "arm64"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			arch, functions, err := parseProjectFile([]byte(test.text))
			if test.err != "" {
				contains(t, err, test.err)
				return
			}
			if err != nil || arch != test.arch || !slices.Equal(functions, test.functions) {
				t.Errorf("%s %q %v, want %s %q", arch, functions, err, test.arch, test.functions)
			}
		})
	}
}

func FuzzParseProjectFile(f *testing.F) {
	f.Add([]byte("schema: 1\narch: arm64\nfunctions:\n  - name: token-customizer\n"))
	f.Add([]byte("functions: &a [{name: x}]\nb: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		arch, functions, err := parseProjectFile(data)
		if err != nil {
			return
		}
		if !slices.Contains(Architectures(), arch) {
			t.Errorf("architecture %q", arch)
		}
		for _, function := range functions {
			if !filepath.IsLocal(function) || strings.ContainsAny(function, `/\.`) {
				t.Errorf("function %q", function)
			}
		}
	})
}
