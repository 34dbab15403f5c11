package generator_test

import (
	"bytes"
	"errors"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/generator/kinds/cognitotoken"
)

func TestResolveDefaults(t *testing.T) {
	got, err := kinds.All().Resolve(generator.Answers{"name": "demo"})
	if err != nil {
		t.Fatal(err)
	}
	want := generator.Spec{
		Name: "demo", Module: "example.com/demo", IaC: "sam", OTel: "otlp", Runtime: "official", Arch: "arm64", CI: "github",
		Functions: []generator.Function{{
			Name: "token-customizer", Kind: cognitotoken.Kind{},
			Answers: generator.Answers{"trigger": "v2", "claims": "tenant_id=custom:tenant_id,plan=custom:plan", "eventbridge": "false"},
			Memory:  256, Timeout: 4,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestResolveAndBack(t *testing.T) {
	for _, variant := range kinds.All().Combinations() {
		variant.Answers["name"] = "x"
		if variant.Answers[generator.KindKey] == (cognitotoken.Kind{}).Name() {
			variant.Answers["claims"] = "a=email,b=custom:b"
		}
		variant.Answers["module"] = "github.com/you/x"
		spec, err := kinds.All().Resolve(variant.Answers)
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Answers(); !maps.Equal(got, variant.Answers) {
			t.Errorf("answers %v became %v", variant.Answers, got)
		}
		again := generator.Answers{"name": "x"}
		flags := kinds.All().Flags(spec)
		for i := 0; i < len(flags); i++ {
			key := strings.TrimPrefix(flags[i], "--")
			if last := i == len(flags)-1; last || strings.HasPrefix(flags[i+1], "--") {
				again[key] = "true"
				continue
			}
			i++
			again[key] = flags[i]
		}
		second, err := kinds.All().Resolve(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(spec, second); diff != "" {
			t.Errorf("the flags %q make another spec: %s", flags, diff)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	tests := []struct {
		key, value string
		want       string // part of the one problem
	}{
		{"name", "", "a name is needed"},
		{"name", "../../evil", "lower case letters"},
		{"name", "/etc/x", "lower case letters"},
		{"name", "CON", "lower case letters"},
		{"name", "con", "device"},
		{"name", "lpt1", "device"},
		{"name", "aws", "those of AWS"},
		{"name", "a b", "lower case letters"},
		{"name", ".git", "lower case letters"},
		{"name", "-rf", "lower case letters"},
		{"name", "1st", "lower case letters"},
		{"name", "demo-", "hyphen"},
		{"name", "demo.", "lower case letters"},
		{"name", "😀", "lower case letters"},
		{"name", "demo\n", "lower case letters"},
		{"name", "demo\x00", "lower case letters"},
		{"name", strings.Repeat("a", 41), "41 characters"},
		{"name", strings.Repeat("a", 300), "300 characters"},
		{"module", "", "not a module path"},
		{"module", "no spaces/x", "not a module path"},
		{"module", "../evil", "not a module path"},
		{"module", "nodot/x", "first path element"},
		{"module", "example.com/x/", "slash"},
		{"module", "example.com/con", "disallowed"},
		{"module", "example.com/" + strings.Repeat("a", 300), "characters"},
		{"trigger", "v4", "did you mean v"},
		{"trigger", "", "unknown choice"},
		{"trigger", "V2", "did you mean v2"},
		{"iac", "terraform", "unknown choice"},
		{"arch", "arm46", "did you mean arm64"},
		{"ci", "gitlab", "did you mean github"},
		{"claims", "", "at least one"},
		{"claims", "tenant", "not a pair"},
		{"claims", "sub=email", "Cognito"},
		{"claims", "cognito:groups=email", "cognito:"},
		{"claims", "dev:x=email", "dev:"},
		{"claims", "aud=email", "aud"},
		{"claims", "scope=email", "scope"},
		{"claims", "a b=email", "not a name"},
		{"claims", "=email", "not a name"},
		{"claims", "a=tenant_id", "custom:tenant_id"},
		{"claims", "a=emial", "did you mean email"},
		{"claims", "a=custom:" + strings.Repeat("x", 21), "1 to 20"},
		{"claims", "a=email,a=name", "twice"},
		{"claims", strings.Repeat("a=email,", 60), "more than"},
		{"colour", "red", "unknown option"},
		{"triger", "v2", "did you mean trigger"},
		{"kind", "cognito-tokens", "did you mean cognito-token"},
		{"kind", "", "use cognito-token"},
	}
	for _, test := range tests {
		t.Run(test.key+"="+generator.Shorten(test.value), func(t *testing.T) {
			answers := generator.Answers{"name": "demo", test.key: test.value}
			_, err := kinds.All().Resolve(answers)
			invalid, ok := errors.AsType[*generator.InvalidError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if len(invalid.Problems) != 1 || !strings.Contains(invalid.Problems[0].Text, test.want) {
				t.Errorf("got %q, want one problem with %q", invalid.Problems, test.want)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the message has %d characters", len(err.Error()))
			}
		})
	}
}

func TestResolveListsEveryProblem(t *testing.T) {
	_, err := kinds.All().Resolve(generator.Answers{"name": "A B", "module": "x y", "trigger": "v9", "claims": "sub=foo,x", "ci": "gitlab", "zzz": "1"})
	invalid, ok := errors.AsType[*generator.InvalidError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var keys []string
	for _, problem := range invalid.Problems {
		keys = append(keys, problem.Key)
	}
	if want := []string{"", "name", "module", "trigger", "claims", "claims", "claims", "ci"}; !slices.Equal(keys, want) {
		t.Errorf("problems of %q, want %q:\n%v", keys, want, err)
	}
}

// FuzzResolve holds a spec that is accepted to what the templates rely on.
func FuzzResolve(f *testing.F) {
	f.Add("demo", "example.com/demo", "a=email")
	f.Add("../../evil", "..", "sub=x,=,")
	f.Add("x", "github.com/a/b/v2", "https://x/y=custom:z")
	f.Fuzz(func(t *testing.T, name, module, claims string) {
		spec, err := kinds.All().Resolve(generator.Answers{"name": name, "module": module, "claims": claims})
		if err != nil {
			return
		}
		if strings.ContainsAny(name, "/\\. \n\x00\"'") || len(name) > 40 || name == "" {
			t.Errorf("name %q", name)
		}
		if strings.ContainsAny(module, " \n\"'\\") {
			t.Errorf("module %q", module)
		}
		if claims := spec.Functions[0].Answers["claims"]; strings.ContainsAny(claims, " \n\"'\\<>%{}") {
			t.Errorf("claims %q", claims)
		}
		tree, err := generator.Render(spec)
		if err != nil {
			t.Fatalf("accepted, but not rendered: %v", err)
		}
		for _, file := range tree {
			if formatted, err := format.Source(file.Content); path.Ext(file.Path) == ".go" && (err != nil || !bytes.Equal(formatted, file.Content)) {
				t.Errorf("%s is not as gofmt wants it: %v", file.Path, err)
			}
		}
	})
}

func TestUnknown(t *testing.T) {
	project := []string{"authenticate-device", "authentication", "hosted-auth", "cognito-v1-authentication", "sqs"}
	for given, want := range map[string]string{
		"authentcation": "did you mean authentication?",      // a slip of the pen
		"auth":          "did you mean authentication?",      // how one begins
		"HOSTED":        "did you mean hosted-auth?",         // whatever its case
		"device":        "did you mean authenticate-device?", // a word within
		"sq":            "did you mean sqs?",
		"t":             "use authenticate-device, authentication, hosted-auth, cognito-v1-authentication, sqs",
		"nothing":       "use authenticate-device, authentication, hosted-auth, cognito-v1-authentication, sqs",
		"":              "use authenticate-device, authentication, hosted-auth, cognito-v1-authentication, sqs",
	} {
		if got := generator.Unknown("example", given, project); !strings.HasSuffix(got, want) {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
}
