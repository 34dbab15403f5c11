package build

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pipePatience is how long a go command may take before golam looks for what it may be waiting for.
const pipePatience = 2 * time.Second

// goFiles are the extensions and names of the files that the go command opens wherever it finds them.
var (
	goExtensions = []string{".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90", ".s", ".S", ".sx", ".swig", ".swigcxx", ".syso"}
	goNames      = []string{"go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt"}
)

// findPipe looks for a source file below a folder that is no file, but a named pipe, say. The go command waits for such a pipe for ever. It
// gives nil if there is none.
func findPipe(root string) error {
	var found error
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what cannot be read is not waited for
		}
		if entry.IsDir() {
			if name := entry.Name(); path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
				return fs.SkipDir // as go list ./... does
			}
			return nil
		}
		if entry.Type().IsRegular() || !slices.Contains(goExtensions, filepath.Ext(path)) && !slices.Contains(goNames, entry.Name()) {
			return nil
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			found = fmt.Errorf("%s is not a file but a pipe or a device, and the go command waits for it: remove it", path)
			return fs.SkipAll
		}
		return nil
	})
	return found
}
