package judges

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// MakeBelowWorkspace runs what the project's README tells people to run, under a strict umask, where a go.work above the project lists
// another module alone.
func (j Judges) MakeBelowWorkspace(ctx context.Context, project string) error {
	folder, err := os.MkdirTemp("", "golam-judges-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	copied, other := filepath.Join(folder, "project"), filepath.Join(folder, "other")
	if err := errors.Join(
		os.CopyFS(copied, os.DirFS(project)),
		os.Mkdir(other, 0o700),
		os.WriteFile(filepath.Join(other, "go.mod"), []byte("module example.com/other\n\ngo 1.26\n"), 0o600),
		os.WriteFile(filepath.Join(folder, "go.work"), []byte("go 1.26\n\nuse ./other\n"), 0o600),
		private(folder),
	); err != nil {
		return err
	}
	last := "validate"
	if _, err := os.Stat(filepath.Join(copied, "infra", "go.mod")); err == nil {
		last = "synth"
	}
	variables := environment("GOWORK=", "PATH="+filepath.Join(j.cache, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	_, err = strictUmask(ctx, copied, variables, "make", "test", "build", "lint", last)
	return err
}
