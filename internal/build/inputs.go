package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/golam-cli/golam/generator"
)

// local reports whether a package's files may change: it is neither in the standard library nor in the module cache.
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
	// Ignored are the folders that go.mod takes out of that.
	Ignored []string `json:"ignored,omitempty"`
	// Dirs are folders of packages, wherever they are.
	Dirs []string `json:"dirs"`
	// Patterns are those of go:embed.
	Patterns []pattern `json:"patterns"`
}

// watch finds what packages make worth watching.
func (l *listing) watch(packages []goPackage) watched {
	w := watched{Root: l.project.Root, Ignored: l.ignored}
	for _, p := range packages {
		if !l.local(p) {
			continue
		}
		if p.Dir != "" {
			w.Dirs = append(w.Dirs, p.Dir)
		}
		for _, text := range p.EmbedPatterns {
			w.Patterns = append(w.Patterns, pattern{p.Dir, text})
		}
		// A folder of the project that appears there would provide the import as well.
		for _, imported := range p.Imports {
			if rest, ok := belowPath(l.modulePath, imported); ok && l.packages[imported].Dir != "" {
				w.Dirs = append(w.Dirs, filepath.Join(l.project.Root, filepath.FromSlash(rest)))
			}
		}
	}
	slices.Sort(w.Dirs)
	w.Dirs = slices.Compact(w.Dirs)
	return w
}

// folder is a folder of a project as golam has seen it, so that the next look at it takes no more than a glance at its time.
type folder struct {
	// Path is relative to the project, slash separated.
	Path string `json:"path"`
	// Time is when it changed last, in nanoseconds, or 0 if that was too short a time ago to tell the next change by it.
	Time int64 `json:"time"`
	// Names sums up the names of the files in it that matter.
	Names string `json:"names"`
	// Go says that there are Go files.
	Go bool `json:"go,omitempty"`
	// Below are the names of the folders in it to look into.
	Below []string `json:"below,omitempty"`
}

// coarseTime is more than the time between two changes of a folder that some file system cannot tell apart.
const coarseTime = 2 * time.Second

// tree looks at all folders of the project, and reads those that have changed since they were known.
func (w watched) tree(known []folder) []folder {
	last := make(map[string]folder, len(known))
	for _, f := range known {
		last[f.Path] = f
	}
	var found []folder
	trusted := time.Now().Add(-coarseTime)
	var walk func(string)
	walk = func(relative string) {
		dir := filepath.Join(w.Root, filepath.FromSlash(relative))
		info, err := os.Lstat(dir)
		if err != nil {
			return
		}
		f, ok := last[relative]
		if !ok || f.Time == 0 || f.Time != info.ModTime().UnixNano() {
			f = w.read(relative)
			if info.ModTime().Before(trusted) {
				f.Time = info.ModTime().UnixNano()
			}
		}
		found = append(found, f)
		for _, name := range f.Below {
			walk(path.Join(relative, name))
		}
	}
	walk(".")
	return found
}

// read reads a folder. It leaves out what go list ./... does: other modules, and folders with certain names. Packages in such a folder
// are imported by others or of no interest; so are those of node_modules, which may be large, and of dist, which golam writes itself.
func (w watched) read(relative string) folder {
	f := folder{Path: relative}
	dir := filepath.Join(w.Root, filepath.FromSlash(relative))
	if relative != "." && len(present(dir, "go.mod")) > 0 {
		f.Names = "module"
		return f
	}
	h := sha256.New()
	entries, some := sources(h, dir)
	if some {
		f.Names = hex.EncodeToString(h.Sum(nil)[:16])
	}
	if relative == "vendor" {
		return f
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case !entry.IsDir():
			f.Go = f.Go || strings.HasSuffix(name, ".go")
		case relative == "." && name == "vendor":
			f.Below = append(f.Below, name) // its modules.txt
		case name[0] == '.', name[0] == '_', name == "testdata", name == "vendor", name == "node_modules",
			relative == "." && name == distFolder, w.ignores(path.Join(relative, name)):
		default:
			f.Below = append(f.Below, name)
		}
	}
	return f
}

// ignores says whether an ignore directive of go.mod names a folder.
func (w watched) ignores(relative string) bool {
	return slices.ContainsFunc(w.Ignored, func(ignored string) bool {
		if rooted, ok := strings.CutPrefix(ignored, "./"); ok {
			return relative == path.Clean(rooted)
		}
		ignored = path.Clean(ignored)
		return relative == ignored || strings.HasSuffix(relative, "/"+ignored)
	})
}

// names sums up the names of all files that matter, so that one that is new, moved or gone is seen, and returns the folders that it has
// looked into. What can't be read counts as absent: the go command says what is wrong with it. What is known of the project's folders
// saves reading them again.
func (w watched) names(known []folder) (sum string, looked []string, tree []folder) {
	n := names{Hash: sha256.New(), looked: map[string]bool{}}
	tree = w.tree(known)
	for _, f := range tree {
		if f.Names != "" || f.Path == "vendor" { // a vendor folder counts even if it is empty
			fmt.Fprintf(n, "%q %s\n", f.Path, f.Names)
		}
		n.looked[filepath.Join(w.Root, filepath.FromSlash(f.Path))] = true
	}
	n.below(w)
	return hex.EncodeToString(n.Sum(nil)), slices.Sorted(maps.Keys(n.looked)), tree
}

// own sums up the names of the files in the folders of packages alone.
func (w watched) own() string {
	n := names{Hash: sha256.New(), looked: map[string]bool{}}
	n.below(w)
	return hex.EncodeToString(n.Sum(nil))
}

type names struct {
	hash.Hash
	looked map[string]bool
}

// below adds the names of sources and of embedded files, but for those of folders that are known.
func (n names) below(w watched) {
	for _, dir := range w.Dirs {
		if !n.looked[dir] && isDir(dir) {
			n.looked[dir] = true
			sources(n, dir)
		}
	}
	for _, pattern := range w.Patterns {
		n.embedded(pattern)
	}
}

// sources adds the names of those files in a folder that go list takes into account, and says whether there are some.
func sources(h io.Writer, dir string) (entries []fs.DirEntry, some bool) {
	entries, _ = os.ReadDir(dir)
	for _, entry := range entries {
		if name := entry.Name(); !entry.IsDir() && isSource(name) {
			some = true
			fmt.Fprintf(h, "%q\n", filepath.Join(dir, name))
		}
	}
	return entries, some
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
