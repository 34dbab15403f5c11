package generator

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/templates"
)

func TestFunctionNames(t *testing.T) {
	for name, want := range map[string]struct{ id, pkg, prefix string }{
		"worker":         {"Worker", "worker", ""}, // the kind's own name
		"partner-tokens": {"PartnerTokens", "partnertokens", "PartnerTokens"},
		"a":              {"A", "a", "A"},
		"a1-2b-c":        {"A12bC", "a12bc", "A12bC"},
		"go-1":           {"Go1", "go1", "Go1"},
	} {
		if problems := CheckFunctionName(name); len(problems) > 0 {
			t.Errorf("%s: %q", name, problems)
		}
		f := Function{Name: name, Kind: plain{}}
		if f.ID() != want.id || f.Package() != want.pkg || f.Prefix() != want.prefix {
			t.Errorf("%s: %q, %q, %q, want %q", name, f.ID(), f.Package(), f.Prefix(), want)
		}
	}
	if problems := CheckFunctionName(strings.Repeat("a", 64)); len(problems) > 0 {
		t.Errorf("64 characters: %q", problems)
	}
	for name, want := range map[string]string{
		"": "needs a name", strings.Repeat("a", 65): "Lambda allows 64", "A": "lower case", "a_b": "lower case", "a b": "lower case", "1a": "start with a letter",
		"-a": "lower case", "a-": "single hyphens", "a--b": "single hyphens", "ä": "lower case", "a.b": "lower case", "../a": "lower case", "a\n": "lower case",
		"func": "keyword", "go": "keyword", "fall-through": "keyword", "string": "Go declares itself", "e-rror": "Go declares itself",
		"con": "device", "c-on": "device", "com1": "device", "main": "another folder or package", "internal": "another folder or package",
		"test-data": "another folder or package", "vendor": "another folder or package", "platform": "another folder or package", "lambda": "another folder or package",
	} {
		if problems := CheckFunctionName(name); len(problems) != 1 || !strings.Contains(problems[0], want) {
			t.Errorf("%q: %q, want %q", name, problems, want)
		}
	}
}

// TestWordsOfGo compares the lists of words that no package may be called with Go's own.
func TestWordsOfGo(t *testing.T) {
	var words []string
	for word := token.BREAK; word <= token.VAR; word++ {
		words = append(words, word.String())
	}
	slices.Sort(words)
	if !slices.Equal(words, keywords) {
		t.Errorf("keywords are %q", words)
	}
	if names := types.Universe.Names(); !slices.Equal(names, predeclared) {
		t.Errorf("predeclared are %q", names)
	}
}

// TestPlatformPackagesAreTaken: a function's own package never has the name of one below internal/platform.
func TestPlatformPackagesAreTaken(t *testing.T) {
	folders, err := fs.Glob(templates.FS(), "platform/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		name, _, _ := strings.Cut(strings.TrimPrefix(folder, "platform/"), "+")
		if len(CheckFunctionName(name)) == 0 {
			t.Errorf("a function could be called %s", name)
		}
	}
}

// timed is a second kind, with an option of its own and one that plain has, too.
type timed struct{ plain }

func (timed) Name() string                { return "timed" }
func (timed) DefaultFunctionName() string { return "timer" }
func (timed) Resources() []string         { return []string{"Schedule"} }
func (timed) Limits() Limits {
	return Limits{Memory: 512, Timeout: 10, MaxTimeout: 60, Reason: "nobody waits longer"}
}

func (timed) Options() []Option {
	return []Option{
		Choices(Option{Key: "rate", After: "iac", Choices: []Choice{{Value: "daily"}, {Value: "hourly"}}}),
		Choices(Option{Key: "color", After: "module", Choices: []Choice{{Value: "green"}, {Value: "red"}}}),
	}
}

// two is a catalog of two kinds.
func two() Catalog { return Catalog{plain{}, timed{}} }

func keysOf(options []Option) []string {
	var keys []string
	for _, option := range options {
		keys = append(keys, option.Key)
	}
	return keys
}

