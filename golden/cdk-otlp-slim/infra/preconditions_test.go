package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
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
		"the oldest":  {"echo v18.0.0", ""},
		"too old":     {"echo v16.20.2", "this is v16.20.2"},
		"not Node.js": {"echo hello", "this is hello"},
		"broken":      {"exit 1", "does not run"},
	} {
		t.Run(name, func(t *testing.T) {
			node := filepath.Join(t.TempDir(), "node")
			if err := os.WriteFile(node, []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("JSII_NODE", node)
			checkError(t, checkNode(t.Context()), test.want)
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Setenv("JSII_NODE", filepath.Join(t.TempDir(), "node"))
		checkError(t, checkNode(t.Context()), "needs Node.js 18 or later")
	})
}

func TestCheckBootstrap(t *testing.T) {
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
		want      string
	}{
		"as make build makes it":  {program(elf.EM_AARCH64), 0o700, ""},
		"for the other processor": {program(elf.EM_X86_64), 0o700, "EM_X86_64, and the function runs on arm64"},
		"not executable":          {program(elf.EM_AARCH64), 0o600, "not executable"},
		"a script":                {[]byte("#!/bin/sh\n"), 0o700, "no program for Linux"},
		"missing":                 {nil, 0, "run make build first"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if test.bootstrap != nil {
				if err := os.WriteFile(filepath.Join(folder, "bootstrap"), test.bootstrap, test.mode); err != nil {
					t.Fatal(err)
				}
			}
			checkError(t, checkBootstrap(folder), test.want)
		})
	}
}

// checkError wants an error with the text, or none for no text.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil {
		t.Errorf("got %v", err)
	}
	if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}
