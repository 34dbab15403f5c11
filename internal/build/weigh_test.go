package build

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestWeigh(t *testing.T) {
	root := testkit.Folder(t, tiny())
	weight, err := Weigh(t.Context(), WeighOptions{Options: Options{Dir: root, Environ: os.Environ()}, Contents: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(weight.Functions) != 1 || weight.Arch != "x86_64" || weight.Project.Root != root {
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

// TestWeighBuildsTogether: several functions take one go build for Lambda, one more for this machine unless that is the same, and one more
// for what fills them.
func TestWeighBuildsTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions")
	}
	files := tiny()
	for _, name := range []string{"first", "second"} {
		files["cmd/"+name+"/main.go"] = "package main\n\nfunc main() { println(\"" + name + "\") }\n"
	}
	files["golam.yaml"] = "functions: [{name: small}, {name: first}, {name: second}]\n"
	root, log := testkit.Folder(t, files), filepath.Join(t.TempDir(), "log")
	shim(t, `echo "$1" >> '`+log+`'; exec "$GO" "$@"`)
	host, other := "x86_64", "arm64"
	if runtime.GOARCH == "arm64" {
		host, other = other, host
	}
	for _, test := range []struct {
		arch     string
		contents bool
		builds   int
	}{{host, false, 1}, {other, false, 2}, {other, true, 3}} {
		if err := os.WriteFile(log, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		weight, err := Weigh(t.Context(), WeighOptions{
			Options: Options{Dir: root, Arch: test.arch, Environ: os.Environ()}, Contents: test.contents, Host: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		want := test.builds
		if runtime.GOOS != "linux" && test.arch == host {
			want++ // this machine runs no binaries for Lambda
		}
		if got := strings.Count(testkit.Read(t, log), "build\n"); got != want {
			t.Errorf("%+v: go build ran %d times, want %d", test, got, want)
		}
		for _, f := range weight.Functions {
			path := filepath.Join(t.TempDir(), f.Name)
			if err := os.WriteFile(path, f.Program, 0o700); err != nil {
				t.Fatal(err)
			}
			output, err := exec.CommandContext(t.Context(), path).CombinedOutput()
			if err != nil || f.Name != "small" && strings.TrimSpace(string(output)) != f.Name {
				t.Errorf("%+v: the program of %s says %q, %v", test, f.Name, output, err)
			}
			if (len(f.Parts) > 0) != test.contents {
				t.Errorf("%+v: %s has %d parts", test, f.Name, len(f.Parts))
			}
		}
		if len(weight.Functions) != 3 {
			t.Errorf("%+v: %d functions", test, len(weight.Functions))
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
