package merge

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// maxMerged is the size in bytes above which a file is not read. golam renders nothing that is nearly as large, so it is edited.
const maxMerged = 16 << 20

// folder reads a project's folder, and lists each folder in it once. Names are compared as they are listed, so that a file system that ignores
// case gives the same answers as one that does not.
type folder struct {
	fs.FS
	noModes bool
	lists   map[string]map[string]fs.DirEntry
	read    map[string]thing
}

func newFolder(fsys fs.FS, noModes bool) *folder {
	return &folder{FS: fsys, noModes: noModes, lists: map[string]map[string]fs.DirEntry{}, read: map[string]thing{}}
}

// thing is what a folder has at a path.
type thing struct {
	kind kind
	// file is set if kind is isFile. Its content is missing if it is too large.
	file  generator.File
	large bool
	// noMode is set if nobody knows whether the file is executable.
	noMode bool
	// at is the path that blocks this one if kind is isBlocked, or the path that differs only in case. Otherwise it is empty.
	at string
}

// kind says what there is at a path.
type kind int

const (
	isAbsent kind = iota
	isFile
	isFolder
	isOther   // a symbolic link, a named pipe, ...
	isBlocked // something above it is no folder
)

func (t thing) String() string {
	switch t.kind {
	case isFolder:
		return "a folder"
	case isOther:
		return "neither a file nor a folder"
	case isBlocked:
		return "not there, because " + t.at + " is not a folder"
	}
	return "a file"
}

// look says what there is at a path, and reads files.
func (f *folder) look(name string) (thing, error) {
	if found, known := f.read[name]; known {
		return found, nil
	}
	found, err := f.find(name)
	if err == nil && found.kind == isFile {
		found, err = f.open(name)
	}
	if err == nil {
		f.read[name] = found
	}
	return found, err
}

// find is look without reading.
func (f *folder) find(name string) (thing, error) {
	dir := path.Dir(name)
	if dir != "." {
		above, err := f.find(dir)
		switch {
		case err != nil || above.kind == isBlocked:
			return above, err
		case above.kind == isAbsent && above.at != "":
			return thing{at: above.at + "/" + path.Base(name)}, nil
		case above.kind == isAbsent:
			return above, nil
		case above.kind != isFolder:
			return thing{kind: isBlocked, at: dir}, nil
		}
	}
	list, err := f.list(dir)
	if err != nil {
		return thing{}, err
	}
	entry, found := list[path.Base(name)]
	switch {
	case !found:
		return thing{at: twin(list, name)}, nil
	case entry.IsDir():
		return thing{kind: isFolder}, nil
	case entry.Type().IsRegular():
		return thing{kind: isFile}, nil
	}
	return thing{kind: isOther}, nil
}

// twin is the path in a listed folder that differs from name only in case.
func twin(list map[string]fs.DirEntry, name string) string {
	for _, other := range slices.Sorted(maps.Keys(list)) {
		if strings.EqualFold(other, path.Base(name)) {
			return path.Join(path.Dir(name), other)
		}
	}
	return ""
}

func (f *folder) list(dir string) (map[string]fs.DirEntry, error) {
	if list, known := f.lists[dir]; known {
		return list, nil
	}
	entries, err := fs.ReadDir(f.FS, dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	list := make(map[string]fs.DirEntry, len(entries))
	for _, entry := range entries {
		list[entry.Name()] = entry
	}
	f.lists[dir] = list
	return list, nil
}

// open reads a file that is listed.
func (f *folder) open(name string) (thing, error) {
	info, err := f.lists[path.Dir(name)][path.Base(name)].Info()
	if err != nil {
		return thing{}, fmt.Errorf("look at %s: %w", name, err)
	}
	const ownersX = 0o100 // what git looks at
	found := thing{kind: isFile, file: generator.File{Path: name, Executable: info.Mode()&ownersX != 0}, noMode: f.noModes}
	if info.Size() > maxMerged {
		found.large = true
		return found, nil
	}
	if found.file.Content, err = fs.ReadFile(f.FS, name); err != nil {
		return thing{}, fmt.Errorf("read %s: %w", name, err)
	}
	return found, nil
}

// empties reports whether a folder has nothing left when some files are removed.
func (f *folder) empties(dir string, removed map[string]bool) (bool, error) {
	list, err := f.list(dir)
	if err != nil {
		return false, err
	}
	for name, entry := range list {
		name = path.Join(dir, name)
		gone := removed[name]
		if entry.IsDir() {
			if gone, err = f.empties(name, removed); err != nil {
				return false, err
			}
		}
		if !gone {
			return false, nil
		}
	}
	return true, nil
}

// holds reports whether the thing is the file that golam rendered. Git may have converted the line ends.
func (t thing) holds(entry BaseEntry) bool {
	return t.kind == isFile && (t.noMode || t.file.Executable == entry.executable()) && t.hasContent(entry.Blob)
}

func (t thing) hasContent(blob string) bool {
	if t.kind != isFile || t.large {
		return false
	}
	return t.file.BlobID() == blob || t.crlf() && generator.File{Content: toLF(t.file.Content)}.BlobID() == blob
}

// crlf reports whether every line ends in CR LF. A file with both kinds of ends was edited.
func (t thing) crlf() bool { return isCRLF(t.file.Content) }

func isCRLF(text []byte) bool {
	ends := bytes.Count(text, []byte("\n"))
	return ends > 0 && ends == bytes.Count(text, []byte("\r\n")) && !bytes.Contains(text, []byte("\r\r\n"))
}

func toLF(text []byte) []byte   { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
func toCRLF(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }

// isBinary tells text from what has no lines, as git does, but looks at all of it.
func isBinary(content []byte) bool { return bytes.IndexByte(content, 0) >= 0 }
