package benchmark

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/testkit"
)

func saved(t *testing.T, cache string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "baseline.json")
	result := Result{
		Machine:   ThisMachine(),
		Functions: []Function{{Name: "f", Arch: "arm64", Zip: 10, Bootstrap: 20, program: []byte("program")}},
	}
	if err := result.Save(name, cache); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBaseline(t *testing.T) {
	cache := t.TempDir()
	name := saved(t, cache)
	baseline, err := LoadBaseline(name, cache)
	if err != nil {
		t.Fatal(err)
	}
	f := baseline.function("f")
	if f == nil || string(f.Program) != "program" || f.Zip != 10 || f.Bootstrap != 20 || f.Arch != "arm64" {
		t.Errorf("got %+v", f)
	}
	if problem := baseline.incomparable(); problem != "" {
		t.Error(problem)
	}
	if entries, err := os.ReadDir(filepath.Dir(name)); err != nil || len(entries) != 1 {
		t.Errorf("%v beside the baseline: %v", entries, err)
	}
}

func TestBaselineOfOthers(t *testing.T) {
	cache := t.TempDir()
	name := saved(t, cache)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, replacement string) []byte {
		t.Helper()
		if !bytes.Contains(data, []byte(old)) {
			t.Fatalf("no %s in %s", old, data)
		}
		return bytes.ReplaceAll(data, []byte(old), []byte(replacement))
	}
	system := `"system":"` + ThisMachine().System + `"`
	cases := map[string]struct {
		data  []byte
		cache string
		want  string
	}{
		"of another user":      {data, t.TempDir(), "golam does not run its program"},
		"with another program": {change(`"zipBytes":10`, `"zipBytes":11`), cache, "golam does not run its program"},
		"without a seal":       {change(`"seal":"`, `"seal":"0`), cache, "golam does not run its program"},
		"of another system":    {change(system, `"system":"plan9/mips"`), cache, "the baseline is of a machine with plan9/mips"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "baseline.json")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			baseline, err := LoadBaseline(path, c.cache)
			if err != nil {
				t.Fatal(err)
			}
			if got := baseline.incomparable(); !strings.Contains(got, c.want) {
				t.Errorf("%q, not %q", got, c.want)
			}
			if baseline.function("f").Program != nil {
				t.Error("a program of unknown origin was unpacked")
			}
		})
	}
}

func TestNoBaseline(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "absent.json"):               "make one with golam bench --save",
		dir:                                             "is not a file",
		write("empty", ""):                              "is no baseline of golam bench",
		write("list", "[]"):                             "is no baseline of golam bench",
		write("unknown", `{"format":1,"x":1}`):          "unknown field",
		write("format", `{"format":2}`):                 "its format is 2, and this golam reads 1",
		write("none", `{"format":1}`):                   "it has 0 functions",
		write("more", `{"format":1,"functions":[{}]}x`): "something follows it",
		write("path", `{"format":1,"system":"linux/amd64","functions":[{"name":"../x","zipBytes":1,"bootstrapBytes":1}]}`):                  "function 1 has no name",
		write("system", `{"format":1,"system":"\u001b[31mred","functions":[{}]}`):                                                           `"\x1b[31mred" is no system`,
		write("arch", `{"format":1,"system":"linux/amd64","functions":[{"name":"f","zipBytes":1,"bootstrapBytes":1,"arch":"\u001b]0;x"}]}`): `is for "\x1b]0;x"`,
		"": `--compare "": name a file`,
	} {
		_, err := LoadBaseline(path, cache)
		testkit.ErrorSays(t, err, want)
		if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("an escape sequence comes through: %q", err)
		}
	}
}

// TestKeyIsMadeOnce: whoever is first, all seal with the same key.
func TestKeyIsMadeOnce(t *testing.T) {
	cache := t.TempDir()
	const golams = 20
	keys := make([][]byte, golams)
	var group errgroup.Group
	for i := range golams {
		group.Go(func() (err error) {
			keys[i], err = sealKey(cache, true)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	kept, err := sealKey(cache, false)
	if err != nil || len(kept) != sealKeyBytes {
		t.Fatalf("key of %d bytes: %v", len(kept), err)
	}
	for i, key := range keys {
		if !bytes.Equal(key, kept) {
			t.Errorf("golam %d has another key", i)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(cache, "golam")); err != nil || len(entries) != 1 {
		t.Errorf("%v beside the key: %v", entries, err)
	}
	// What is no key is replaced.
	name := filepath.Join(cache, "golam", "bench.key")
	if err := os.WriteFile(name, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if key, err := sealKey(cache, true); err != nil || len(key) != sealKeyBytes {
		t.Errorf("key of %d bytes: %v", len(key), err)
	}
}

func TestBaselineLacksFunction(t *testing.T) {
	cache := t.TempDir()
	baseline, err := LoadBaseline(saved(t, cache), cache)
	if err != nil {
		t.Fatal(err)
	}
	err = baseline.check(build.Weight{Functions: []build.Weighed{{Function: build.Function{Name: "g"}}}})
	testkit.ErrorSays(t, err, "does not have the function g, it has f")
}

func TestCheckSave(t *testing.T) {
	dir := t.TempDir()
	testkit.ErrorSays(t, CheckSave(""), "name a file")
	testkit.ErrorSays(t, CheckSave(dir), "it is not a file")
	testkit.ErrorSays(t, CheckSave(filepath.Join(dir, "absent", "x.json")), "there is no folder")
	if err := CheckSave(filepath.Join(dir, "x.json")); err != nil {
		t.Error(err)
	}
}

func TestCheckPictures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "README.md")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.ErrorSays(t, CheckPictures(""), "name a folder")
	testkit.ErrorSays(t, CheckPictures(file), "is not a folder")
	testkit.ErrorSays(t, CheckPictures(filepath.Join(file, "below")), "--pictures")
	for _, good := range []string{dir, filepath.Join(dir, "new", "below")} {
		if err := CheckPictures(good); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the check leaves %v: %v", entries, err)
	}
}

func TestSaveKeepsTheOldBaseline(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	if err := (Result{}).Save(filepath.Join(dir, "x.json"), t.TempDir()); err == nil {
		t.Error("saved in a folder that does not exist")
	}
}

// FuzzBaseline: whatever a file holds, a program is unpacked only if the seal is right.
func FuzzBaseline(f *testing.F) {
	key := bytes.Repeat([]byte{1}, sealKeyBytes)
	good := savedBaseline{Format: baselineFormat, System: "linux/amd64", Result: json.RawMessage("{}")}
	program, err := compress([]byte("program"))
	if err != nil {
		f.Fatal(err)
	}
	good.Functions = []savedFunction{{Name: "f", Arch: "arm64", Zip: 1, Bootstrap: 2, Program: program}}
	if good.Seal, err = good.sealWith(key); err != nil {
		f.Fatal(err)
	}
	data, err := json.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":1,"functions":[{"name":"f","zipBytes":1,"bootstrapBytes":2,"program":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		baseline, err := parseBaseline(text, key)
		if err != nil {
			return
		}
		for _, function := range baseline.saved.Functions {
			if function.Program != nil && !bytes.Equal(function.Program, []byte("program")) {
				t.Errorf("unpacked %q", function.Program)
			}
			if !quotas.IsName(function.Name) {
				t.Errorf("took the name %q", function.Name)
			}
		}
	})
}
