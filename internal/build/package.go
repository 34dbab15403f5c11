package build

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/project"
	"github.com/golam-cli/golam/internal/quotas"
)

// file is one file of a package. It is read when it is needed, and not kept in memory: packages may be large, and many.
type file struct {
	path string // in the package: relative, slash separated
	root string // no file outside of this folder is read, whatever links there are
	name string // relative to root, slash separated
	size int64
	// executable files have mode 0755, others 0644: Lambda reads them as another user than their owner.
	executable bool
}

func (f file) open() (*os.File, error) {
	return os.OpenInRoot(f.root, filepath.FromSlash(f.name))
}

func (f file) mode() fs.FileMode {
	if f.executable {
		return 0o755
	}
	return 0o644
}

// newBootstrap is what Lambda starts, from a file in a folder.
func newBootstrap(folder, name string, size int64) file {
	return file{path: bootstrapName, root: folder, name: name, size: size, executable: true}
}

const bootstrapName = "bootstrap"

// epoch is the time of every file in a package: the earliest that the format knows.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// packLevel is the compressor's. Level 9 takes five times as long, for 0.4% fewer bytes.
const packLevel = 8

// pack writes a zip file that depends only on the files' paths and contents and on which are executable. They are sorted and have one time.
// The compressor is a library's and not the one of Go's own, so that the same golam makes the same package whichever Go it was built with.
func pack(w io.Writer, slots slots, files []file) error {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.path, b.path) })
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return &deflater{w: w, slots: slots}, nil })
	for _, file := range sorted {
		header := &zip.FileHeader{Name: file.path, Method: zip.Deflate, Modified: epoch}
		header.SetMode(file.mode())
		entry, err := archive.CreateHeader(header)
		if err == nil {
			err = file.copyTo(entry)
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", file.path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}

func (f file) copyTo(w io.Writer) error {
	opened, err := f.open()
	if err != nil {
		return err
	}
	defer opened.Close()
	_, err = io.Copy(w, opened)
	return err
}

// sum is the SHA-256 of the content, in hexadecimal.
func (f file) sum() (string, error) {
	h := sha256.New()
	err := f.copyTo(h)
	return hex.EncodeToString(h.Sum(nil)), err
}

// packed lists the paths in a zip file. It is empty for anything else.
func packed(archive io.ReaderAt, size int64) []string {
	reader, err := zip.NewReader(archive, size)
	if err != nil {
		return nil
	}
	var paths []string
	for _, file := range reader.File {
		paths = append(paths, file.Name)
	}
	return paths
}

// readIncludes finds files and folders of the project that are to be in every package, at the path that they have in the project. None
// can lead out of the project, be it by its name or by a symbolic link. Errors are a [misuse.Error] or what the machine says.
func readIncludes(root string, names []string) ([]file, error) {
	return include("--include", root, ".", names)
}

// included are the files that golam.yaml adds to the function's package, at the path that they have beside it.
func included(root string, function project.Function) ([]file, error) {
	return include("include of "+function.Name+" in "+generator.ProjectFile, root, function.Path, function.Include)
}

// include finds files and folders below a folder of the project. What names the option in errors.
func include(what, root, below string, names []string) ([]file, error) {
	if len(names) == 0 {
		return nil, nil
	}
	confined, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("include files: %w", err)
	}
	defer confined.Close()
	in := includes{what: what, root: confined, below: below, found: map[string]file{}}
	for _, name := range names {
		if err := in.add(name); err != nil {
			return nil, err
		}
	}
	return slices.SortedFunc(maps.Values(in.found), func(a, b file) int { return strings.Compare(a.path, b.path) }), nil
}

type includes struct {
	what  string
	root  *os.Root
	below string
	found map[string]file // by path in the package
	total int64
}

func (in *includes) add(name string) error {
	clean := path.Clean(filepath.ToSlash(name))
	top, _, _ := strings.Cut(clean, "/")
	switch {
	case !filepath.IsLocal(name) || clean == ".":
		return misuse.New("%s %q: name a file or a folder in the project, relative to its go.mod", in.what, name)
	case in.below == "." && strings.EqualFold(top, distFolder):
		return misuse.New("%s %q: %s is where packages go", in.what, name, distFolder)
	}
	return fs.WalkDir(in.root.FS(), path.Join(in.below, clean), func(found string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			err = in.read(found)
		}
		var misused *misuse.Error
		if err != nil && !errors.As(err, &misused) {
			return misuse.New("%s %q: %v", in.what, name, err)
		}
		return err
	})
}

// read follows symbolic links within the project to files.
func (in *includes) read(name string) error {
	to := name
	if in.below != "." {
		to = strings.TrimPrefix(name, in.below+"/")
	}
	if strings.EqualFold(to, bootstrapName) || strings.HasPrefix(strings.ToLower(to), bootstrapName+"/") {
		return misuse.New("%s: %s would take the place of the function's own %s: call it something else", in.what, name, bootstrapName)
	}
	// Opening waits for a pipe's other end, so it is looked at first.
	info, err := in.root.Stat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return misuse.New("%s: %s is neither a file nor a folder nor a link to a file: leave it out", in.what, name)
	}
	if _, twice := in.found[to]; twice {
		return nil
	}
	if in.total += info.Size(); in.total > quotas.MaxUnzipped {
		return misuse.New("%s: the files have more than the %d MB that Lambda takes: leave some out", in.what, quotas.MaxUnzipped>>20)
	}
	opened, err := in.root.Open(name)
	if err != nil {
		return err
	}
	in.found[to] = file{path: to, root: in.root.Name(), name: name, size: info.Size(), executable: info.Mode()&0o100 != 0}
	return opened.Close()
}
