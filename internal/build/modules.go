package build

import (
	"bytes"
	"cmp"
	"debug/elf"
	"debug/gosym"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// Module is a module's part of a binary.
type Module struct {
	// Path is the module's. The parts of the standard library, most of a small function, are told apart by folder: "std/crypto".
	Path string `json:"path"`
	// Version is "" for the project itself, the standard library, and a folder that a replace directive names.
	Version string `json:"version,omitempty"`
	// Code is the size of its functions in bytes.
	Code int64 `json:"code"`
	// Share of the code of all functions, 0 to 1.
	Share float64 `json:"share"`
}

// modules tells how much of a stripped ELF binary's code comes from which module, the largest first. It is an estimate of their part of
// the file: code is measured, from the table of functions that the runtime keeps for itself; data, type descriptions and that table are
// not. What the compiler makes up (equality of types and the like) counts as "std/other", and a generic function for the module that
// declares it.
func modules(binary io.ReaderAt) ([]Module, error) {
	info, err := buildInfo(binary)
	if err != nil {
		return nil, fmt.Errorf("read the binary's modules: %w", err)
	}
	table, err := functionTable(binary)
	if err != nil {
		return nil, fmt.Errorf("read the binary's functions: %w", err)
	}
	found := map[string]*Module{info.Main.Path: {Path: info.Main.Path}}
	for _, dependency := range info.Deps {
		module := Module{Path: dependency.Path, Version: dependency.Version}
		if dependency.Replace != nil {
			module.Version = dependency.Replace.Version
		}
		found[module.Path] = &module
	}
	var total int64
	for _, function := range table.Funcs {
		pkg := function.PackageName()
		if pkg == "main" {
			pkg = info.Main.Path
		}
		path := owner(found, pkg)
		if found[path] == nil {
			found[path] = &Module{Path: path}
		}
		size := int64(function.End - function.Entry) //nolint:gosec // a part of what is in memory
		found[path].Code += size
		total += size
	}
	var sorted []Module
	for _, module := range found {
		module.Share = float64(module.Code) / float64(max(total, 1))
		sorted = append(sorted, *module)
	}
	slices.SortFunc(sorted, func(a, b Module) int {
		return cmp.Or(cmp.Compare(b.Code, a.Code), strings.Compare(a.Path, b.Path))
	})
	return sorted, nil
}

// owner finds the path of the module that a package belongs to: the longest one that leads to it, else a folder of the standard library.
func owner(modules map[string]*Module, pkg string) string {
	// The linker escapes dots in the last element of an import path.
	pkg = strings.ReplaceAll(pkg, "%2e", ".")
	for path := pkg; path != ""; path = path[:max(strings.LastIndexByte(path, '/'), 0)] {
		if modules[path] != nil {
			return path
		}
	}
	folder, _, _ := strings.Cut(strings.TrimPrefix(pkg, "vendor/golang.org/x/"), "/")
	return "std/" + cmp.Or(folder, "other")
}

// functionTable reads what a stripped binary still has.
func functionTable(binary io.ReaderAt) (*gosym.Table, error) {
	file, err := elf.NewFile(binary)
	if err != nil {
		return nil, err
	}
	text, lines := file.Section(".text"), file.Section(".gopclntab")
	if text == nil || lines == nil {
		return nil, errors.New("it is no ELF file of Go's")
	}
	data, err := lines.Data()
	if err != nil {
		return nil, err
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err == nil && len(table.Funcs) == 0 {
		err = errors.New("their table is of a form that this golam does not know")
	}
	return table, err
}

// buildInfo returns what the linker recorded about an ELF binary's modules and build settings. It reads the form that Go has written since
// 1.18. debug/buildinfo also reads other forms and systems, which makes golam 2% larger.
func buildInfo(executable io.ReaderAt) (*debug.BuildInfo, error) {
	file, err := elf.NewFile(executable)
	if err != nil {
		return nil, err
	}
	section := file.Section(".go.buildinfo")
	if section == nil {
		return nil, errors.New("it has no build information")
	}
	data, err := section.Data()
	if err != nil {
		return nil, err
	}
	// A header of 32 bytes comes first. Behind its magic are the size of a pointer and flags, of which the second says that two strings
	// follow, each with its length before it: the version of Go, and the text between two marks of 16 bytes.
	const magic, header, inline, mark = "\xff Go buildinf:", 32, 2, 16
	start := bytes.Index(data, []byte(magic))
	if start < 0 || len(data)-start < header || data[start+len(magic)+1]&inline == 0 {
		return nil, errors.New("its build information is of a form that this golam does not know")
	}
	version, data, versionOK := cutString(data[start+header:])
	text, _, textOK := cutString(data)
	if !versionOK || !textOK || len(text) < 2*mark {
		return nil, errors.New("its build information is cut off")
	}
	info, err := debug.ParseBuildInfo(text[mark : len(text)-mark])
	if err != nil {
		return nil, err
	}
	info.GoVersion = version
	return info, nil
}

// cutString splits a string off that has its length before it.
func cutString(data []byte) (s string, rest []byte, ok bool) {
	length, n := binary.Uvarint(data)
	if n <= 0 || length > uint64(len(data)-n) {
		return "", nil, false
	}
	data = data[n:]
	return string(data[:length]), data[length:], true
}

// buildID is the Go build ID of an ELF binary, which changes whenever its content does.
func buildID(binary io.ReaderAt) (string, error) {
	file, err := elf.NewFile(binary)
	if err != nil {
		return "", err
	}
	note := file.Section(".note.go.buildid")
	if note == nil {
		return "", errors.New("it has no build ID")
	}
	data, err := note.Data()
	if err == nil && len(data) < 16 {
		err = errors.New("its build ID is too short")
	}
	if err != nil {
		return "", err
	}
	return string(data[16:]), nil // behind the note's header
}
