package merge

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// BaseFile is the file of a project that holds what golam rendered last, compressed. golam.lock says which paths there are; this has their
// contents, so that a merge needs neither git's history, nor the network, nor the golam of that time.
const BaseFile = "golam.base"

// Limits of a base file, which may come from anywhere. The largest project of today has 135 files, 0.6 MB and a base file of 0.2 MB.
const (
	MaxBase      = 8 << 20 // compressed
	maxUnpacked  = 32 << 20
	maxBaseFiles = 10_000
)

// Base is what golam made last time, by path.
type Base map[string]BaseEntry

// BaseEntry is one file as golam rendered it.
type BaseEntry struct {
	// Mode and Blob are git's mode and the id that git gives to the content.
	Mode, Blob string
	// Content is known only if Known is set. It is unknown in projects of before there was a base file, and for what needs none.
	Content []byte
	Known   bool
	// Retired is set for a file that golam no longer makes, and that is still there because its owner edited it. Should golam make the file again, this
	// is what to compare it with.
	Retired bool
}

// NewBase is the base of a project that was just rendered.
func NewBase(tree generator.Tree) Base {
	base := Base{}
	for _, file := range tree {
		if file.Path != generator.LockFile && file.Path != BaseFile {
			base[file.Path] = newEntry(file)
		}
	}
	return base
}

func newEntry(file generator.File) BaseEntry {
	return BaseEntry{Mode: file.GitMode(), Blob: file.BlobID(), Content: file.Content, Known: true}
}

// file is the entry as a file.
func (e BaseEntry) file(name string) generator.File {
	return generator.File{Path: name, Content: e.Content, Executable: e.executable()}
}

func (e BaseEntry) executable() bool { return e.Mode == generator.File{Executable: true}.GitMode() }

// isStored reports whether the content of a file belongs in the base file. A go.sum is merged without one, and its hashes do not compress.
func isStored(name string) bool { return path.Base(name) != goSum }

// ReadBase reads golam.lock and golam.base. Stored is nil if the project has no golam.base. The content of a file whose id is not that of golam.lock
// counts as unknown, as it does after a git merge of branches that both ran an update.
func ReadBase(lock, stored []byte) (Base, error) {
	locked, err := generator.ParseLock(lock)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", generator.LockFile, err)
	}
	base := Base{}
	for name, file := range locked {
		base[name] = BaseEntry{Mode: file.Mode, Blob: file.Blob}
	}
	if stored == nil {
		return base, nil
	}
	files, err := unpack(stored)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: take it from your last commit, or remove it to merge without it", BaseFile, err)
	}
	for _, file := range files {
		entry, inLock := base[file.Path]
		switch {
		case !inLock:
			entry = newEntry(file)
			entry.Retired = true
		case entry.Blob == file.BlobID():
			entry.Content, entry.Known = file.Content, true
		}
		base[file.Path] = entry
	}
	return base, nil
}

// magic is the first line of an unpacked base file, with the number of its format.
const magic = "golam base 1\n"

// Pack writes a base file: for each file a line with mode, size and path, then the content and a newline. Each file is compressed by itself, as a member
// of gzip, so that git stores little for a base file in which few files changed. The same base gives the same bytes with one version of Go's
// compress/gzip; another may compress better. So compare base files by what [ReadBase] returns.
func (b Base) Pack() ([]byte, error) {
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, member := range b.members() {
		zip.Reset(&packed)
		_, err := zip.Write(member)
		if err = errors.Join(err, zip.Close()); err != nil {
			return nil, err
		}
	}
	return packed.Bytes(), nil
}

// members are the parts of a base file before they are compressed.
func (b Base) members() [][]byte {
	members := [][]byte{[]byte(magic)}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if entry := b[name]; entry.Known && isStored(name) {
			members = append(members, fmt.Appendf(nil, "%s %d %s\n%s\n", entry.Mode, len(entry.Content), name, entry.Content))
		}
	}
	return members
}

// equal reports whether two bases have the same base file.
func (b Base) equal(other Base) bool {
	return slices.EqualFunc(b.members(), other.members(), bytes.Equal)
}

// unpack reads a base file, and is strict, because nobody edits one by hand.
func unpack(packed []byte) ([]generator.File, error) {
	if len(packed) > MaxBase {
		return nil, fmt.Errorf("it has more than %d bytes", MaxBase)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: zip, N: maxUnpacked + 1}
	in := bufio.NewReader(limited)
	var files []generator.File
	if line, err := in.ReadString('\n'); err != nil || line != magic {
		return nil, errors.Join(fmt.Errorf("it does not begin with %q", magic[:len(magic)-1]), err)
	}
	for {
		file, err := unpackFile(in)
		if limited.N == 0 {
			return nil, fmt.Errorf("it unpacks to more than %d bytes", maxUnpacked)
		}
		if err == io.EOF { //nolint:errorlint // what wraps it is an error
			return files, nil
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("file %d: %w", len(files)+1, err)
		case len(files) > 0 && files[len(files)-1].Path >= file.Path:
			return nil, fmt.Errorf("file %d is not in order", len(files)+1)
		case len(files) == maxBaseFiles:
			return nil, fmt.Errorf("it has more than %d files", maxBaseFiles)
		}
		files = append(files, file)
	}
}

// unpackFile reads one file. The error is [io.EOF] if there is none.
func unpackFile(in *bufio.Reader) (generator.File, error) {
	line, err := in.ReadString('\n')
	switch {
	case err != nil && line != "":
		return generator.File{}, errors.Join(io.ErrUnexpectedEOF, notEOF(err))
	case err != nil:
		return generator.File{}, err
	}
	mode, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	digits, name, _ := strings.Cut(rest, " ")
	size, err := strconv.ParseUint(digits, 10, 32)
	file := generator.File{Path: name, Executable: mode == generator.File{Executable: true}.GitMode()}
	if err != nil || file.GitMode() != mode || strconv.FormatUint(size, 10) != digits {
		return generator.File{}, errors.New("it does not begin with a mode, a size and a path")
	}
	if !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`) {
		return generator.File{}, errors.New("its path is not in the project")
	}
	var content bytes.Buffer
	copied, err := io.CopyN(&content, in, int64(size)+1)
	if copied <= int64(size) {
		return generator.File{}, errors.Join(io.ErrUnexpectedEOF, notEOF(err))
	}
	if content.Bytes()[size] != '\n' {
		return generator.File{}, errors.New("its size is wrong")
	}
	file.Content = content.Bytes()[:size]
	return file, nil
}

// notEOF is an error that is more than the end of a file.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
