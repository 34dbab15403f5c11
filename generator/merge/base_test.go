package merge

import (
	"bytes"
	"compress/gzip"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
)

// tree makes a target of files, with their golam.lock. A path that ends in * is executable.
func tree(t testing.TB, files map[string]string) generator.Tree {
	t.Helper()
	var list []generator.File
	for name, content := range files {
		path, executable := strings.CutSuffix(name, "*")
		list = append(list, generator.File{Path: path, Content: []byte(content), Executable: executable})
	}
	list = append(list, generator.File{Path: generator.LockFile, Content: lockOf(list)})
	tree, err := generator.NewTree(list)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func lockOf(files []generator.File) []byte {
	lock := []byte("# A comment.\n")
	for _, file := range slices.SortedFunc(slices.Values(files), func(a, b generator.File) int { return strings.Compare(a.Path, b.Path) }) {
		lock = append(lock, file.GitMode()+" "+file.BlobID()+" "+file.Path+"\n"...)
	}
	return lock
}

func TestBaseIsWhatWasPacked(t *testing.T) {
	made := tree(t, map[string]string{"Makefile": "all:\n", "cmd/a/main.go": "package main\n", "run*": "#!/bin/sh\nexit\n", "empty": "", "go.sum": "a v1 h1:x\n", "no-newline": "\n\nx", "picture": "\x00\n\x01"})
	base := NewBase(made)
	packed, err := base.Pack()
	if err != nil {
		t.Fatal(err)
	}
	lock, _ := made.Lookup(generator.LockFile)
	read, err := ReadBase(lock.Content, packed)
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(base)
	sum := want["go.sum"]
	sum.Content, sum.Known = nil, false
	want["go.sum"] = sum
	for name, entry := range want {
		if got := read[name]; got.Mode != entry.Mode || got.Blob != entry.Blob || !bytes.Equal(got.Content, entry.Content) || got.Known != entry.Known || got.Retired {
			t.Errorf("%s: %+v, want %+v", name, got, entry)
		}
	}
	if len(read) != len(want) {
		t.Errorf("%d files, want %d", len(read), len(want))
	}
	again, err := read.Pack()
	if err != nil || !bytes.Equal(again, packed) {
		t.Errorf("packed again it has other bytes (%v)", err)
	}
}

func TestReadBaseTrustsTheLock(t *testing.T) {
	old, made := tree(t, map[string]string{"a": "old\n", "b": "same\n", "gone": "x\n"}), tree(t, map[string]string{"a": "new\n", "b": "same\n", "c": "c\n"})
	packed, err := NewBase(old).Pack()
	if err != nil {
		t.Fatal(err)
	}
	lock, _ := made.Lookup(generator.LockFile)
	base, err := ReadBase(lock.Content, packed)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range slices.Sorted(maps.Keys(base)) {
		entry := base[name]
		got = append(got, name+map[bool]string{true: " known", false: " unknown"}[entry.Known]+map[bool]string{true: " retired"}[entry.Retired])
	}
	if diff := cmp.Diff([]string{"a unknown", "b known", "c unknown", "gone known retired"}, got); diff != "" {
		t.Error(diff)
	}
}

func packText(t testing.TB, text string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestReadBaseRefusesWhatGolamDoesNotWrite(t *testing.T) {
	whole := packText(t, magic+"100644 1 a\nx\n")
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-5] ^= 1
	for name, packed := range map[string][]byte{
		"nothing":             {},
		"no gzip":             []byte(magic),
		"cut off":             whole[:len(whole)-1],
		"a bit turned over":   damaged,
		"something behind it": append(bytes.Clone(whole), 'x'),
		"two in a row":        slices.Concat(whole, whole),
		"another format":      packText(t, "golam base 2\n"),
		"no first line":       packText(t, "golam base 1"),
		"no mode":             packText(t, magic+"100600 1 a\nx\n"),
		"a negative size":     packText(t, magic+"100644 -1 a\nx\n"),
		"a size with a zero":  packText(t, magic+"100644 01 a\nx\n"),
		"too large a size":    packText(t, magic+"100644 4294967296 a\nx\n"),
		"a size past the end": packText(t, magic+"100644 9 a\nx\n"),
		"a size that is less": packText(t, magic+"100644 1 a\nxy\n"),
		"no path":             packText(t, magic+"100644 1\nx\n"),
		"the parent folder":   packText(t, magic+"100644 1 ../a\nx\n"),
		"an absolute path":    packText(t, magic+"100644 1 /a\nx\n"),
		"Windows's separator": packText(t, magic+"100644 1 a\\b\nx\n"),
		"a path twice":        packText(t, magic+"100644 1 a\nx\n100644 1 a\nx\n"),
		"not sorted":          packText(t, magic+"100644 1 b\nx\n100644 1 a\nx\n"),
		"half a line":         packText(t, magic+"100644 1 a"),
		"a bomb":              packText(t, magic+"100644 67108864 a\n"+strings.Repeat("\x00", 64<<20)+"\n"),
		"a long line":         packText(t, magic+strings.Repeat("x", 64<<20)),
		"too large":           make([]byte, MaxBase+1),
	} {
		if base, err := ReadBase(nil, packed); err == nil {
			t.Errorf("%s: no error, but %v", name, base)
		} else if !strings.Contains(err.Error(), "take it from your last commit") {
			t.Errorf("%s: the error does not say what to do: %v", name, err)
		}
	}
}

func FuzzReadBase(f *testing.F) {
	f.Add([]byte(magic + "100644 1 a\nx\n100755 0 b\n\n"))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, text []byte) {
		base, err := ReadBase(nil, packText(t, string(text)))
		if err != nil {
			return
		}
		packed, err := base.Pack()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadBase(nil, packed)
		if err != nil || !again.equal(base) {
			t.Fatalf("what was read is packed differently: %v", err)
		}
	})
}

func FuzzReadPackedBase(f *testing.F) {
	f.Add(packText(f, magic+"100644 1 a\nx\n"))
	f.Fuzz(func(_ *testing.T, packed []byte) {
		_, _ = ReadBase(nil, packed) // must not panic
	})
}
