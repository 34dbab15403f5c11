package merge

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const baseMod = `module example.com/shop

go 1.26.0

require (
	example.com/a v1.2.0
	example.com/b v1.0.0
)

require example.com/i v0.1.0 // indirect
`

// changedMod is baseMod with replaced text.
func changedMod(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(baseMod) }

func TestMergeGoMod(t *testing.T) {
	const tail = "\nrequire example.com/i v0.1.0 // indirect\n"
	for _, test := range []struct {
		name, target, work, want, note string
	}{
		{
			name: "raised by Dependabot past the template", target: changedMod("a v1.2.0", "a v1.3.0"), work: changedMod("a v1.2.0", "a v1.10.0"),
			want: changedMod("a v1.2.0", "a v1.10.0"),
		},
		{
			name: "raised by the template past the owner", target: changedMod("a v1.2.0", "a v1.10.0"), work: changedMod("a v1.2.0", "a v1.9.0"),
			want: changedMod("a v1.2.0", "a v1.10.0"),
		},
		{
			name: "lowered by the template", target: changedMod("a v1.2.0", "a v1.1.0"), work: changedMod("b v1.0.0", "b v1.0.1"),
			want: changedMod("b v1.0.0", "b v1.0.1"),
		},
		{
			name: "pinned by the owner, and not changed by the template", target: changedMod("b v1.0.0", "b v1.1.0"), work: changedMod("a v1.2.0", "a v1.1.0"),
			want: changedMod("b v1.0.0", "b v1.1.0", "a v1.2.0", "a v1.1.0"),
		},
		{
			name: "both add", target: changedMod("b v1.0.0\n", "b v1.0.0\n\texample.com/d v1.0.0\n", tail, tail+"\nrequire example.com/j v0.2.0 // indirect\n"),
			work: changedMod("b v1.0.0\n", "b v1.0.0\n\texample.com/c v1.0.0 // mine\n"),
			// modfile leaves alone a block with the owner's comments.
			want: changedMod("b v1.0.0\n", "b v1.0.0\n\texample.com/c v1.0.0 // mine\n",
				tail, "\nrequire example.com/d v1.0.0\n\nrequire (\n\texample.com/i v0.1.0 // indirect\n\texample.com/j v0.2.0 // indirect\n)\n"),
		},
		{
			name: "no longer required by the template, which the owner may use", target: changedMod("\texample.com/b v1.0.0\n", ""), work: changedMod("a v1.2.0", "a v1.3.0"),
			want: changedMod("a v1.2.0", "a v1.3.0"), note: "golam's code no longer needs example.com/b: go mod tidy removes what yours does not need either",
		},
		{
			name: "removed by the owner, and not changed by the template", target: changedMod("a v1.2.0", "a v1.3.0"), work: changedMod("\texample.com/b v1.0.0\n", ""),
			want: changedMod("(\n\texample.com/a v1.2.0\n\texample.com/b v1.0.0\n)", "example.com/a v1.3.0"),
		},
		{
			name: "removed by the owner, and raised by the template", target: changedMod("b v1.0.0", "b v1.1.0"), work: changedMod("\texample.com/b v1.0.0\n", ""),
			want: changedMod("b v1.0.0", "b v1.1.0"),
		},
		{
			name: "the go line is never lowered", target: changedMod("go 1.26.0", "go 1.27.0"), work: changedMod("go 1.26.0", "go 1.28.1\n\ntoolchain go1.28.3"),
			want: changedMod("go 1.26.0", "go 1.28.1\n\ntoolchain go1.28.3"),
		},
		{
			name: "the go line is raised", target: changedMod("go 1.26.0", "go 1.27.0"), work: changedMod("a v1.2.0", "a v1.3.0"),
			want: changedMod("go 1.26.0", "go 1.27.0", "a v1.2.0", "a v1.3.0"),
		},
		{
			name: "the owner's directives stay", target: changedMod("a v1.2.0", "a v1.3.0"),
			work: baseMod + "\nreplace example.com/a => ../a\n\nexclude example.com/b v1.0.1\n\ntool example.com/b/cmd/x\n\nretract v0.9.0 // broken\n",
			want: changedMod("a v1.2.0", "a v1.3.0") + "\nreplace example.com/a => ../a\n\nexclude example.com/b v1.0.1\n\ntool example.com/b/cmd/x\n\nretract v0.9.0 // broken\n",
		},
		{
			name: "the template's directives come", target: baseMod + "\ntool example.com/a/cmd/x\n", work: changedMod("a v1.2.0", "a v1.3.0"),
			want: changedMod("a v1.2.0", "a v1.3.0") + "\ntool example.com/a/cmd/x\n",
		},
		{
			name: "used directly now", target: changedMod("\nrequire example.com/i v0.1.0 // indirect\n", "", "b v1.0.0\n", "b v1.0.0\n\texample.com/i v0.1.0\n"), work: changedMod("a v1.2.0", "a v1.3.0"),
			want: changedMod("i v0.1.0 // indirect", "i v0.1.0", "a v1.2.0", "a v1.3.0"),
		},
		{
			name: "the owner's comments and module", target: changedMod("b v1.0.0", "b v1.1.0"), work: "// Ours.\n" + changedMod("example.com/shop", "example.com/mine", "a v1.2.0", "a v1.2.0 // see #12"),
			want: "// Ours.\n" + changedMod("example.com/shop", "example.com/mine", "a v1.2.0", "a v1.2.0 // see #12", "b v1.0.0", "b v1.1.0"),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, note, err := mergeGoMod([]byte(baseMod), []byte(test.target), []byte(test.work))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" || note != test.note {
				t.Errorf("note %q, want %q (-want +got):\n%s", note, test.note, diff)
			}
			again, _, err := mergeGoMod([]byte(test.target), []byte(test.target), got)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("the second time: %v\n%s", err, again)
			}
		})
	}
}

