package generator_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

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
			got, err := kinds.All().ParseAnswers([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, test.want) {
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
		"wrong types":        {"name: [a]\ntrigger: {a: b}\narch: null\nclaims: {a: b}\n", []string{"single value", "single value", "single value", "claim=attribute"}},
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
			_, err := kinds.All().ParseAnswers([]byte(test.text))
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

func FuzzParseAnswers(f *testing.F) {
	f.Add([]byte("name: demo\nclaims: [a=email]\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? {a: b}\n: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		answers, err := kinds.All().ParseAnswers(data)
		if _, ok := errors.AsType[*generator.InvalidError](err); err != nil && !ok {
			t.Fatalf("%v is no list of problems", err)
		}
		for key := range answers {
			found := false
			for _, option := range kinds.All().Options() {
				found = found || option.Key == key
			}
			if !found {
				t.Errorf("key %q", key)
			}
		}
	})
}
