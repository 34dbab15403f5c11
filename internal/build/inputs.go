package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/golam-cli/golam/generator"
)

// local tells whether a package's files may change: it is neither in the standard library nor in the module cache.
func (l *listing) local(p goPackage) bool {
	return l.moduleCache == "" || !strings.HasPrefix(p.Dir, l.moduleCache+string(filepath.Separator))
}

// inputs returns the files that packages are built from, as sorted absolute paths, without those that never change.
func (l *listing) inputs(packages []goPackage) []string {
	root := l.project.Root
	files := present(root, "go.mod", "go.sum", "vendor/modules.txt", generator.ProjectFile)
	for _, p := range packages {
		if !l.local(p) {
			continue
		}
		for _, names := range [][]string{
			p.GoFiles, p.IgnoredGoFiles, p.IgnoredOtherFiles, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles, p.SFiles, p.SwigFiles,
			p.SwigCXXFiles, p.SysoFiles, p.EmbedFiles,
		} {
			for _, name := range names {
				files = append(files, filepath.Join(p.Dir, name))
			}
		}
		if p.Name == "main" {
			files = append(files, present(p.Dir, "default.pgo")...)
		}
		if p.Module != nil && p.Module.GoMod != "" && !strings.HasPrefix(p.Module.GoMod, l.moduleCache+string(filepath.Separator)) {
			files = append(files, p.Module.GoMod)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// present returns the paths of those files that exist in dir.
func present(dir string, names ...string) []string {
	var paths []string
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			paths = append(paths, path)
		}
	}
	return paths
}

// readAlways is the size in bytes up to which a file is told from what it was by its content. Larger ones, which only embedding brings
// into a build, are told by size and time.
const readAlways = 4 << 20

// sums tells what is in files, in their order.
func sums(files []string) ([]string, error) {
	found := make([]string, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		group.Go(func() (err error) {
			found[i], err = sum(file)
			return err
		})
	}
	return found, group.Wait()
}

func sum(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > readAlways {
		return fmt.Sprintf("%v, %d bytes at %d", info.Mode(), info.Size(), info.ModTime().UnixNano()), nil
	}
	content, err := os.ReadFile(name)
	return sumOf(content), err
}

// pattern is what a package embeds.
type pattern struct {
	Dir     string `json:"dir"`
	Pattern string `json:"pattern"`
}

// watched is where a new file can change what is built.
type watched struct {
	// Root is walked as go list ./... does.
	Root string `json:"root"`
	// Dirs are folders of packages, wherever they are.
	Dirs []string `json:"dirs"`
	// Patterns are those of go:embed.
	Patterns []pattern `json:"patterns"`
}

// watch finds what a project's packages make worth watching.
func (l *listing) watch() watched {
	w := watched{Root: l.project.Root}
	for _, p := range l.packages {
		if !l.local(p) {
			continue
		}
		w.Dirs = append(w.Dirs, p.Dir)
		for _, text := range p.EmbedPatterns {
			w.Patterns = append(w.Patterns, pattern{p.Dir, text})
		}
	}
	slices.Sort(w.Dirs)
	return w
}

// names sums up the names of all files that matter, so that one that is new, moved or gone is seen, and returns the folders that it has
// looked into. What can't be read counts as absent: the go command says what is wrong with it.
func (w watched) names() (sum string, looked []string) {
	n := names{Hash: sha256.New(), looked: map[string]bool{}}
	n.walk(w.Root, w.Root)
	for _, dir := range w.Dirs {
		if !n.looked[dir] {
			n.sources(dir)
		}
	}
	for _, pattern := range w.Patterns {
		n.embedded(pattern)
	}
	return hex.EncodeToString(n.Sum(nil)), slices.Sorted(maps.Keys(n.looked))
}

type names struct {
	hash.Hash
	looked map[string]bool
}

// walk leaves out what go list ./... does: other modules, and folders with certain names. Packages in such a folder are imported by
// others or of no interest; so are those of node_modules, which may be large, and of dist, which golam writes itself.
func (n names) walk(root, dir string) {
	entries := n.sources(dir)
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() || name[0] == '.' || name[0] == '_' || name == "testdata" || name == "vendor" || name == "node_modules" ||
			name == distFolder && dir == root {
			continue
		}
		below := filepath.Join(dir, name)
		if len(present(below, "go.mod")) == 0 {
			n.walk(root, below)
		}
	}
}

// sources adds the names of those files in a folder that go list takes into account.
func (n names) sources(dir string) []fs.DirEntry {
	n.looked[dir] = true
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if name := entry.Name(); !entry.IsDir() && isSource(name) {
			fmt.Fprintf(n, "%q\n", filepath.Join(dir, name))
		}
	}
	return entries
}

// embedded adds the names of all files that a pattern matches, and more below matching folders.
func (n names) embedded(p pattern) {
	matches, _ := fs.Glob(os.DirFS(p.Dir), strings.TrimPrefix(p.Pattern, "all:"))
	for _, match := range matches {
		top := filepath.Join(p.Dir, filepath.FromSlash(match))
		n.looked[filepath.Dir(top)] = true
		_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
			case entry.IsDir():
				n.looked[path] = true
			default:
				fmt.Fprintf(n, "%q\n", path)
			}
			return nil
		})
	}
}

const sourceExtensions = " .go .s .S .sx .h .hh .hpp .hxx .c .cc .cpp .cxx .m .f .F .for .f90 .swig .swigcxx .syso "

func isSource(name string) bool {
	switch name {
	case "go.mod", "go.sum", "default.pgo", "modules.txt", generator.ProjectFile:
		return true
	}
	if strings.HasSuffix(name, "_test.go") || name[0] == '.' || name[0] == '_' {
		return false
	}
	extension := filepath.Ext(name)
	return extension != "" && strings.Contains(sourceExtensions, " "+extension+" ")
}
