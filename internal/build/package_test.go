package build

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/testkit"
)

// filesOf writes the files of a package.
func filesOf(t *testing.T, contents map[string]string) (files []file) {
	t.Helper()
	root := testkit.Folder(t, contents)
	for name, content := range contents {
		files = append(files, file{path: name, root: root, name: name, size: int64(len(content)), executable: name == bootstrapName})
	}
	return files
}

func packAll(t *testing.T, files []file) []byte {
	t.Helper()
	var archive bytes.Buffer
	if err := pack(&archive, newSlots(), files); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func TestPack(t *testing.T) {
	contents := map[string]string{"z/last.txt": "z", "bootstrap": strings.Repeat("code", 1000), "a.txt": ""}
	files := filesOf(t, contents)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(b.path, a.path) })
	first := packAll(t, files)
	slices.Reverse(files)
	second := packAll(t, files)
	if !bytes.Equal(first, second) {
		t.Error("the order of the files makes a difference")
	}
	if files[0].path != "a.txt" {
		t.Error("the caller's files are sorted")
	}
	reader, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range reader.File {
		names = append(names, entry.Name)
		mode := map[bool]os.FileMode{true: 0o755, false: 0o644}[entry.Name == "bootstrap"]
		if entry.Mode() != mode || !entry.Modified.Equal(epoch) || entry.Method != zip.Deflate {
			t.Errorf("%s: mode %v, time %v, method %d", entry.Name, entry.Mode(), entry.Modified, entry.Method)
		}
		content, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(content) // checks the CRC, too
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != contents[entry.Name] {
			t.Errorf("%s has other content", entry.Name)
		}
	}
	if want := []string{"a.txt", "bootstrap", "z/last.txt"}; !slices.Equal(names, want) {
		t.Errorf("entries %q, want %q", names, want)
	}
	if got := packed(bytes.NewReader(first), int64(len(first))); !slices.Equal(got, names) {
		t.Errorf("packed gives %q", got)
	}
}

// FuzzPack unpacks what was packed.
func FuzzPack(f *testing.F) {
	f.Add([]byte("binary"), "a/b.txt", []byte("text"))
	f.Fuzz(func(t *testing.T, binary []byte, name string, content []byte) {
		all := filesOf(t, map[string]string{"bootstrap": string(binary), "other": string(content)})
		for i := range all {
			if all[i].path == "other" {
				all[i].path = name
			}
		}
		var packed bytes.Buffer
		if pack(&packed, newSlots(), all) != nil {
			return
		}
		archive := packed.Bytes()
		reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(reader.File, func(f *zip.File) bool { return f.Name == "bootstrap" })
		opened, err := reader.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(opened); err != nil || name != "bootstrap" && !bytes.Equal(got, binary) {
			t.Fatalf("%d bytes come back as %d, %v", len(binary), len(got), err)
		}
	})
}

func FuzzPacked(f *testing.F) {
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	if _, err := writer.Create("bootstrap"); err != nil {
		f.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(archive.Bytes())
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(_ *testing.T, archive []byte) { packed(bytes.NewReader(archive), int64(len(archive))) })
}

