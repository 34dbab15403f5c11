package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// taskFolder is the folder to run a function in on this machine. On Lambda that is the root of its package. Here the project's folder
// is the same to it, because --include puts files at the path that they have in the project. If golam.yaml includes files from beside the
// function, which go to the root of the package, it is a folder with links to these files.
func taskFolder(project Project, function, dir string) (string, error) {
	entry := project.entry(function)
	if len(entry.Include) == 0 {
		return project.Root, nil
	}
	files, err := included(project.Root, entry)
	if err != nil {
		return "", err
	}
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("make the folder to run %s in: %w", function, err)
	}
	if err := fillTask(dir, files); err != nil {
		// A file may have become a folder, or the other way round.
		if err := errors.Join(os.RemoveAll(dir), fillTask(dir, files)); err != nil {
			return fail(err)
		}
	}
	return dir, nil
}

func fillTask(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, f := range files {
		target := filepath.Join(dir, filepath.FromSlash(f.path))
		wanted[target] = true
		if err := linkTo(target, filepath.Join(f.root, filepath.FromSlash(f.name))); err != nil {
			return err
		}
	}
	// Remove files that are no longer included.
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || wanted[path] {
			return err
		}
		return os.Remove(path)
	})
}

// linkTo makes target a link to a file, or a copy of it where the system has no links for everybody.
func linkTo(target, source string) error {
	if now, err := os.Readlink(target); err == nil && now == source {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Symlink(source, target) == nil {
		return nil
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o600)
}

// setDir finds out in which folder and with which settings to run a function.
func (c *Current) setDir(project Project, task string) {
	c.Settings = project.Settings(c.Name)
	dir, err := taskFolder(project, c.Name, task)
	if err != nil {
		dir, c.Err = project.Root, errors.Join(c.Err, err)
	}
	c.Dir = dir
}
