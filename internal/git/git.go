// Package git makes a new project a repository with a first commit, by running the user's git.
package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Result tells what became of a new project.
type Result struct {
	// Repository tells that the project is a repository of its own now.
	Repository bool `json:"repository"`
	// Commit tells that the files are committed.
	Commit bool `json:"commit"`
	// Note says why something was not done, and how to do it.
	Note string `json:"note,omitempty"`
}

// Available reports whether git is installed.
func Available() bool {
	_, err := exec.LookPath("git")
	return err == nil
}

// InWorkTree reports whether dir, or the nearest folder above it that exists, belongs to a repository.
func InWorkTree(dir string) bool {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for {
		// A work tree has a folder .git, or a file of that name (a linked work tree, a submodule).
		if _, err := os.Lstat(filepath.Join(absolute, ".git")); err == nil {
			return true
		}
		above := filepath.Dir(absolute)
		if above == absolute {
			return false
		}
		absolute = above
	}
}

// Start makes dir a repository and commits everything in it. Where git has no name for the committer, it makes the repository only and
// says so in the note.
func Start(ctx context.Context, dir, message string) (Result, error) {
	if err := run(ctx, dir, "init", "--quiet"); err != nil {
		return Result{}, err
	}
	if err := run(ctx, dir, "var", "GIT_AUTHOR_IDENT"); err != nil {
		if ctx.Err() != nil {
			return Result{}, err
		}
		return Result{Repository: true, Note: "git knows no user.name and user.email, so nothing is committed yet: set them, then git add . && git commit"}, nil
	}
	// Forced: the user's own list of what to ignore says nothing about a project's files, and there is nothing else in dir.
	for _, args := range [][]string{{"add", "--all", "--force"}, {"commit", "--quiet", "--no-verify", "--message", message}} {
		if err := run(ctx, dir, args...); err != nil {
			if ctx.Err() != nil {
				return Result{}, err
			}
			return Result{Repository: true, Note: "nothing is committed yet: " + err.Error()}, nil
		}
	}
	return Result{Repository: true, Commit: true}, nil
}

func run(ctx context.Context, dir string, args ...string) error {
	// Signing may ask for a passphrase, and nobody would see the question. Strict: an invented name is no name.
	// No maintenance: it would go on in the background. No hooks: they belong to other repositories.
	options := []string{
		"-c", "commit.gpgSign=false", "-c", "user.useConfigOnly=true", "-c", "core.autocrlf=false", "-c", "gc.auto=0",
		"-c", "maintenance.auto=false", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull,
		"-c", "init.defaultBranch=main", // git before 2.28 knows no --initial-branch, and takes this for a variable of somebody else
	}
	command := exec.CommandContext(ctx, "git", append(options, args...)...)
	command.Dir = dir
	command.Env = environment()
	command.WaitDelay = time.Second // what git started may outlive it, and hold its output
	dieWithParent(command)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(output)))
	case err != nil:
		return fmt.Errorf("git %s: %w", args[0], err)
	}
	return nil
}

// environment drops what ties git to another repository: golam may be called from one of its hooks.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE":
		default:
			kept = append(kept, variable)
		}
	}
	return append(kept, "GIT_TERMINAL_PROMPT=0")
}
