//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/goldenproject"
)

// build builds the subject's bootstrap. A golden project with roots of its own for TLS gets the run's among them.
func (s *subject) build(ctx context.Context, root, folder string, trusted []byte) error {
	if s.golden == "" {
		return s.buildRust(ctx, root)
	}
	if err := goldenproject.Write(ctx, s.golden, folder); err != nil {
		return err
	}
	roots := filepath.Join(folder, "internal", "awsroots", "roots.pem")
	if own, err := os.ReadFile(roots); err == nil {
		if err := os.WriteFile(roots, append(own, trusted...), 0o600); err != nil {
			return err
		}
	}
	host, err := build.ForHost(ctx, build.HostOptions{
		Dir: folder, Function: "token-customizer", Cache: folder + "-cache", Environ: os.Environ(),
	})
	s.path = host.Bootstrap
	return err
}

// missing says why a subject cannot be built on this machine, or "".
func (s *subject) missing() string {
	if s.golden != "" {
		return ""
	}
	if _, err := exec.LookPath("cargo"); err != nil {
		return "there is no cargo on this machine"
	}
	return ""
}

// buildRust builds into a folder that git ignores, so that it takes its minutes only once.
func (s *subject) buildRust(ctx context.Context, root string) error {
	source, err := filepath.Abs(filepath.Join(root, s.crate))
	if err != nil {
		return err
	}
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