func TestReadIncludes(t *testing.T) {
	outside := testkit.Folder(t, map[string]string{"secret.txt": "secret"})
	root := testkit.Folder(t, map[string]string{
		"config/rules.json": "{}", "config/.hidden": "h", "config/deep/x.txt": "x", "one.txt": "1", "dist/a.zip": "", "bootstrap": "b",
		"folder/bootstrap": "inside",
	})
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("one.txt", "link.txt")
	link(filepath.Join(outside, "secret.txt"), "out.txt")
	link(outside, "outdir")
	link("../../../../../../../../etc/passwd", "dotdot")
	link("nowhere", "dangling")
	link("self", "self")
	if err := os.Mkdir(filepath.Join(root, "loops"), 0o755); err != nil {
		t.Fatal(err)
	}
	link("..", "loops/up")
	if err := os.Mkdir(filepath.Join(root, "linked"), 0o755); err != nil {
		t.Fatal(err)
	}
	link("../config/rules.json", "linked/rules.json")

	tests := map[string]struct {
		include []string
		want    map[string]string
		err     string
	}{
		"nothing":                {},
		"a file":                 {include: []string{"one.txt"}, want: map[string]string{"one.txt": "1"}},
		"a folder":               {include: []string{"config/"}, want: map[string]string{"config/rules.json": "{}", "config/.hidden": "h", "config/deep/x.txt": "x"}},
		"twice":                  {include: []string{"one.txt", "./one.txt", "config/deep"}, want: map[string]string{"one.txt": "1", "config/deep/x.txt": "x"}},
		"a link to a file":       {include: []string{"link.txt"}, want: map[string]string{"link.txt": "1"}},
		"a link within a folder": {include: []string{"linked"}, want: map[string]string{"linked/rules.json": "{}"}},
		"another bootstrap":      {include: []string{"folder"}, want: map[string]string{"folder/bootstrap": "inside"}},
		"an absolute path":       {include: []string{filepath.Join(outside, "secret.txt")}, err: "in the project"},
		"up":                     {include: []string{"../x"}, err: "in the project"},
		"up and down":            {include: []string{"config/../../x"}, err: "in the project"},
		"everything":             {include: []string{"."}, err: "in the project"},
		"nothing by name":        {include: []string{""}, err: "in the project"},
		"what was built":         {include: []string{"dist/a.zip"}, err: "where packages go"},
		"the folder of it":       {include: []string{"DIST"}, err: "where packages go"},
		"no such file":           {include: []string{"absent"}, err: "absent"},
		"a link out":             {include: []string{"out.txt"}, err: "out.txt"},
		"a folder out":           {include: []string{"outdir"}, err: "outdir"},
		"through a folder out":   {include: []string{"outdir/secret.txt"}, err: "outdir"},
		"a relative link out":    {include: []string{"dotdot"}, err: "dotdot"},
		"a link to nothing":      {include: []string{"dangling"}, err: "dangling"},
		"a link to itself":       {include: []string{"self"}, err: "self"},
		"a link to a folder":     {include: []string{"loops"}, err: "loops/up is neither a file nor a folder"},
		"the bootstrap":          {include: []string{"bootstrap"}, err: "call it something else"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files, err := readIncludes(root, test.include)
			if test.err != "" {
				var misused *misuse.Error
				if !errors.As(err, &misused) {
					t.Errorf("error %v is no misuse", err)
				}
				testkit.ErrorSays(t, err, test.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]string
			for _, file := range files {
				if got == nil {
					got = map[string]string{}
				}
				content, err := os.ReadFile(filepath.Join(file.root, file.name))
				if err != nil {
					t.Fatal(err)
				}
				got[file.path] = string(content)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIncludeLimit(t *testing.T) {
	root := testkit.Folder(t, nil)
	for _, name := range []string{"a", "b"} {
		file, err := os.Create(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Truncate(quotas.MaxUnzipped), file.Close()); err != nil { // sparse
			t.Fatal(err)
		}
	}
	_, err := readIncludes(root, []string{"b/../missing", "a"})
	testkit.ErrorSays(t, err, "missing")
	in := includes{what: "--include", below: ".", found: map[string]file{}, total: 1}
	if in.root, err = os.OpenRoot(root); err != nil {
		t.Fatal(err)
	}
	defer in.root.Close()
	testkit.ErrorSays(t, in.add("a"), "250 MB")
}

func TestCheckLimits(t *testing.T) {
	large := packaged{function: Function{Name: "fn"}, binary: newBootstrap("", "", quotas.MaxUnzipped)}
	if err := checkLimits([]packaged{large}); err != nil {
		t.Error(err)
	}
	large.included = append(large.included, file{path: "more", size: 1})
	testkit.ErrorSays(t, checkLimits([]packaged{large}), "fn", "262144001", "262144000")
}

func TestModules(t *testing.T) {
	if got := owner(map[string]*Module{"a.com/x": {}, "a.com/x/y": {}, "gopkg.in/yaml.v3": {}, "m": {}}, "a.com/x/y/z"); got != "a.com/x/y" {
		t.Errorf("the longest path: %s", got)
	}
	for pkg, want := range map[string]string{
		"a.com/x": "a.com/x", "a.com/xy": "std/a.com", "gopkg.in/yaml%2ev3": "gopkg.in/yaml.v3", "": "std/other", "runtime": "std/runtime",
		"net/http": "std/net", "vendor/golang.org/x/net/idna": "std/net", "internal/poll": "std/internal",
	} {
		if got := owner(map[string]*Module{"a.com/x": {}, "gopkg.in/yaml.v3": {}}, pkg); got != want {
			t.Errorf("%q belongs to %s, want %s", pkg, got, want)
		}
	}
	for name, binary := range map[string][]byte{"nothing": nil, "a script": []byte("#!/bin/sh\n"), "an ELF header": []byte("\x7fELF" + strings.Repeat("\x00", 60))} {
		if found, err := modules(bytes.NewReader(binary)); err == nil {
			t.Errorf("%s has modules %v", name, found)
		}
	}
}

// TestModulesOfAnUnknownForm changes the mark of the functions' table, as a later Go may.
func TestModulesOfAnUnknownForm(t *testing.T) {
	root := testkit.Folder(t, tiny())
	path := filepath.Join(root, mustBuild(t, Options{Dir: root}).Functions[0].Bootstrap.Path)
	binary := []byte(testkit.Read(t, path))
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	binary[file.Section(".gopclntab").Offset] = 0
	found, err := modules(bytes.NewReader(binary))
	testkit.ErrorSays(t, err, "form that this golam does not know")
	if found != nil {
		t.Errorf("modules %v", found)
	}
}

// TestBuildInfo compares buildInfo with the standard library, and damages what it reads.
func TestBuildInfo(t *testing.T) {
	files := tiny()
	files["go.mod"] += "\nrequire example.com/other v1.2.3\n\nreplace example.com/other => ./other\n"
	files["other/go.mod"], files["other/other.go"] = "module example.com/other\n", "package other\n"
	files["text/more.go"] = "package text\n\nimport _ \"example.com/other\"\n"
	root := testkit.Folder(t, files)
	executable := []byte(testkit.Read(t, filepath.Join(root, mustBuild(t, Options{Dir: root}).Functions[0].Bootstrap.Path)))
	got, err := buildInfo(bytes.NewReader(executable))
	if err != nil {
		t.Fatal(err)
	}
	want, err := buildinfo.Read(bytes.NewReader(executable))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.Deps) != 1 || got.Deps[0].Replace == nil {
		t.Errorf("build information (-standard library +golam):\n%s", diff)
	}
	file, err := elf.NewFile(bytes.NewReader(executable))
	if err != nil {
		t.Fatal(err)
	}
	section := file.Section(".go.buildinfo")
	for name, damage := range map[string]struct {
		offset int
		value  byte
		says   string
	}{
		"no magic":            {0, 0, "form that this golam does not know"},
		"the form of Go 1.17": {15, 0, "form that this golam does not know"},
		"too long a version":  {32, 0xff, "cut off"},
		"no text":             {33 + len(got.GoVersion), 0, "cut off"},
	} {
		damaged := bytes.Clone(executable)
		damaged[int(section.Offset)+damage.offset] = damage.value
		if found, err := buildInfo(bytes.NewReader(damaged)); err == nil || !strings.Contains(err.Error(), damage.says) {
			t.Errorf("%s: %v, %v; want an error that says %q", name, found, err, damage.says)
		}
	}
}