func TestMergeGoModWithoutBase(t *testing.T) {
	got, _, err := mergeGoMod(nil, []byte(baseMod), []byte(changedMod("a v1.2.0", "a v1.3.0", "b v1.0.0", "b v0.9.0")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changedMod("a v1.2.0", "a v1.3.0"), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestMergeGoSum(t *testing.T) {
	target := "example.com/a v1.10.0 h1:x=\nexample.com/a v1.10.0/go.mod h1:y=\nexample.com/b v1.0.0/go.mod h1:z=\n"
	work := "example.com/a v1.9.0 h1:o=\nexample.com/a v1.9.0/go.mod h1:p=\nexample.com/b v1.0.0/go.mod h1:z="
	want := "example.com/a v1.9.0 h1:o=\nexample.com/a v1.9.0/go.mod h1:p=\nexample.com/a v1.10.0 h1:x=\nexample.com/a v1.10.0/go.mod h1:y=\nexample.com/b v1.0.0/go.mod h1:z=\n"
	got, err := mergeGoSum([]byte(target), []byte(work))
	if err != nil || string(got) != want {
		t.Errorf("%v:\n%s", err, got)
	}
	for name, work := range map[string]string{
		"another hash of the same module": "example.com/a v1.10.0 h1:other=\n",
		"no line of go.sum":               "<<<<<<< yours\n",
	} {
		if _, err := mergeGoSum([]byte(target), []byte(work)); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

func TestMergeYAML(t *testing.T) {
	const base = "# What golam made.\nschema: 2\ntemplates: 5\nname: shop\niac: sam\nfunctions:\n  api:\n    kind: http\n    memory: 256\n    timeout: 10\n"
	changed := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(base) }
	for _, test := range []struct{ name, target, work, want string }{
		{
			"keys and comments of the owner", changed("templates: 5", "templates: 6", "iac: sam", "iac: cdk"),
			changed("256\n", "256\n    env_file: .env # secrets\n") + "\nexclude:\n    - tools\n",
			changed("templates: 5", "templates: 6", "iac: sam", "iac: cdk", "256\n", "256\n    env_file: .env # secrets\n") + "\nexclude:\n    - tools\n",
		},
		{
			"the owner edited an answer, and the target was made with it", changed("memory: 256", "memory: 512", "templates: 5", "templates: 6"),
			changed("memory: 256", "memory: 512 # enough"), changed("memory: 256", "memory: 512 # enough", "templates: 5", "templates: 6"),
		},
		{
			"the target was made with other answers", changed("memory: 256", "memory: 512"), changed("memory: 256", "memory: 1024 # enough"),
			changed("memory: 256", "memory: 512 # enough"),
		},
		{
			"a function beside one of the owner's", base + "  worker:\n    kind: sqs\n", base + "  mine:\n    path: services/mine\n",
			changed("    timeout: 10\n", "    timeout: 10\n  worker:\n    kind: sqs\n") + "  mine:\n    path: services/mine\n",
		},
		{
			"an option that is gone", changed("iac: sam\n", ""), base + "exclude: [tools]\n", changed("iac: sam\n", "") + "exclude: [tools]\n",
		},
		{
			"written in another style", changed("templates: 5", "templates: 6"),
			"{schema: 2, templates: 5, name: shop, iac: sam, functions: {api: {kind: http, memory: 256, timeout: 10, payload: '1.0'}}}\n",
			"{schema: 2, templates: 6, name: shop, iac: sam, functions: {api: {kind: http, memory: 256, timeout: 10, payload: '1.0'}}}\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := mergeYAML([]byte(base), []byte(test.target), []byte(test.work))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, damaged := range []string{"- a\n", "a: [\n", "<<<<<<< yours\nschema: 2\n"} {
		if _, err := mergeYAML([]byte(base), []byte(base), []byte(damaged)); err == nil {
			t.Errorf("%q is no error", damaged)
		}
	}
}
