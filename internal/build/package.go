package build

import (
	"archive/zip"
	"bytes"
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

	"github.com/klauspost/compress/flate"
)

// Limits of a package, in bytes (Lambda Developer Guide, "Lambda quotas": 50 MB zipped for a direct upload, 250 MB unzipped).
const (
	ZippedLimit   = 50 << 20
	UnzippedLimit = 250 << 20
)

// file is one file of a package.
type file struct {
	path    string // relative, slash separated
	content []byte
	// executable files have mode 0755, others 0644: Lambda reads them as another user than their owner.
	executable bool
}

func (f file) mode() fs.FileMode {
	if f.executable {
		return 0o755
	}
	return 0o644
}

// newBootstrap is what Lambda starts.
func newBootstrap(binary []byte) file { return file{bootstrapName, binary, true} }

const bootstrapName = "bootstrap"

// epoch is the time of every file in a package: the earliest that the format knows.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// pack makes a zip file that depends only on the files' paths and contents and on which are executable. They are sorted and have one time. The compressor is a
// library's and not the one of Go's own, so that the same golam makes the same package whichever Go it was built with.
func pack(files []file) ([]byte, error) {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.path, b.path) })
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, file := range sorted {
		header := &zip.FileHeader{Name: file.path, Method: zip.Deflate, Modified: epoch}
		header.SetMode(file.mode())
		entry, err := archive.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(file.content)
		}
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", file.path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return packed.Bytes(), nil
}

// packed lists the paths in a zip file. It is empty for anything else.
func packed(archive []byte) []string {
	reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil
	}
	var paths []string
	for _, file := range reader.File {
		paths = append(paths, file.Name)
	}
	return paths
}

// readIncludes reads files and folders of the project that are to be in every package, at the path that they have in the project. None
// can lead out of the project, be it by its name or by a symbolic link. Errors are a [MisuseError] or what the machine says.
func readIncludes(root string, names []string) ([]file, error) {
	if len(names) == 0 {
		return nil, nil
	}
	confined, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("include files: %w", err)
	}
	defer confined.Close()
	in := includes{root: confined, files: map[string]file{}}
	for _, name := range names {
		if err := in.add(name); err != nil {
			return nil, err
		}
	}
	return slices.Collect(maps.Values(in.files)), nil
}

type includes struct {
	root  *os.Root
	files map[string]file
	total int64
}

func (in *includes) add(name string) error {
	clean := path.Clean(filepath.ToSlash(name))
	top, _, _ := strings.Cut(clean, "/")
	switch {
	case !filepath.IsLocal(name) || clean == ".":
		return misuse("--include %q: name a file or a folder in the project, relative to its go.mod", name)
	case strings.EqualFold(top, distFolder):
		return misuse("--include %q: %s is where packages go", name, distFolder)
	}
	return fs.WalkDir(in.root.FS(), clean, func(found string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			err = in.read(found)
		}
		var misused *MisuseError
		if err != nil && !errors.As(err, &misused) {
			return misuse("--include %q: %v", name, err)
		}
		return err
	})
}

// read follows symbolic links within the project to files.
func (in *includes) read(name string) error {
	if strings.EqualFold(name, bootstrapName) || strings.HasPrefix(strings.ToLower(name), bootstrapName+"/") {
		return misuse("--include: %s would take the place of the function's own %s: call it something else", name, bootstrapName)
	}
	// Opening waits for a pipe's other end, so it is looked at first.
	info, err := in.root.Stat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return misuse("--include: %s is neither a file nor a folder nor a link to a file: leave it out", name)
	}
	if in.total += info.Size(); in.total > UnzippedLimit {
		return misuse("--include: the files have more than the %d MB that Lambda takes: leave some out", UnzippedLimit>>20)
	}
	content, err := in.root.ReadFile(name)
	in.files[name] = file{name, content, info.Mode()&0o100 != 0}
	return err
}
