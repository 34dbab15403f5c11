//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/golam-cli/golam/internal/build"
)

// build builds the subject's bootstrap. A project with roots of its own for TLS gets the run's among them, in a copy.
func (s *subject) build(ctx context.Context, root, folder string, trusted []byte) error {
	source, err := filepath.Abs(filepath.Join(root, s.source))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(source, "Cargo.toml")); err == nil {
		return s.buildRust(ctx, root, source)
	}
	roots := filepath.Join("internal", "awsroots", "roots.pem")
	if own, err := os.ReadFile(filepath.Join(source, roots)); err == nil {
		if err := os.CopyFS(folder, os.DirFS(source)); err != nil {
			return err
		}
		source = folder
		if err := os.WriteFile(filepath.Join(source, roots), append(own, trusted...), 0o600); err != nil {
			return err
		}
	}
	host, err := build.ForHost(ctx, build.HostOptions{
		Dir: source, Function: "token-customizer", Cache: folder + "-cache", Environ: os.Environ(),
	})
	s.path = host.Bootstrap
	return err
}

// missing says why a subject cannot be built on this machine, or "".
func (s *subject) missing(root string) string {
	if _, err := os.Stat(filepath.Join(root, s.source, "Cargo.toml")); err != nil {
		return ""
	}
	if _, err := exec.LookPath("cargo"); err != nil {
		return "there is no cargo on this machine"
	}
	return ""
}

// buildRust builds into a folder that git ignores, so that it takes its minutes only once.
func (s *subject) buildRust(ctx context.Context, root, source string) error {
	target, err := filepath.Abs(filepath.Join(root, ".cache", "rust", filepath.Base(source)+"-"+s.feature))
	if err != nil {
		return err
	}
	s.path = filepath.Join(target, "release", filepath.Base(source))
	args := []string{"build", "--release", "--locked", "--quiet", "--target-dir", target}
	if s.feature != "" {
		args = append(args, "--no-default-features", "--features", s.feature)
	}
	command := exec.CommandContext(ctx, "cargo", args...)
	command.Dir, command.Env = source, append(os.Environ(), "CARGO_TERM_COLOR=never")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("cargo %s: %w\n%s", args[0], err, output)
	}
	return nil
}
