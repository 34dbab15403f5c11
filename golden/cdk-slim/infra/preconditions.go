package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// AWS supports the CDK on supportedNode and later major versions of Node.js. On oldestNode it still runs, with a warning.
const (
	supportedNode = 22
	oldestNode    = 20
)

// checkNode checks that Node.js is installed, which runs the CDK. jsii panics without it.
func checkNode(ctx context.Context) error {
	node := cmp.Or(os.Getenv("JSII_NODE"), "node")
	output, err := exec.CommandContext(ctx, node, "--version").Output() //nolint:gosec // jsii starts the same program
	if err != nil {
		return fmt.Errorf("the CDK needs Node.js %d or later, and %s --version does not run: %w", supportedNode, node, err)
	}
	version := bytes.TrimSpace(output)
	major, _, _ := bytes.Cut(bytes.TrimPrefix(version, []byte("v")), []byte("."))
	if number, err := strconv.Atoi(string(major)); err != nil || number < oldestNode {
		return fmt.Errorf("the CDK needs Node.js %d or later, and this is %s: install a newer one", supportedNode, version)
	}
	return nil
}

// checkCode checks what would be deployed to a function. Lambda would report a mistake only when it is first called.
func checkCode(folder string) error {
	bootstrap := filepath.Join(folder, "bootstrap")
	info, err := os.Stat(bootstrap)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing: run make build first", bootstrap)
	}
	if err != nil {
		return err
	}
	program, err := elf.Open(bootstrap)
	if err != nil {
		return fmt.Errorf("%s is not a program for Linux: run make build", bootstrap)
	}
	defer func() { _ = program.Close() }()
	switch {
	case program.Machine != elf.EM_AARCH64:
		return fmt.Errorf("%s is for %s, and the function runs on arm64: run make build", bootstrap, program.Machine)
	case info.Mode()&0o001 == 0:
		return fmt.Errorf("%s has mode %v, and Lambda cannot execute it as another user: run make build", bootstrap, info.Mode())
	}
	return checkReadable(folder)
}

// checkReadable refuses files that only their owner can read. The package keeps their modes, and Lambda reads them as another user.
func checkReadable(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Mode()&0o004 == 0 {
			return fmt.Errorf("%s has mode %v, and Lambda cannot read it as another user: run make build", path, info.Mode())
		}
		return nil
	})
}
