package project

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/quotas"
)

// entryFile is one function in golam.yaml, as a file that is written by hand has it.
type entryFile struct {
	Name    string   `yaml:"name"`
	Path    string   `yaml:"path"`
	Memory  *int     `yaml:"memory"`
	Timeout *int     `yaml:"timeout"`
	EnvFile string   `yaml:"env_file"`
	Payload string   `yaml:"payload"`
	Include []string `yaml:"include"`
}

// The keys of a golam.yaml that is written by hand: of the file, and of each function.
var (
	fileKeys  = []string{"arch", "exclude", "functions"}
	entryKeys = []string{"env_file", "include", "memory", "path", "payload", "timeout"}
)

// parseByHand reads a golam.yaml that is written by hand, or of schema 1, which says as much about functions. Functions are a list of
// names, each of which stands for cmd/<name>, or a mapping from names to settings. In a file that is written by hand, a key that golam does
// not know is a slip of the pen.
func parseByHand(root *node, made bool) (File, []string) {
	var read struct {
		Schema    any             `yaml:"schema"`
		Arch      *string         `yaml:"arch"`
		Functions node            `yaml:"functions"`
		Exclude   node            `yaml:"exclude"`
		Rest      map[string]node `yaml:",inline"`
	}
	if err := root.Decode(&read); err != nil {
		return File{}, []string{unreadable(err)}
	}
	file := File{Arch: Architectures()[0]}
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if read.Arch != nil {
		file.Arch = *read.Arch
	}
	if !slices.Contains(Architectures(), file.Arch) {
		problem("%s", generator.Unknown("arch", file.Arch, Architectures()))
	}
	if !made {
		for _, key := range slices.Sorted(maps.Keys(read.Rest)) {
			problem("%s", generator.Unknown("key", key, fileKeys))
		}
	}
	exclude, wrong := excluded(&read.Exclude)
	file.Exclude = exclude
	problems = append(problems, wrong...)
	entries, wrong := readEntries(&read.Functions, made)
	problems = append(problems, wrong...)
	for i, entry := range entries {
		if !quotas.IsName(entry.Name) {
			problem("the name of function %d: use %s", i+1, quotas.NameRule)
			continue
		}
		function, wrong := entry.check()
		for _, text := range wrong {
			problem("function %s: %s", entry.Name, text)
		}
		problems = append(problems, file.add(function)...)
	}
	return file, problems
}

// excluded reads the list of folders in which no function is looked for.
func excluded(list *node) (folders, problems []string) {
	if list == nil || list.Kind == 0 {
		return nil, nil
	}
	var names []string
	if err := list.Decode(&names); err != nil {
		return nil, []string{"exclude: " + unreadable(err)}
	}
	for _, name := range names {
		if clean, ok := cleanPath(name); ok {
			folders = append(folders, clean)
		} else {
			problems = append(problems, fmt.Sprintf("exclude: %q is not a folder in the project", generator.Shorten(name)))
		}
	}
	return folders, problems
}

// readEntries reads the functions of a golam.yaml in either form.
func readEntries(functions *node, made bool) (entries []entryFile, problems []string) {
	switch functions.Kind {
	case 0: // there are none
		return nil, nil
	case yaml.AliasNode:
		return readEntries(functions.Alias, made)
	case yaml.SequenceNode:
		if err := functions.Decode(&entries); err != nil {
			return nil, []string{unreadable(err)}
		}
		return entries, nil
	case yaml.MappingNode:
	default:
		if isNull(functions) {
			return nil, nil
		}
		return nil, []string{"functions: write a name for each, as in functions: {api: {path: ./services/api}}"}
	}
	for _, field := range fieldsOf(functions) {
		name, settings := field.name.Value, field.value
		var entry entryFile
		if err := settings.Decode(&entry); err != nil {
			problems = append(problems, fmt.Sprintf("function %q: %s", generator.Shorten(name), unreadable(err)))
			continue
		}
		var keys map[string]node
		if err := settings.Decode(&keys); err == nil && !made {
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				if !slices.Contains(entryKeys, key) {
					problems = append(problems, fmt.Sprintf("function %q: %s", generator.Shorten(name), generator.Unknown("key", key, entryKeys)))
				}
			}
		}
		entry.Name = name
		entries = append(entries, entry)
	}
	return entries, problems
}

// check says what is wrong with an entry.
func (e entryFile) check() (f Function, problems []string) {
	f = Function{Name: e.Name, Path: path.Join("cmd", e.Name)}
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if e.Path != "" {
		clean, ok := cleanPath(e.Path)
		if !ok {
			problem("path: %q is not a folder in the project", e.Path)
		}
		f.Path = clean
	}
	if e.Memory != nil {
		if f.MemorySize = *e.Memory; f.MemorySize < generator.MinMemory || f.MemorySize > generator.MaxMemory {
			problem("memory: %d MB: use %d to %d", f.MemorySize, generator.MinMemory, generator.MaxMemory)
		}
	}
	if e.Timeout != nil {
		if *e.Timeout < 1 || *e.Timeout > generator.MaxTimeout {
			problem("timeout: %d s: use 1 to %d", *e.Timeout, generator.MaxTimeout)
		}
		f.Timeout = seconds(*e.Timeout)
	}
	if e.Payload != "" {
		if f.Payload = e.Payload; !slices.Contains(Payloads(), e.Payload) {
			problem("payload: %s", generator.Unknown("payload", e.Payload, Payloads()))
		}
	}
	if e.EnvFile != "" {
		clean, ok := cleanPath(e.EnvFile)
		if !ok {
			problem("env_file: %q is not a file in the project", e.EnvFile)
		}
		f.EnvFile = clean
	}
	for _, name := range e.Include {
		clean, ok := cleanPath(name)
		if !ok || clean == "." {
			problem("include: %q is not a file or a folder below %s", name, f.Path)
			continue
		}
		f.Include = append(f.Include, clean)
	}
	return f, problems
}
