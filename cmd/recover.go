package cmd

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/golam-cli/golam/generator"
)

// recover finishes or undoes what a golam that was killed began in the folder.
func (a *app) recover(dir string) error {
	recovery, err := generator.Recover(dir)
	switch recovery {
	case generator.RecoveryFinished:
		a.note("note: finished what an interrupted golam began in %s", dir)
	case generator.RecoveryUndone:
		a.note("note: undid what an interrupted golam began in %s", dir)
	case generator.RecoveryForeign:
		a.note("note: %s has a .golam-journal that your golam did not begin; it is ignored: remove it if nobody needs it", dir)
	}
	return err
}

// recoverProject does the same for the project that the folder is in: for each folder up to the one with the go.mod. Where there is none,
// the folders above are somebody else's.
func (a *app) recoverProject(dir string) error {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find %s: %w", dir, err)
	}
	folders := []string{absolute}
	for root := absolute; ; folders = append(folders, root) {
		if _, err := os.Lstat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root = filepath.Dir(root); root == folders[len(folders)-1] {
			folders = folders[:1]
			break
		}
	}
	for _, folder := range folders {
		if err := a.recover(folder); err != nil {
			return err
		}
	}
	return nil
}
