package project

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
)

// refused checks that an error is a mistake of the user's with each of the texts.
func refused(t *testing.T, err error, texts ...string) {
	t.Helper()
	if !misuse.Is(err) {
		t.Fatalf("%v is no misuse", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
}

// in are functions without settings of their own.
func in(names ...string) (all []Function) {
	for _, name := range names {
		all = append(all, Function{Name: name, Path: "cmd/" + name})
	}
	return all
}

// byGolam are functions as schema 1 has them: golam's templates give them their limits.
func byGolam(names ...string) []Function {
	all := in(names...)
	for i := range all {
		all[i].MemorySize, all[i].Timeout = 256, 4*time.Second
	}
	return all
}

// TestParse is about files that are written by hand, and those of schema 1.
func TestParse(t *testing.T) {
	const list = "schema: 1\n"
	tests := map[string]struct {
		text string
		want File
		err  string
	}{
		"nothing": {want: File{Arch: "arm64"}},
		"what golam writes": {
			text: "schema: 1\nname: demo\narch: x86_64\nfunctions:\n  - name: a\n  - name: b_2\n",
			want: File{Schema: 1, Arch: "x86_64", Functions: byGolam("a", "b_2")},
		},
		"written by hand": {
			text: "functions:\n  api: {path: ./services/api, memory: 512, timeout: 10, env_file: .env, include: [page.html, ./static/]}\n" +
				"exclude: [./tools, old/]\n",
			want: File{Arch: "arm64", Exclude: []string{"tools", "old"}, Functions: []Function{{
				Name: "api", Path: "services/api", Include: []string{"page.html", "static"},
				MemorySize: 512, Timeout: 10 * time.Second, EnvFile: ".env",
			}}},
		},
		"a function with no settings": {text: "functions: {api: }", want: File{Arch: "arm64", Functions: in("api")}},
		"one at the root":             {text: "functions: {api: {path: .}}", want: File{Arch: "arm64", Functions: []Function{{Name: "api", Path: "."}}}},
		"no functions":                {text: "functions:", want: File{Arch: "arm64"}},
		"an alias":                    {text: "exclude: &a [x]\nfunctions: {b: {include: *a}}", want: File{Arch: "arm64", Exclude: []string{"x"}, Functions: []Function{{Name: "b", Path: "cmd/b", Include: []string{"x"}}}}},
		"no architecture":             {text: "functions: [{name: a}]", want: File{Arch: "arm64", Functions: in("a")}},
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
		"more than it knows":          {text: list + "future: {a: [1]}\n", want: File{Schema: 1, Arch: "arm64"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(kinds.All(), []byte(test.text))
			if test.err != "" {
				refused(t, err, test.err)
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

const made = "schema: 2\ntemplates: 5\nname: shop\nmodule: example.com/shop\n"

// TestParseMade is about files of schema 2.
func TestParseMade(t *testing.T) {
	customizer := byGolam("token-customizer")[0]
	with := func(change func(*Function)) Function {
		f := customizer
		change(&f)
		return f
	}
	tests := map[string]struct {
		text string
		want File
	}{
		"defaults": {"functions: {token-customizer: }\n", File{Functions: []Function{customizer}}},
		"what golam writes": {
			"arch: x86_64\nfunctions:\n  token-customizer:\n    kind: cognito-token\n    trigger: v3\n    claims:\n      plan: custom:plan\n" +
				"    eventbridge: true\n    memory: 512\n    timeout: 5\n",
			File{Arch: "x86_64", Functions: []Function{with(func(f *Function) { f.MemorySize, f.Timeout = 512, 5*time.Second })}},
		},
		"two of a kind, in their order": {
			"functions: {partner-tokens: {kind: cognito-token, memory: 128}, audit: {timeout: 1}}\n",
			File{Functions: []Function{
				{Name: "partner-tokens", Path: "cmd/partner-tokens", MemorySize: 128, Timeout: 4 * time.Second},
				{Name: "audit", Path: "cmd/audit", MemorySize: 256, Timeout: time.Second},
			}},
		},
		"settings": {
			"functions: {token-customizer: {env_file: ./local.env, payload: 2.0, include: [page.html, ./static/]}}\nexclude: [./tools]\n",
			File{Exclude: []string{"tools"}, Functions: []Function{with(func(f *Function) {
				f.EnvFile, f.Payload, f.Include = "local.env", PayloadV2, []string{"page.html", "static"}
			})}},
		},
		"a function of one's own": {
			"functions: {token-customizer: {}, Report_2: {path: ./tools/report, memory: 1024, timeout: 900}}\n",
			File{Functions: []Function{customizer, {Name: "Report_2", Path: "tools/report", MemorySize: 1024, Timeout: 15 * time.Minute}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.Schema = 2
			if test.want.Arch == "" {
				test.want.Arch = "arm64"
			}
			got, err := Parse(kinds.All(), []byte(made+test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestParseMadeRefuses checks every problem of each file, and that there is no other.
func TestParseMadeRefuses(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"no functions":   {"", []string{"functions: name at least one, as in functions: {token-customizer: {kind: cognito-token}}"}},
		"a list":         {"functions: [{name: token-customizer}]\n", []string{"functions: name at least one"}},
		"an empty one":   {"functions: {}\n", []string{"functions: name at least one"}},
		"only one's own": {"functions: {a: {path: ./a}}\n", []string{"{token-customizer: {kind: cognito-token}}, because a function with a path and no kind is not golam's to make"}},
		"an alias":       {"functions: {a: &a {memory: 128}, b: *a}\n", []string{"function b: write its settings as a mapping"}},
		"unknown kind":   {"functions: {a: {kind: cognito}}\n", []string{`function a: kind: unknown kind "cognito": did you mean cognito-token?`}},
		"kind of a list": {"functions: {a: {kind: [x]}}\n", []string{"function a: kind: the value is not the name of a kind"}},
		"the same twice": {"functions: {a: {}, a: {}}\n", []string{"two functions are called a: rename one"}},
		"one package":    {"functions: {a-b: {}, ab: {}}\n", []string{"the functions a-b and ab would share the Go package ab: rename one"}},
		"names": {
			"functions: {Audit: {}, a_b: {}, type: {}, string: {}, main: {}, con: {}, 1st: {}, " + strings.Repeat("a", 65) + ": {}}\n",
			[]string{
				`"Audit" is not a function name`, `"a_b" is not a function name`, "called type, which is a keyword of Go", "called string, which Go declares itself",
				"called main, which is the name of another folder or package", "a device on Windows", `"1st" is not a function name`, "has 65 characters: Lambda allows 64",
			},
		},
		"a resource": {
			"functions: {token-customizer: {}, user-pool: {}, existing: {}}\n",
			[]string{"the function user-pool and token-customizer would both have the name UserPool in", "existing and token-customizer would both have the name Existing"},
		},
		"little memory":       {"functions: {a: {memory: 127}}\n", []string{"function a: memory: 127 MB: use 128 to 10240"}},
		"much memory":         {"functions: {a: {memory: 10241}}\n", []string{"function a: memory: 10241 MB: use 128 to 10240"}},
		"huge memory":         {"functions: {a: {memory: 99999999999999999999}}\n", []string{"function a: memory: 99999999999999999999 MB: use 128 to 10240"}},
		"memory with a unit":  {"functions: {a: {memory: 256 MB}}\n", []string{`function a: memory: "256 MB" is not a whole number`}},
		"no time":             {"functions: {a: {timeout: 0}}\n", []string{"function a: timeout: 0 s: use 1 to 5"}},
		"longer than Cognito": {"functions: {a: {timeout: 6}}\n", []string{"function a: timeout: 6 s: use 1 to 5, because Cognito waits 5 s for an answer"}},
		"longer than Lambda":  {"functions: {a: {timeout: 901}}\n", []string{"function a: timeout: 901 s: use 1 to 5"}},
		"option of a project": {"functions: {a: {iac: cdk}}\n", []string{"function a: iac: this is an option of the whole project: write it at the top level"}},
		"option of functions": {"trigger: v1\nfunctions: {a: {}}\n", []string{"trigger: this is an option of functions: write it below one"}},
		"unknown option":      {"functions: {a: {triger: v1}}\n", []string{`function a: unknown option "triger": did you mean trigger?`}},
		"unknown choice":      {"functions: {a: {trigger: v9}}\n", []string{`function a: trigger: unknown choice "v9"`}},
		"an option twice":     {"functions: {a: {trigger: v1, trigger: v2}}\n", []string{`function a: "trigger" is given twice`}},
		"a path":              {"functions: {a: {kind: cognito-token, path: ./a}}\n", []string{"function a: path: a function of a kind is in cmd/a: leave the path out"}},
		"claims":              {"functions: {a: {claims: {sub: email}}}\n", []string{`function a: claims: claim "sub" is set by Cognito`}},
		"claims in claims":    {"functions: {a: {claims: {a: {b: c}}}}\n", []string{"function a: claims: the value is not a list of claim=attribute pairs"}},
		"settings": {
			"functions: {a: {env_file: ../x, payload: \"3\", include: [..]}, b: {include: x}}\nexclude: [..]\n",
			[]string{
				`function a: payload: unknown payload "3"`, `function a: env_file: "../x" is not a file in the project`,
				`function a: include: ".." is not a file or a folder below cmd/a`, "function b: include: the value is not a list of files and folders", `exclude: ".." is not a folder`,
			},
		},
		"one's own": {
			"functions: {token-customizer: {}, b: {path: ../x, memory: 1, tiemout: 3}}\n",
			[]string{`function b: unknown key "tiemout": did you mean timeout?`, `function b: path: "../x" is not a folder`, "function b: memory: 1 MB"},
		},
		"one's own in the way": {"functions: {a: {}, b: {path: cmd/a}}\n", []string{"the functions a and b have the same path cmd/a"}},
		"the project":          {"iac: sma\nnam: x\nfunctions: {a: {}}\n", []string{`unknown option "nam": did you mean name?`, `iac: unknown choice "sma": did you mean sam?`}},
		"all of it": {
			"arch: arm\nfunctions: {token-customizer: {kind: http, memory: 1}, Ab: {timeout: 10, trigger: v7}, token-customizer: {}}\n",
			[]string{
				"two functions are called token-customizer", `arch: unknown choice "arm"`, `function token-customizer: kind: unknown kind "http"`,
				`"Ab" is not a function name`, `function Ab: trigger: unknown choice "v7"`, "function Ab: timeout: 10 s: use 1 to 5",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(kinds.All(), []byte(made+test.text))
			refused(t, err, test.want...)
			if err != nil && strings.Count(err.Error(), "\n")+1 != len(test.want) {
				t.Errorf("got %d problems, want %d:\n%v", strings.Count(err.Error(), "\n")+1, len(test.want), err)
			}
		})
	}
}

func TestSchemas(t *testing.T) {
	for text, want := range map[string]string{
		"3":    "a newer golam wrote schema 3, and this one reads 1 to 2: use the newer golam",
		"9999": "a newer golam wrote schema 9999",
		"0":    `"0" is no schema that golam writes: use 2`,
		"-1":   "no schema",
		"two":  "no schema",
		"[2]":  "no schema",
		"2.0":  "no schema",
	} {
		content := []byte("schema: " + text + "\nfunctions: {a: {kind: something-new}}\n")
		_, err := Parse(kinds.All(), content)
		refused(t, err, want)
		_, err = ParseAnswers(kinds.All(), content)
		if invalid, ok := errors.AsType[*generator.InvalidError](err); !ok || len(invalid.Problems) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("as answers: %v", err)
		}
	}
}

// TestSchemaOne checks that each file of testdata/schema1, which golam wrote before schema 2, gives the project that its name describes.
func TestSchemaOne(t *testing.T) {
	files, err := filepath.Glob("testdata/schema1/*.yaml")
	if err != nil || len(files) != 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			read, err := ParseAnswers(kinds.All(), content)
			if err != nil {
				t.Fatal(err)
			}
			got, err := kinds.All().Resolve(read.Project, read.Functions...)
			if err != nil {
				t.Fatal(err)
			}
			want, err := kinds.All().Resolve(answersOf(name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			file, err := Parse(kinds.All(), content)
			if diff := cmp.Diff(File{Schema: 1, Arch: "arm64", Functions: byGolam("token-customizer")}, file); err != nil || diff != "" {
				t.Errorf("%v, -want +got\n%s", err, diff)
			}
			// What golam writes now is of the same project.
			if diff := cmp.Diff(want, again(t, got)); diff != "" {
				t.Errorf("written and read, -want +got\n%s", diff)
			}
		})
	}
}

// answersOf are the answers that the name of a golden project stands for.
func answersOf(name string) generator.Answers {
	answers := generator.Answers{"name": "demo", "module": "example.com/" + name, "otel": "off"}
	for _, word := range strings.Split(name, "-") {
		switch word {
		case "sam", "cdk":
			answers["iac"] = word
		case "eventbridge":
			answers["eventbridge"] = "true"
		case "otlp", "cloudwatch", "collector":
			answers["otel"] = word
		case "slim":
			answers["runtime"] = word
		case "v1", "v3":
			answers["trigger"] = word
		}
	}
	return answers
}

// again reads what golam writes for a spec, as answers and as a project.
func again(t *testing.T, spec generator.Spec) generator.Spec {
	t.Helper()
	content := projectFile(t, spec)
	read, err := ParseAnswers(kinds.All(), content)
	if err != nil {
		t.Fatalf("%v\n%s", err, content)
	}
	second, err := kinds.All().Resolve(read.Project, read.Functions...)
	if err != nil {
		t.Fatalf("%v\n%s", err, content)
	}
	file, err := Parse(kinds.All(), content)
	if err != nil || len(file.Functions) != len(spec.Functions) {
		t.Fatalf("%v\n%s", err, content)
	}
	for i, f := range spec.Functions {
		want := Function{Name: f.Name, Path: "cmd/" + f.Name, MemorySize: f.Memory, Timeout: seconds(f.Timeout)}
		if diff := cmp.Diff(want, file.Functions[i]); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	return second
}

func projectFile(t *testing.T, spec generator.Spec) []byte {
	t.Helper()
	tree, err := generator.Render(spec)
	if err != nil {
		t.Fatal(err)
	}
	file, _ := tree.Lookup(generator.ProjectFile)
	return file.Content
}

// FuzzParse holds a file that is accepted to what golam relies on.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"schema: 1\narch: arm64\nfunctions:\n  - name: token-customizer\n",
		"functions: &a [{name: x}]\nb: *a\n",
		"functions: {x: {path: a/b, include: [c]}}\nexclude: [d]\n",
		"functions: {a: &a {memory: 512}, b: {<<: *a, timeout: 3}}\n",
		made + "functions: {a: &a {claims: [a=email]}, b: *a, a: {memory: 1e9, timeout: 99999999999999999999}}\n",
		made + "functions: {a: {claims: {a: email}, eventbridge: true, env_file: x, payload: alb, include: [y]}, b: {path: c, memory: 0x200}}\n",
		"schema: 2\nname: &n [*n]\n? [a]\n: b\nfunctions: {? [a] : b, ~: c, 1: {}, true: {}}\n",
		"schema: 3\n", "schema: &s 2\nfunctions: *s\n", "---\n---\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := ParseAnswers(kinds.All(), data)
		if _, ok := errors.AsType[*generator.InvalidError](err); err != nil && !ok {
			t.Fatalf("%v is no list of problems", err)
		}
		if err == nil {
			_, err = kinds.All().Resolve(read.Project, read.Functions...)
			if _, ok := errors.AsType[*generator.InvalidError](err); err != nil && !ok {
				t.Fatalf("%v is no list of problems", err)
			}
		}
		file, err := Parse(kinds.All(), data)
		if err != nil {
			if !misuse.Is(err) {
				t.Errorf("%v is no misuse", err)
			}
			return
		}
		if !slices.Contains(Architectures(), file.Arch) {
			t.Errorf("architecture %q", file.Arch)
		}
		for i, function := range file.Functions {
			if !quotas.IsName(function.Name) {
				t.Errorf("function %q", function.Name)
			}
			if function.MemorySize != 0 && (function.MemorySize < 128 || function.MemorySize > 10240) || function.Timeout < 0 || function.Timeout > 15*time.Minute {
				t.Errorf("memory %d, timeout %s", function.MemorySize, function.Timeout)
			}
			for _, path := range append([]string{function.Path}, function.Include...) {
				if !filepath.IsLocal(path) {
					t.Errorf("path %q", path)
				}
			}
			if slices.ContainsFunc(file.Functions[:i], func(other Function) bool {
				return strings.EqualFold(other.Name, function.Name) || other.Path == function.Path
			}) {
				t.Errorf("%s is there twice", function.Name)
			}
		}
	})
}
