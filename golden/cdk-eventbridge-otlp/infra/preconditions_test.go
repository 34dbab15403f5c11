package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckNode(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		want   string
	}{
		"supported":   {"echo v22.0.0", ""},
		"the oldest":  {"echo v20.0.0", ""},
		"too old":     {"echo v18.20.2", "needs Node.js 22 or later, and this is v18.20.2"},
		"not Node.js": {"echo hello", "this is hello"},
		"broken":      {"exit 1", "does not run"},
	} {
		t.Run(name, func(t *testing.T) {
			node := filepath.Join(t.TempDir(), "node")
			writeFile(t, node, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700)
			t.Setenv("JSII_NODE", node)
			checkError(t, checkNode(t.Context()), test.want)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Setenv("JSII_NODE", filepath.Join(t.TempDir(), "node"))
		checkError(t, checkNode(t.Context()), "needs Node.js 22 or later")
	})
}

func TestCheckCode(t *testing.T) {
	program := func(machine elf.Machine) []byte {
		var header bytes.Buffer
		err := binary.Write(&header, binary.LittleEndian, elf.Header64{
			Ident:   [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:    uint16(elf.ET_EXEC),
			Machine: uint16(machine),
			Version: uint32(elf.EV_CURRENT),
		})
		if err != nil {
			t.Fatal(err)
		}
		return header.Bytes()
	}
	for name, test := range map[string]struct {
		bootstrap []byte
		mode      os.FileMode
		beside    os.FileMode
		want      string
	}{
		"as make build makes it":  {program(elf.EM_AARCH64), 0o755, 0o644, ""},
		"for the other processor": {program(elf.EM_X86_64), 0o755, 0o644, "EM_X86_64, and the function runs on arm64"},
		"not executable":          {program(elf.EM_AARCH64), 0o644, 0o644, "bootstrap has mode -rw-r--r--, and Lambda cannot execute it"},
		"only for its owner":      {program(elf.EM_AARCH64), 0o700, 0o644, "cannot execute it"},
		"not readable":            {program(elf.EM_AARCH64), 0o711, 0o644, "bootstrap has mode -rwx--x--x, and Lambda cannot read it"},
		"a file not readable":     {program(elf.EM_AARCH64), 0o755, 0o600, "settings.yaml has mode -rw-------, and Lambda cannot read it"},
		"a script":                {[]byte("#!/bin/sh\n"), 0o755, 0o644, "not a program for Linux"},
		"missing":                 {nil, 0, 0o644, "run make build first"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			writeFile(t, filepath.Join(folder, "settings.yaml"), nil, test.beside)
			if test.bootstrap != nil {
				writeFile(t, filepath.Join(folder, "bootstrap"), test.bootstrap, test.mode)
			}
			checkError(t, checkCode(folder), test.want)
		})
	}
}

// writeFile makes a file with a mode that does not depend on the umask.
func writeFile(t *testing.T, name string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(name, content, 0o600), os.Chmod(name, mode)); err != nil {
		t.Fatal(err)
	}
}

// checkError expects an error with the text, or no error if the text is empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil {
		t.Errorf("got %v", err)
	}
	if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}