func TestOptionsOfKinds(t *testing.T) {
	for _, test := range []struct {
		got  []Option
		want string
	}{
		{two().Options(), "name module kind color iac rate ci otel runtime arch"},
		{two().OptionsOf("plain"), "name module kind color iac ci otel runtime arch"},
		{two().OptionsOf("timed"), "name module kind color iac rate ci otel runtime arch"},
		{two().OptionsOf(""), "name module kind color iac ci otel runtime arch"},
	} {
		if got := strings.Join(keysOf(test.got), " "); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	// Each combination is of one kind, and makes a spec.
	names := map[string]bool{}
	for _, variant := range two().Combinations() {
		variant.Answers["name"] = "demo"
		if _, err := two().Resolve(variant.Answers); err != nil {
			t.Errorf("%s: %v", variant.Name, err)
		}
		names[variant.Name] = true
	}
	if all := len(two().Combinations()); len(names) != all {
		t.Errorf("%d combinations have %d names", all, len(names))
	}
}

func TestResolveKinds(t *testing.T) {
	for name, test := range map[string]struct {
		answers   Answers
		functions []FunctionAnswers
		want      []string // name, kind, color, memory and timeout of each function
	}{
		"the default":    {Answers{}, nil, []string{"worker plain red 128 3"}},
		"a kind":         {Answers{"kind": "timed", "rate": "hourly"}, nil, []string{"timer timed green 512 10"}},
		"one of a file":  {Answers{}, []FunctionAnswers{{Name: "a", Kind: "timed"}}, []string{"a timed green 512 10"}},
		"flags win":      {Answers{"color": "red"}, []FunctionAnswers{{Name: "a", Kind: "timed", Answers: Answers{"color": "green"}}}, []string{"a timed red 512 10"}},
		"with its kind":  {Answers{"kind": "timed"}, []FunctionAnswers{{Name: "a", Kind: "plain"}}, []string{"a timed green 512 10"}},
		"numbers":        {Answers{}, []FunctionAnswers{{Answers: Answers{"memory": "10240", "timeout": "900"}}}, []string{"worker plain red 10240 900"}},
		"one of each":    {Answers{}, []FunctionAnswers{{Kind: "timed"}, {}}, []string{"timer timed green 512 10", "worker plain red 128 3"}},
		"two of a kind":  {Answers{}, []FunctionAnswers{{}, {Name: "b", Answers: Answers{"color": "blue"}}}, []string{"worker plain red 128 3", "b plain blue 128 3"}},
		"a longest time": {Answers{}, []FunctionAnswers{{Kind: "timed", Answers: Answers{"timeout": "60"}}}, []string{"timer timed green 512 60"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.answers["name"] = "demo"
			spec, err := two().Resolve(test.answers, test.functions...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range spec.Functions {
				got = append(got, fmt.Sprintf("%s %s %s %d %d", f.Name, f.Kind.Name(), f.Answers["color"], f.Memory, f.Timeout))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestResolveKindsRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		answers   Answers
		functions []FunctionAnswers
		want      []string // all problems
	}{
		"an unknown kind": {Answers{"kind": "tined"}, nil, []string{`--kind: unknown kind "tined": did you mean timed?`}},
		"an option of another kind": {
			Answers{"rate": "daily"},
			nil,
			[]string{"--rate: this is an option of timed, but the function is of the kind plain: leave it out, or choose the other kind"},
		},
		"the same in a file": {
			Answers{},
			[]FunctionAnswers{{Name: "a", Answers: Answers{"rate": "daily"}}, {Name: "b", Kind: "timed", Answers: Answers{"rate": "daily"}}},
			[]string{"function a: rate: this is an option of timed, but the function is of the kind plain: leave it out, or choose the other kind"},
		},
		"a choice of another kind": {Answers{"kind": "timed", "color": "blue"}, nil, []string{`--color: unknown choice "blue": use green, red`}},
		"one answer for several functions": {
			Answers{"color": "red"},
			[]FunctionAnswers{{}, {Kind: "timed"}},
			[]string{"--color: the project has several functions: give this answer for each of them, in the answers file"},
		},
		"too long": {
			Answers{},
			[]FunctionAnswers{{Name: "a", Kind: "timed", Answers: Answers{"timeout": "61", "memory": "x"}}},
			[]string{`function a: memory: "x" is not a whole number`, "function a: timeout: 61 s: use 1 to 60, because nobody waits longer"},
		},
		"the same name twice": {Answers{}, []FunctionAnswers{{}, {Name: "worker"}}, []string{"two functions are called worker: rename one"}},
		"a name in infrastructure as code": {
			Answers{},
			[]FunctionAnswers{{}, {Name: "bucket", Kind: "timed"}, {Name: "existing"}, {Name: "alarm-topic"}},
			[]string{
				"the function bucket and worker would both have the name Bucket in infrastructure as code: rename the function",
				"the function existing and worker would both have the name ExistingBucket in infrastructure as code: rename the function",
				"the function alarm-topic and the project would both have the name AlarmTopic in infrastructure as code: rename the function",
			},
		},
		"the same without the function that has it": {
			Answers{},
			[]FunctionAnswers{{Name: "bucket"}},
			[]string{"the function bucket and worker would both have the name Bucket in infrastructure as code: rename the function"},
		},
		"the same between two": {
			Answers{},
			[]FunctionAnswers{{Name: "a"}, {Name: "a-existing"}},
			[]string{"the function a-existing and a would both have the name AExistingBucket in infrastructure as code: rename the function"},
		},
		"everything": {
			Answers{"iac": "x", "zzz": "1"},
			[]FunctionAnswers{{Name: "A", Answers: Answers{"color": "pink"}}, {Name: "b", Kind: "z"}, {Name: "c-d"}, {Name: "cd", Answers: Answers{"size": "1"}}},
			[]string{
				`unknown option "zzz": use name, module, kind, color, iac, rate, ci, otel, runtime, arch`,
				`"A" is not a function name: use lower case letters, digits and single hyphens between them, and start with a letter`,
				"the functions c-d and cd would share the Go package cd: rename one", `--iac: unknown choice "x": use sam, cdk`,
				`function A: color: unknown choice "pink": use red, blue`, `function b: kind: unknown kind "z": use plain, timed`,
				`function cd: unknown option "size": use kind, memory, timeout, color`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.answers["name"] = "demo"
			_, err := two().Resolve(test.answers, test.functions...)
			invalid, ok := errors.AsType[*InvalidError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if got := strings.Split(invalid.Error(), "\n"); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestFlat: flags say all that is in a spec, or Flat says that they do not.
func TestFlat(t *testing.T) {
	for _, test := range []struct {
		functions []FunctionAnswers
		flat      bool
		flags     string
	}{
		{nil, true, ""},
		{[]FunctionAnswers{{Kind: "timed"}}, true, "--kind timed"},
		{[]FunctionAnswers{{Kind: "timed", Answers: Answers{"rate": "hourly", "color": "red", "timeout": "10"}}}, true, "--kind timed --color red --rate hourly"},
		{[]FunctionAnswers{{Name: "other"}}, false, ""},
		{[]FunctionAnswers{{Answers: Answers{"memory": "256"}}}, false, ""},
		{[]FunctionAnswers{{Answers: Answers{"timeout": "4"}}}, false, ""},
		{[]FunctionAnswers{{}, {Kind: "timed"}}, false, "--iac cdk"},
	} {
		answers := Answers{"name": "demo"}
		if len(test.functions) > 1 {
			answers["iac"] = "cdk"
		}
		spec, err := two().Resolve(answers, test.functions...)
		if err != nil {
			t.Fatal(err)
		}
		if flat, flags := two().Flat(spec), strings.Join(two().Flags(spec), " "); flat != test.flat || flags != test.flags {
			t.Errorf("%v: %v, %q", test.functions, flat, flags)
		}
	}
}
