package build

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Weight is what [Weigh] found.
type Weight struct {
	// Root is the project's folder.
	Root string
	// Go is the version that built it, such as go1.26.8.
	Go        string
	Arch      string
	Functions []Weighed
}

// Weighed is a function with the size of its package.
type Weighed struct {
	Function
	// Bootstrap and Zip are the sizes in bytes of what [Build] makes.
	Bootstrap, Zip int64
	// Parts add up to Bootstrap, the largest first.
	Parts []Part
	// PartsProblem says why there are none.
	PartsProblem string
}

// Part is what a package or the runtime's tables take of a bootstrap.
type Part struct {
	// Name is a package's import path, or in brackets what belongs to no package.
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Parts of a bootstrap that belong to no package.
const (
	partFunctions = "(function tables)"     // names, lines and stack maps of all functions, for stack traces and the collector
	partTypes     = "(types, strings)"      // read-only data without a symbol of its own
	partOther     = "(headers, other data)" // the rest
)

// Weigh builds functions as [Build] does but writes nothing to the project, and builds them again with symbols to see what fills them.
// Its errors are those of Build.
func Weigh(ctx context.Context, options Options) (Weight, error) {
	job, _, err := newJob(ctx, options)
	if err != nil {
		return Weight{}, err
	}
	packages, err := job.run(ctx)
	if err != nil {
		return Weight{}, err
	}
	unstripped, err := job.compile(ctx, withSymbols)
	if err != nil {
		return Weight{}, err
	}
	weight := Weight{Root: job.root, Go: job.toolchain.version, Arch: job.arch}
	for i, p := range packages {
		weighed := Weighed{Function: p.function, Bootstrap: int64(len(p.bootstrap())), Zip: int64(len(p.zip))}
		if weighed.Parts, err = parts(unstripped[i], weighed.Bootstrap, p.function.Package); err != nil {
			weighed.PartsProblem = err.Error()
		}
		weight.Functions = append(weight.Functions, weighed)
	}
	return weight, nil
}

// PackedSize is how many bytes the package would have in which [Build] packs a bootstrap, whatever that was built from.
func PackedSize(bootstrap []byte) (int64, error) {
	packed, err := pack([]file{newBootstrap(bootstrap)})
	return int64(len(packed)), err
}

// parts tells what fills a bootstrap of a size in bytes, by the symbols of the same bootstrap before it was stripped.
func parts(unstripped []byte, size int64, mainPackage string) ([]Part, error) {
	file, err := elf.NewFile(bytes.NewReader(unstripped))
	if err != nil {
		return nil, fmt.Errorf("read the binary's symbols: %w", err)
	}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read the binary's symbols: %w", err)
	}
	bytesOf := map[string]int64{}
	left := map[elf.SectionIndex]int64{} // what no symbol has claimed
	for i, section := range file.Sections {
		if section.Type == elf.SHT_PROGBITS && section.Flags&elf.SHF_ALLOC != 0 {
			left[elf.SectionIndex(i)] = int64(section.Size) //nolint:gosec // a part of what is in memory
		}
	}
	for _, symbol := range symbols {
		if _, inFile := left[symbol.Section]; !inFile || symbol.Size == 0 {
			continue
		}
		name := partOf(symbol.Name, mainPackage)
		bytesOf[name] += int64(symbol.Size)        //nolint:gosec // a part of what is in memory
		left[symbol.Section] -= int64(symbol.Size) //nolint:gosec // a part of what is in memory
	}
	for section, unclaimed := range left {
		if unclaimed < 0 {
			return nil, errors.New("read the binary's symbols: they overlap")
		}
		switch file.Sections[section].Name {
		case ".gopclntab":
			bytesOf[partFunctions] += unclaimed
		case ".rodata", ".typelink", ".itablink":
			bytesOf[partTypes] += unclaimed
		}
	}
	var total int64
	for _, n := range bytesOf {
		total += n
	}
	if bytesOf[partOther] += size - total; bytesOf[partOther] < 0 {
		return nil, errors.New("read the binary's symbols: they claim more than the whole file")
	}
	var sorted []Part
	for name, n := range bytesOf {
		sorted = append(sorted, Part{name, n})
	}
	slices.SortFunc(sorted, func(a, b Part) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name)) })
	return sorted, nil
}

// partOf says to which part a symbol belongs.
func partOf(symbol, mainPackage string) string {
	switch {
	case symbol == "go:func.*", strings.HasPrefix(symbol, "runtime.findfunctab"), strings.HasPrefix(symbol, "runtime.pclntab"):
		return partFunctions
	case strings.HasPrefix(symbol, "go:"), strings.HasPrefix(symbol, "type:"), symbol == "runtime.typelink", symbol == "runtime.itablink":
		return partTypes
	}
	// The package ends at the first dot of its last element, in which the linker escapes others. Type arguments have packages too.
	symbol, _, _ = strings.Cut(symbol, "[")
	last := strings.LastIndexByte(symbol, '/') + 1
	name, _, found := strings.Cut(symbol[last:], ".")
	switch pkg := symbol[:last] + strings.ReplaceAll(name, "%2e", "."); {
	case !found:
		return partOther
	case pkg == "main":
		return mainPackage
	default:
		return pkg
	}
}
