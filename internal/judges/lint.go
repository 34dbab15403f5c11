package judges

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// GolangCILint runs golangci-lint as the project configures it, on each of its modules.
func (j Judges) GolangCILint(ctx context.Context, project string) error {
	if _, err := os.Stat(filepath.Join(project, ".golangci.yml")); err != nil {
		return err
	}
	modules := []string{project}
	if _, err := os.Stat(filepath.Join(project, "infra", "go.mod")); err == nil {
		modules = append(modules, filepath.Join(project, "infra"))
	}
	for _, module := range modules {
		if _, err := judge(ctx, module, environment(), j.executable("golangci-lint"), "run", "--allow-parallel-runners", "./..."); err != nil {
			return err
		}
	}
	return nil
}

// Actionlint lints the project's workflows, and the shell scripts in them.
func (j Judges) Actionlint(ctx context.Context, project string) error {
	workflows, err := files(project, ".github/workflows/*.yml")
	if err != nil {
		return err
	}
	arguments := append([]string{"-shellcheck", j.executable("shellcheck"), "-pyflakes", ""}, workflows...)
	_, err = judge(ctx, project, environment(), j.executable("actionlint"), arguments...)
	return err
}

// Markdownlint lints the project's Markdown as the project configures it.
func (j Judges) Markdownlint(ctx context.Context, project string) error {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "internal/platform/*.md"} {
		found, err := files(project, pattern)
		if err != nil {
			return err
		}
		pages = append(pages, found...)
	}
	_, err := judge(ctx, project, environment(), j.executable("markdownlint-cli2"), pages...)
	return err
}

// Shellcheck lints the project's scripts.
func (j Judges) Shellcheck(ctx context.Context, project string) error {
	scripts, err := files(project, "scripts/*.sh")
	if err != nil {
		return err
	}
	_, err = judge(ctx, project, environment(), j.executable("shellcheck"), scripts...)
	return err
}

// files returns the files of the project that match the pattern, relative to its folder. That there is none is an error: a judge with
// nothing to judge finds no fault.
func files(project, pattern string) ([]string, error) {
	matches, err := filepath.Glob(filepath.Join(project, pattern))
	if err != nil {
		return nil, err
	}
	if len(matches) == 0 {
		return nil, errors.New("the project has no file " + pattern)
	}
	for i, match := range matches {
		if matches[i], err = filepath.Rel(project, match); err != nil {
			return nil, err
		}
	}
	return matches, nil
}
