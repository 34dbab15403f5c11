// Package gitignore tells which files git ignores, without running git.
//
// What belongs here: the files of patterns and their syntax, as gitignore(5) and git itself have them. Patterns of the user alone
// (core.excludesFile) are not read.
package gitignore

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/internal/files"
)

// Repository knows the patterns of a repository. It reads each file of patterns once, and must not be used by two goroutines at a time.
type Repository struct {
	root string
	// patterns are those of the folders that were asked about, by the folder's path relative to root.
	patterns map[string][]pattern
}

// Find returns the repository that a folder is in. A folder outside of any repository is taken for one.
func Find(folder string) *Repository {
	for dir := folder; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			folder = dir
			break
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return &Repository{root: folder, patterns: map[string][]pattern{}}
}

// Ignores reports whether git ignores a file or folder. Files outside the repository are never ignored.
func (r *Repository) Ignores(name string, isDir bool) bool {
	relative, err := filepath.Rel(r.root, name)
	if err != nil || !filepath.IsLocal(relative) || relative == "." {
		return false
	}
	relative = filepath.ToSlash(relative)
	// Nothing below an ignored folder can be included again.
	for i := range len(relative) {
		if relative[i] == '/' && r.excludes(relative[:i], true) {
			return true
		}
	}
	return r.excludes(relative, isDir)
}

// excludes reports whether the last pattern that matches the path ignores it. The patterns of its folder come after those of folders above.
func (r *Repository) excludes(relative string, isDir bool) bool {
	for folder := path.Dir(relative); ; folder = path.Dir(folder) {
		below := relative
		if folder != "." {
			below = relative[len(folder)+1:]
		}
		for _, p := range slices.Backward(r.in(folder)) {
			if p.matches(below, isDir) {
				return !p.negated
			}
		}
		if folder == "." {
			return false
		}
	}
}

// maxSize is the size in bytes up to which a file of patterns is read.
const maxSize = 1 << 20

// in returns the patterns of a folder.
func (r *Repository) in(folder string) []pattern {
	if known, ok := r.patterns[folder]; ok {
		return known
	}
	names := []string{filepath.Join(filepath.FromSlash(folder), ".gitignore")}
	if folder == "." {
		names = []string{filepath.Join(".git", "info", "exclude"), ".gitignore"}
	}
	var found []pattern
	for _, name := range names {
		// Git does without a file that it cannot read, too.
		if text, err := files.Read(filepath.Join(r.root, name), maxSize); err == nil {
			found = append(found, parse(string(text))...)
		}
	}
	r.patterns[folder] = found
	return found
}

// parse reads a file of patterns.
func parse(text string) (patterns []pattern) {
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if p, ok := parsePattern(line); ok {
			patterns = append(patterns, p)
		}
	}
	return patterns
}
