package git_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/git"
)

// isolate gives git no configuration but that of the test.
func isolate(t *testing.T, name string) {
	t.Helper()
	if !git.Available() {
		t.Skip("git is not installed")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, variable := range []string{"GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"} {
		t.Setenv(variable, name)
	}
	for _, variable := range []string{"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL"} {
		email := ""
		if name != "" {
			email = "ada@example.com"
		}
		t.Setenv(variable, email)
	}
}

func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStartCommitsEverything(t *testing.T) {
	isolate(t, "Ada")
	// A hook of another repository must not lead git astray.
	t.Setenv("GIT_DIR", t.TempDir())
	t.Setenv("GIT_INDEX_FILE", filepath.Join(t.TempDir(), "index"))
	dir := project(t)
	result, err := git.Start(t.Context(), dir, "Start")
	if err != nil {
		t.Fatal(err)
	}
	if want := (git.Result{Repository: true, Commit: true}); result != want {
		t.Errorf("got %+v, want %+v", result, want)
	}
	command := exec.CommandContext(t.Context(), "git", "--git-dir", filepath.Join(dir, ".git"), "log", "--name-only", "--format=%s by %an on %D")
	output, err := command.CombinedOutput()
	if got, want := strings.Fields(string(output)), "Start by Ada on HEAD -> main go.mod"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("the log is %q, want %q (%v)", got, want, err)
	}
}

// What the user told git about other repositories keeps no file out of the first commit, and runs nothing.
func TestStartIgnoresOtherRepositories(t *testing.T) {
	isolate(t, "Ada")
	dir, config, template := project(t), t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"ignore": "go.mod\n*.yaml\n", "hooks/post-commit": "#!/bin/sh\n>ran\n",
		"config": fmt.Sprintf("[core]\nexcludesFile = %q\nhooksPath = %q\n[init]\ntemplateDir = %q\ndefaultBranch = other\n",
			config+"/ignore", config+"/hooks", template),
	} {
		put(t, filepath.Join(config, name), content)
	}
	put(t, filepath.Join(template, "info", "exclude"), "*.json\n")
	put(t, filepath.Join(dir, "golam.yaml"), "x: y\n")
	put(t, filepath.Join(dir, "events", "a.json"), "{}\n")
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(config, "config"))
	result, err := git.Start(t.Context(), dir, "Start")
	if want := (git.Result{Repository: true, Commit: true}); err != nil || result != want {
		t.Errorf("got %+v, %v, want %+v", result, err, want)
	}
	command := exec.CommandContext(t.Context(), "git", "-C", dir, "log", "--name-only", "--format=%D")
	output, err := command.CombinedOutput()
	if got, want := strings.Join(strings.Fields(string(output)), " "), "HEAD -> main events/a.json go.mod golam.yaml"; err != nil || got != want {
		t.Errorf("the log is %q, want %q (%v)", got, want, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a hook ran")
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil { //nolint:gosec // one of them is a program
		t.Fatal(err)
	}
}

func TestStartWithoutName(t *testing.T) {
	isolate(t, "")
	dir := project(t)
	result, err := git.Start(t.Context(), dir, "Start")
	if err != nil {
		t.Fatal(err)
	}
	if !result.Repository || result.Commit || !strings.Contains(result.Note, "user.name") {
		t.Errorf("got %+v", result)
	}
}

func TestStartIsCancelled(t *testing.T) {
	isolate(t, "Ada")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := git.Start(ctx, project(t), "Start"); err == nil {
		t.Error("want an error")
	}
}

func TestInWorkTree(t *testing.T) {
	isolate(t, "Ada")
	dir := project(t)
	inner := filepath.Join(dir, "not", "there", "yet")
	if git.InWorkTree(inner) {
		t.Skip("the temporary folder is in a repository")
	}
	if _, err := git.Start(t.Context(), dir, "Start"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, inner} {
		if !git.InWorkTree(path) {
			t.Errorf("%s is in a repository", path)
		}
	}
}
