// Package project reads golam.yaml: of projects that golam made, in every schema since the first, of other Go modules, where it is written
// by hand, and as a file of answers for a new project.
//
// What belongs here: the format of the file, and what it says about functions. What does not belong here: which answers are valid
// (generator), finding the file and what is built from it (internal/build).
package project

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/misuse"
)

// MaxSize is the size in bytes above which a golam.yaml or an answers file is refused.
const MaxSize = 1 << 20

// File is what golam.yaml says, as far as functions are built and run by it.
type File struct {
	// Schema is the number of the format, or 0 if the file is written by hand, or absent.
	Schema int
	// Arch is one of [Architectures].
	Arch string
	// Functions are those that the file names.
	Functions []Function
	// Exclude are folders in which no function is looked for, relative to the project and slash separated.
	Exclude []string
}

// Made reports whether golam made the project.
func (f File) Made() bool { return f.Schema > 0 }

// Function is what golam.yaml says about one function.
type Function struct {
	Name string
	// Path is the folder of its main package, relative to the project and slash separated.
	Path string
	// Include are files and folders beside its main package that go to the root of its package, relative to Path and slash separated.
	Include []string
	// Payload is the format of HTTP requests that it takes, one of [Payloads], or empty.
	Payload string
	// MemorySize is in MB. It and Timeout are zero if the file says nothing.
	MemorySize int
	Timeout    time.Duration
	// EnvFile is a file of environment variables, relative to the project and slash separated, or empty.
	EnvFile string
}

// Formats of HTTP requests: those of API Gateway and function URLs, and that of load balancers.
const (
	PayloadV1  = "1.0"
	PayloadV2  = "2.0"
	PayloadALB = "alb"
)

// Payloads returns the formats that golam knows.
func Payloads() []string { return []string{PayloadV1, PayloadV2, PayloadALB} }

// Architectures returns Lambda's words for processors, golam's default first.
func Architectures() []string {
	options := generator.ProjectOptions()
	i := slices.IndexFunc(options, func(o generator.Option) bool { return o.Key == "arch" })
	return options[i].Values()
}

// Parse reads a golam.yaml. No content at all is a file that says nothing. An error is a [misuse.Error] with every problem.
func Parse(catalog generator.Catalog, data []byte) (File, error) {
	root, problem := load(data, "it is", "it has")
	if problem == empty {
		return File{Arch: Architectures()[0]}, nil
	}
	if problem != "" {
		return File{}, misuse.New("golam cannot read it: %s", problem)
	}
	schema, problem := schemaOf(root)
	if problem != "" {
		return File{}, misuse.New("%s", problem)
	}
	var file File
	var problems []string
	if schema < 2 {
		file, problems = parseByHand(root, schema > 0)
	} else {
		file, problems = parseMade(catalog, root, schema)
	}
	if err := misuse.Join(generator.Abridge(problems)); err != nil {
		return File{}, err
	}
	file.Schema = schema
	if schema == 1 {
		file.setDefaults(catalog[0].Limits())
	}
	return file, nil
}

// setDefaults gives functions the memory and the timeout of a kind. In schema 1 the project has them, and golam.yaml does not say so.
func (f *File) setDefaults(limits generator.Limits) {
	for i := range f.Functions {
		if f.Functions[i].MemorySize == 0 {
			f.Functions[i].MemorySize = limits.Memory
		}
		if f.Functions[i].Timeout == 0 {
			f.Functions[i].Timeout = seconds(limits.Timeout)
		}
	}
}

// parseMade reads the file of a project that golam made, of schema 2 or later.
func parseMade(catalog generator.Catalog, root *node, schema int) (File, []string) {
	file := File{Arch: Architectures()[0]}
	r := reader{catalog: catalog}
	answers := r.answers(root, schema)
	spec, err := catalog.Resolve(answers.Project, answers.Functions...)
	if err == nil {
		file.Arch = spec.Arch
	}
	problems := r.problems
	if invalid, ok := asInvalid(err); ok {
		problems = append(problems, invalid.Problems...)
	}
	var texts []string
	for _, problem := range problems {
		texts = append(texts, problem.InFile())
	}
	for _, f := range r.functions {
		entry, wrong := f.entry()
		for _, text := range wrong {
			texts = append(texts, "function "+generator.Shorten(f.name)+": "+text)
		}
		if i := slices.IndexFunc(spec.Functions, func(made generator.Function) bool { return made.Name == f.name }); i >= 0 {
			entry.MemorySize, entry.Timeout = spec.Functions[i].Memory, seconds(spec.Functions[i].Timeout)
		}
		texts = append(texts, file.add(entry)...)
	}
	exclude, wrong := excluded(r.exclude)
	file.Exclude = exclude
	return file, append(texts, wrong...)
}

// add adds a function, and says why it cannot be beside the others.
func (f *File) add(function Function) (problems []string) {
	for _, other := range f.Functions {
		switch {
		case strings.EqualFold(other.Name, function.Name):
			return []string{"it names the function " + function.Name + " twice: remove one"}
		case other.Path == function.Path:
			problems = append(problems, "the functions "+other.Name+" and "+function.Name+" have the same path "+function.Path+": remove one")
		}
	}
	f.Functions = append(f.Functions, function)
	return problems
}

func seconds(number int) time.Duration { return time.Duration(number) * time.Second }

// cleanPath makes a path of golam.yaml relative, clean and slash separated. It is not ok if the path leads out of the project.
func cleanPath(name string) (clean string, ok bool) {
	clean = path.Clean(filepath.ToSlash(name))
	return clean, name != "" && filepath.IsLocal(filepath.FromSlash(clean))
}
