package create

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/git"
)

// prepare returns what makes the new project a repository, or nil if it is to be none.
func (o Options) prepare(dir string, result *git.Result) func(context.Context, string) error {
	switch {
	case o.Git == GitNever:
		return nil
	case o.Git == GitIfPossible && !git.Available():
		result.Note = "git is not installed, so the project is no repository"
		return nil
	case o.Git == GitIfPossible && git.InWorkTree(dir):
		result.Note = "the folder is in a git repository already, so the project is none of its own (--git makes it one)"
		return nil
	}
	return func(ctx context.Context, staging string) error {
		made, err := git.Start(ctx, staging, "Start from golam")
		switch {
		case err == nil || ctx.Err() != nil:
		case o.Git == GitAlways:
			err = fmt.Errorf("%w; --no-git makes the project without a repository", err)
		default:
			made.Note = "the project is no repository: " + err.Error()
			err = os.RemoveAll(filepath.Join(staging, ".git")) // git may have begun
		}
		*result = made
		return err
	}
}

// gitNote says why there is no repository, or no commit. Note is what prepare found out about a new project, the only one that becomes a
// repository.
func (o Options) gitNote(changes generator.Changes, note string) string {
	switch changes.Target {
	case generator.TargetAbsent, generator.TargetEmpty:
		return note
	}
	_, err := os.Lstat(filepath.Join(changes.Dir, ".git"))
	switch {
	case o.Git != GitNever && err == nil:
		return "the folder is a git repository already, so golam commits nothing to it"
	case o.Git == GitAlways:
		return "golam makes repositories of new projects only: to make this one, git init"
	}
	return ""
}
