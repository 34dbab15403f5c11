package project

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

func TestParseAnswers(t *testing.T) {
	tests := map[string]struct {
		text string
		want generator.Answers
	}{
		"no answer":     {"{}", generator.Answers{}},
		"text":          {"name: demo\ntrigger: v3\n", generator.Answers{"name": "demo", "trigger": "v3"}},
		"JSON":          {`{"name": "demo", "claims": ["a=email"]}`, generator.Answers{"name": "demo", "claims": "a=email"}},
		"claims, text":  {"claims: a=email,b=name", generator.Answers{"claims": "a=email,b=name"}},
		"claims, list":  {"claims:\n  - a=email\n  - b=custom:b\n", generator.Answers{"claims": "a=email,b=custom:b"}},
		"project's own": {"schema: 1\ntemplates: 7\nname: x\nfunctions:\n  - name: y\n", generator.Answers{"name": "x"}},
		"number":        {"name: 12", generator.Answers{"name": "12"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseAnswers(kinds.All(), []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got.Project, test.want) || got.Functions != nil {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestParseAnswersRefuses(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "]\n"
	}
	tests := map[string]struct {
		text string
		want []string // parts of the problems, one each
	}{
		"nothing":            {"", []string{"empty"}},
		"a comment":          {"# nothing\n", []string{"empty"}},
		"no YAML":            {"name: [", []string{"not YAML"}},
		"binary":             {"\x00\x01", []string{"not YAML"}},
		"a list":             {"- name", []string{"not a mapping"}},
		"a word":             {"name", []string{"not a mapping"}},
		"two documents":      {"name: a\n---\nname: b\n", []string{"more than one"}},
		"a key twice":        {"name: a\nname: b\n", []string{"twice"}},
		"unknown keys":       {"naem: a\ntriger: v1\n", []string{"did you mean name", "did you mean trigger"}},
		"wrong types":        {"name: [a]\ntrigger: {a: b}\narch: null\nclaims: {a: {b: c}}\n", []string{"single value", "single value", "single value", "claim=attribute"}},
		"claims of numbers":  {"claims: [1]", []string{"claim=attribute"}},
		"claims with commas": {`claims: ["a=email,b=name"]`, []string{"claim=attribute"}},
		"an alias":           {"name: &x demo\nmodule: *x\n", []string{"single value"}},
		"alias bomb":         {"claims: &z [a=email]\nname: *z\n" + bomb, []string{"single value", "", "", "", "", "", "", "", "", "", ""}},
		"a merge key":        {"<<: {name: x}", []string{"unknown option"}},
		"a list as key":      {"? [a]\n: b\n", []string{"not text"}},
		"nested":             {"name: " + strings.Repeat("[", 500_000), []string{"not YAML"}},
		"nested objects":     {strings.Repeat("{a: ", 200_000), []string{"not YAML"}},
		"10 MB":              {strings.Repeat("#", 10<<20), []string{"larger than"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseAnswers(kinds.All(), []byte(test.text))
			invalid, ok := errors.AsType[*generator.InvalidError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if len(invalid.Problems) != len(test.want) {
				t.Fatalf("got %q, want %d problems", invalid.Problems, len(test.want))
			}
			for i, want := range test.want {
				if !strings.Contains(invalid.Problems[i].Text, want) {
					t.Errorf("got %q, want %q", invalid.Problems[i], want)
				}
			}
		})
	}
}

// TestParseFunctions reads answers about several functions, with and without the number of a schema.
func TestParseFunctions(t *testing.T) {
	const text = `name: shop
functions:
  token-customizer: {kind: cognito-token, trigger: v3, claims: {plan: "custom:plan", tenant_id: "custom:tenant_id"}, eventbridge: true, env_file: .env}
  partner-tokens:
    claims: [email=email]
    memory: 512
    timeout: 5
  report: {path: ./tools/report}
`
	want := Answers{
		Project: generator.Answers{"name": "shop"},
		Functions: []generator.FunctionAnswers{
			{Name: "token-customizer", Kind: "cognito-token", Answers: generator.Answers{
				"trigger": "v3", "claims": "plan=custom:plan,tenant_id=custom:tenant_id", "eventbridge": "true",
			}},
			{Name: "partner-tokens", Answers: generator.Answers{"claims": "email=email", "memory": "512", "timeout": "5"}},
		},
	}
	for _, schema := range []string{"", "schema: 2\ntemplates: 9\n"} {
		got, err := ParseAnswers(kinds.All(), []byte(schema+text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		spec, err := kinds.All().Resolve(got.Project, got.Functions...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(spec, again(t, spec)); diff != "" {
			t.Errorf("written and read, -want +got\n%s", diff)
		}
	}
}

// FuzzProject checks that what golam writes of a spec is read as the same spec, whatever the claims.
func FuzzProject(f *testing.F) {
	f.Add("demo", "a=email,b=custom:b", "audit", 128, 1)
	f.Add("x", "https://x/y=custom:z, null=email,true=name,1=sub", "token-customizer", 10240, 5)
	f.Fuzz(func(t *testing.T, name, claims, function string, memory, timeout int) {
		spec, err := kinds.All().Resolve(generator.Answers{"name": name}, generator.FunctionAnswers{Name: function, Answers: generator.Answers{
			"claims": claims, "memory": strconv.Itoa(memory), "timeout": strconv.Itoa(timeout),
		}})
		if err != nil {
			return
		}
		if diff := cmp.Diff(spec, again(t, spec)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}
