package build

import (
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// WeighOptions say what to weigh, and what else to build for whoever asks.
type WeighOptions struct {
	Options
	// Contents finds out what fills each bootstrap, for which everything is linked once more, with symbols.
	Contents bool
	// Host builds the functions for this machine too.
	Host bool
}

// Weight is what [Weigh] found.
type Weight struct {
	Project Project
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
	// Parts add up to Bootstrap, the largest first. There are none unless they were asked for.
	Parts []Part
	// PartsProblem says why there are none although they were asked for.
	PartsProblem string
	// Program is the bootstrap for this machine, nil unless it was asked for.
	Program []byte
}

// Host is a function as [ForHost] gives it, for a caller that has written its Program to a file. In scratch a folder to run it in is made
// if it needs one of its own.
func (w Weight) Host(f Weighed, bootstrap, scratch string) (Host, error) {
	dir, err := taskFolder(w.Project, f.Name, filepath.Join(scratch, f.Name, "task"))
	return Host{Project: w.Project, Function: f.Function, Bootstrap: bootstrap, Dir: dir, Built: true}, err
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

// Weigh builds functions as [Build] does but writes nothing to the project. However many functions there are, each way of building them is
// one go command. Its errors are those of Build.
func Weigh(ctx context.Context, options WeighOptions) (_ Weight, err error) {
	job, err := newJob(ctx, options.Options)
	if err != nil {
		return Weight{}, err
	}
	defer func() { err = errors.Join(err, job.close()) }()
	packages, failed, err := job.run(ctx)
	if err != nil {
		return Weight{}, err
	}
	if len(failed) > 0 {
		return Weight{}, allFailed(failed)
	}
	weight := Weight{Project: job.project, Go: job.toolchain.version, Arch: job.arch}
	for _, p := range packages {
		weight.Functions = append(weight.Functions, Weighed{Function: p.function, Bootstrap: p.Size, Zip: p.ZipSize})
	}
	if options.Contents {
		unstripped, failed, err := job.compile(ctx, "symbols", withSymbols)
		if err != nil {
			return Weight{}, err
		}
		if len(failed) > 0 {
			return Weight{}, allFailed(failed)
		}
		for i := range weight.Functions {
			f := &weight.Functions[i]
			if f.Parts, err = partsOf(unstripped[i], f.Bootstrap, f.Package); err != nil {
				f.PartsProblem = err.Error()
			}
		}
	}
	if options.Host {
		if err := job.forHost(ctx, packages, weight.Functions); err != nil {
			return Weight{}, err
		}
	}
	return weight, nil
}

// forHost fills in the bootstraps for this machine: those of the packages if they run here.
func (j *job) forHost(ctx context.Context, packages []packaged, functions []Weighed) error {
	host := *j
	host.platform = platform(runtime.GOOS, runtime.GOARCH)
	binaries := make([]file, len(packages))
	for i, p := range packages {
		binaries[i] = p.binary
	}
	if !slices.Equal(host.platform, j.platform) {
		var failed []Failed
		var err error
		if binaries, failed, err = host.compile(ctx, "host", recipe); err != nil {
			return err
		}
		if len(failed) > 0 {
			return allFailed(failed)
		}
	}
	for i, binary := range binaries {
		opened, err := binary.open()
		if err != nil {
			return fmt.Errorf("read %s for this machine: %w", functions[i].Name, err)
		}
		functions[i].Program, err = io.ReadAll(opened)
		if err := errors.Join(err, opened.Close()); err != nil {
			return fmt.Errorf("read %s for this machine: %w", functions[i].Name, err)
		}
	}
	return nil
}

// PackedSize is how many bytes the package would have in which [Build] packs a bootstrap, whatever that was built from.
func PackedSize(bootstrap []byte) (size int64, err error) {
	folder, err := os.MkdirTemp("", "golam-pack-")
	if err != nil {
		return 0, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.WriteFile(filepath.Join(folder, bootstrapName), bootstrap, 0o600); err != nil {
		return 0, fmt.Errorf("pack: %w", err)
	}
	var packed counter
	err = pack(&packed, newSlots(), []file{newBootstrap(folder, bootstrapName, int64(len(bootstrap)))})
	return int64(packed), err
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(data []byte) (int, error) {
	*c += counter(len(data))
	return len(data), nil
}

// partsOf is parts for a bootstrap in a file.
func partsOf(unstripped file, size int64, mainPackage string) ([]Part, error) {
	opened, err := unstripped.open()
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	return parts(opened, size, mainPackage)
}

// parts tells what fills a bootstrap of a size in bytes, by the symbols of the same bootstrap before it was stripped.
func parts(unstripped io.ReaderAt, size int64, mainPackage string) ([]Part, error) {
	file, err := elf.NewFile(unstripped)
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
