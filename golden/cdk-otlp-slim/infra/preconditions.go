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

// oldestNode is the major version of Node.js that aws-cdk-lib asks for.
const oldestNode = 18

// checkNode looks for the Node.js that the CDK runs on. Without it, jsii panics.
func checkNode(ctx context.Context) error {
	node := cmp.Or(os.Getenv("JSII_NODE"), "node")
	output, err := exec.CommandContext(ctx, node, "--version").Output() //nolint:gosec // the program that jsii starts, too
	if err != nil {
		return fmt.Errorf("the CDK needs Node.js %d or later, and %s --version does not run: %w", oldestNode, node, err)
	}
	version := bytes.TrimSpace(output)
	major, _, _ := bytes.Cut(bytes.TrimPrefix(version, []byte("v")), []byte("."))
	if number, err := strconv.Atoi(string(major)); err != nil || number < oldestNode {
		return fmt.Errorf("the CDK needs Node.js %d or later, and this is %s: install a newer one", oldestNode, version)
	}
	return nil
}

// checkBootstrap looks at what would be deployed. Of a bootstrap that does not fit, Lambda tells at the first sign-in.
func checkBootstrap(folder string) error {
	bootstrap := filepath.Join(folder, "bootstrap")
	info, err := os.Stat(bootstrap)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not there: run make build first", bootstrap)
	}
	if err != nil {
		return err
	}
	program, err := elf.Open(bootstrap)
	if err != nil {
		return fmt.Errorf("%s is no program for Linux: run make build", bootstrap)
	}
	defer func() { _ = program.Close() }()
	switch {
	case program.Machine != elf.EM_AARCH64:
		return fmt.Errorf("%s is for %s, and the function runs on arm64: run make build", bootstrap, program.Machine)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable: run make build", bootstrap)
	}
	return nil
}
