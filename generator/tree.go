package generator

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git's object id, not a signature
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// File is one rendered file of a project.
type File struct {
	// Path is relative to the project's folder, slash separated and clean ("cmd/api/main.go").
	Path string
	// Content is what the file holds, byte for byte, on every platform.
	Content []byte
	// Executable files get mode 0755, all others 0644.
	Executable bool
	// Open, if not nil, opens the content, of Size bytes, of a file that is too large to be kept in memory. Content is nil then.
	Open func() (io.ReadCloser, error)
	Size int64
}

// size is that of the content.
func (f File) size() int64 {
	if f.Open != nil {
		return f.Size
	}
	return int64(len(f.Content))
}

// reader reads the content.
func (f File) reader() (io.ReadCloser, error) {
	if f.Open != nil {
		return f.Open()
	}
	return io.NopCloser(bytes.NewReader(f.Content)), nil
}

// Mode is the permission that the file is written with.
func (f File) Mode() fs.FileMode {
	if f.Executable {
		return 0o755
	}
	return 0o644
}

// GitMode is the mode that git records for the file: "100755" or "100644".
func (f File) GitMode() string {
	if f.Executable {
		return "100755"
	}
	return "100644"
}

// BlobID is the id that git gives to the content (the SHA-1 of "blob <size>\0<content>", git-hash-object(1)).
func (f File) BlobID() string {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "blob %d\x00", len(f.Content))
	h.Write(f.Content)
	return hex.EncodeToString(h.Sum(nil))
}

// Tree is a whole rendered project: its files sorted by path, each path once.
type Tree []File

// NewTree sorts files and checks that they can stand beside each other: every path is local and clean, none occurs twice, none is
// the folder of another.
func NewTree(files []File) (Tree, error) {
	tree := slices.Clone(files)
	slices.SortFunc(tree, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	seen := make(map[string]bool, len(tree))
	for _, file := range tree {
		if !fs.ValidPath(file.Path) || file.Path == "." || strings.Contains(file.Path, `\`) {
			return nil, fmt.Errorf("path %q is not a clean relative path", file.Path)
		}
		if seen[file.Path] {
			return nil, fmt.Errorf("two files want the path %s", file.Path)
		}
		seen[file.Path] = true
	}
	for _, file := range tree {
		for dir := path.Dir(file.Path); dir != "."; dir = path.Dir(dir) {
			if seen[dir] {
				return nil, fmt.Errorf("%s is a file, and %s wants it to be a folder", dir, file.Path)
			}
		}
	}
	return tree, nil
}

// Lookup returns the file at path.
func (t Tree) Lookup(path string) (File, bool) {
	i, found := slices.BinarySearchFunc(t, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !found {
		return File{}, false
	}
	return t[i], true
}
