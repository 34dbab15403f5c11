package build

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWeigh(t *testing.T) {
	root := makeProject(t, tiny())
	weight, err := Weigh(t.Context(), Options{Dir: root, Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if len(weight.Functions) != 1 || weight.Arch != "x86_64" || weight.Root != root {
		t.Fatalf("got %+v", weight)
	}
	f := weight.Functions[0]
	if _, err := os.Stat(filepath.Join(root, distFolder)); err == nil {
		t.Error("it wrote to the project")
	}
	built, err := Build(t.Context(), Options{Dir: root, Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if b := built.Functions[0]; f.Bootstrap != b.Bootstrap.Bytes || f.Zip != b.Zip.Bytes {
		t.Errorf("bootstrap %d, zip %d bytes; golam build made %d and %d", f.Bootstrap, f.Zip, b.Bootstrap.Bytes, b.Zip.Bytes)
	}
	var total int64
	for _, part := range f.Parts {
		total += part.Bytes
	}
	if f.PartsProblem != "" || total != f.Bootstrap {
		t.Errorf("the parts have %d bytes of %d: %s", total, f.Bootstrap, f.PartsProblem)
	}
	// More of the smallest function is Go's runtime than anything else but the tables.
	for _, name := range []string{"runtime", partFunctions, partTypes, "example.com/tiny/cmd/small"} {
		if !slices.ContainsFunc(f.Parts, func(p Part) bool { return p.Name == name && p.Bytes > 0 }) {
			t.Errorf("no part %s in %+v", name, f.Parts[:min(10, len(f.Parts))])
		}
	}
}

func TestPartOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main":                        "example.com/m/cmd/f",
		"net/http.(*Transport).dialConn":   "net/http",
		"go.yaml.in/yaml%2ev3.Unmarshal":   "go.yaml.in/yaml.v3",
		"slices.SortFunc[go.shape.string]": "slices",
		"slices.SortFunc[a.b/c.T]":         "slices",
		"go:func.*":                        partFunctions,
		"runtime.findfunctab":              partFunctions,
		"go:itab.*os.File,io.Writer":       partTypes,
		"type:.eq.a.b/c.T":                 partTypes,
		"_rt0_amd64":                       partOther,
	} {
		if got := partOf(symbol, "example.com/m/cmd/f"); got != want {
			t.Errorf("%s is of %s, not %s", symbol, got, want)
		}
	}
}

func TestPartsOfWhatIsNoProgram(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("#!/bin/sh\n")} {
		if got, err := parts(bytes.NewReader(data), int64(len(data)), "m"); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
