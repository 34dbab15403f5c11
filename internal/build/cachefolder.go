package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A project's folder in the cache holds, side by side:
//
//	project           the path of the project
//	invoke/           for ForHost: an index, and a binary for each function
//	watch/            for a Live: what it needs while it runs
//	watch.lock        its lock
//	builds/           for a Live: an index, and what it has built, which the next Live takes over
//	package-<arch>/   for Build: an index, binaries and packages
//
// A function's name is only used within these folders, because a function may be called "watch" or "builds".
const (
	projectName  = "project"
	invokeFolder = "invoke"
	watchFolder  = "watch"
	buildsFolder = "builds"
)

// packagesFolder is the folder for the packages of one processor.
func packagesFolder(arch string) string { return "package-" + arch }

// projectCache is the path of a project's folder in the cache.
func projectCache(cache string, project Project) string {
	id := sha256.Sum256([]byte(project.Root))
	return filepath.Join(cache, "golam", filepath.Base(project.Root)+"-"+hex.EncodeToString(id[:8]))
}

// openProjectCache makes a project's folder in the cache if it is not there, with a folder in it.
func openProjectCache(cache string, project Project, folder string) (string, error) {
	dir := projectCache(cache, project)
	path := filepath.Join(dir, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, projectName)
	if root, err := os.ReadFile(name); err == nil && string(root) == project.Root {
		return path, nil
	}
	return path, os.WriteFile(name, []byte(project.Root), 0o600)
}

// sweepProjects removes what the cache has of projects that no longer exist, except for one project. A failure does not matter.
func sweepProjects(cache string, except Project) {
	own := projectCache(cache, except)
	entries, _ := os.ReadDir(filepath.Dir(own))
	for _, entry := range entries {
		other := filepath.Join(filepath.Dir(own), entry.Name())
		root, err := os.ReadFile(filepath.Join(other, projectName))
		if other == own || err != nil || len(root) == 0 {
			continue
		}
		if _, err := os.Stat(string(root)); errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(other)
		}
	}
}
