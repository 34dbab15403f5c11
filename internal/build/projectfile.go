package build

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/generator"
)

// projectFile is what golam needs of a golam.yaml to build and run functions.
type projectFile struct {
	made    bool
	arch    string
	named   []named
	exclude []string
}

// named is a function that golam.yaml names.
type named struct {
	name string
	// path is the folder of its main package, relative to the project and slash separated.
	path string
	// include are files and folders beside its main package that go to the root of its package, relative to path and slash separated.
	include []string
	// payload is the format of HTTP requests that it takes, one of [Payloads], or nothing.
	payload string
	// EnvFile is relative to the project and slash separated here.
	Settings
}

// functionName is what Lambda allows (Lambda API Reference, CreateFunction).
var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

const nameRule = "1 to 64 letters, digits, hyphens and underscores"

// Limits of Lambda (Lambda Developer Guide, "Lambda quotas").
const (
	leastMemory, mostMemory = 128, 10240 // MB
	mostTimeout             = 900        // seconds
)

// entryFile is one function in golam.yaml. Its keys are those of a file written by hand; files that golam writes may have more.
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

// parseProjectFile reads a golam.yaml. Functions are a list of names, each of which stands for cmd/<name>, or a mapping from names to
// settings. A file without a schema number was written by hand, so a key that golam does not know is a slip of the pen.
func parseProjectFile(data []byte) (projectFile, error) {
	var file struct {
		Schema    any                  `yaml:"schema"`
		Arch      *string              `yaml:"arch"`
		Functions yaml.Node            `yaml:"functions"`
		Exclude   []string             `yaml:"exclude"`
		Rest      map[string]yaml.Node `yaml:",inline"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return projectFile{}, unreadable(err)
	}
	parsed := projectFile{made: file.Schema != nil, arch: Architectures()[0]}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if file.Arch != nil {
		parsed.arch = *file.Arch
	}
	if !slices.Contains(Architectures(), parsed.arch) {
		problem("%s", generator.Unknown("arch", parsed.arch, Architectures()))
	}
	if !parsed.made {
		for _, key := range slices.Sorted(maps.Keys(file.Rest)) {
			problem("%s", generator.Unknown("key", key, fileKeys))
		}
	}
	for _, folder := range file.Exclude {
		clean, ok := cleanPath(folder)
		if !ok {
			problem("exclude: %q is not a folder in the project", folder)
			continue
		}
		parsed.exclude = append(parsed.exclude, clean)
	}
	entries, err := readEntries(&file.Functions, parsed.made)
	if err != nil {
		return projectFile{}, err
	}
	for i, entry := range entries {
		where := entry.Name
		switch {
		case !functionName.MatchString(entry.Name):
			problem("the name of function %d: use %s", i+1, nameRule)
			continue
		case slices.ContainsFunc(parsed.named, func(n named) bool { return strings.EqualFold(n.name, entry.Name) }):
			problem("it names the function %s twice: remove one", entry.Name)
			continue
		}
		n, wrong := entry.named()
		for _, text := range wrong {
			problem("function %s: %s", where, text)
		}
		if i := slices.IndexFunc(parsed.named, func(other named) bool { return other.path == n.path }); i >= 0 {
			problem("the functions %s and %s have the same path %s: remove one", parsed.named[i].name, n.name, n.path)
		}
		parsed.named = append(parsed.named, n)
	}
	if len(problems) > 0 {
		return projectFile{}, errors.Join(problems...)
	}
	return parsed, nil
}

func unreadable(err error) error {
	return fmt.Errorf("golam cannot read it: %w", err)
}

// readEntries reads the functions of a golam.yaml in either form.
func readEntries(functions *yaml.Node, made bool) ([]entryFile, error) {
	var entries []entryFile
	switch functions.Kind {
	case 0: // there are none
		return nil, nil
	case yaml.AliasNode:
		return readEntries(functions.Alias, made)
	case yaml.SequenceNode:
		if err := functions.Decode(&entries); err != nil {
			return nil, unreadable(err)
		}
		return entries, nil
	case yaml.MappingNode:
	default:
		if functions.Tag == "!!null" {
			return nil, nil
		}
		return nil, errors.New("functions: write a name for each, as in functions: {api: {path: ./services/api}}")
	}
	var problems []error
	for i := 0; i+1 < len(functions.Content); i += 2 {
		name, settings := functions.Content[i].Value, functions.Content[i+1]
		var entry entryFile
		if err := settings.Decode(&entry); err != nil {
			return nil, fmt.Errorf("function %q: %w", name, unreadable(err))
		}
		var keys map[string]yaml.Node
		if err := settings.Decode(&keys); err == nil && !made {
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				if !slices.Contains(entryKeys, key) {
					problems = append(problems, fmt.Errorf("function %q: %s", name, generator.Unknown("key", key, entryKeys)))
				}
			}
		}
		entry.Name = name
		entries = append(entries, entry)
	}
	return entries, errors.Join(problems...)
}

// named checks an entry, and says what is wrong with it.
func (e entryFile) named() (n named, problems []string) {
	n = named{name: e.Name, path: path.Join("cmd", e.Name)}
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if e.Path != "" {
		clean, ok := cleanPath(e.Path)
		if !ok {
			problem("path: %q is not a folder in the project", e.Path)
		}
		n.path = clean
	}
	if e.Memory != nil {
		if n.MemorySize = *e.Memory; n.MemorySize < leastMemory || n.MemorySize > mostMemory {
			problem("memory: %d MB: use %d to %d", n.MemorySize, leastMemory, mostMemory)
		}
	}
	if e.Timeout != nil {
		if *e.Timeout < 1 || *e.Timeout > mostTimeout {
			problem("timeout: %d s: use 1 to %d", *e.Timeout, mostTimeout)
		}
		n.Timeout = time.Duration(*e.Timeout) * time.Second
	}
	if e.Payload != "" {
		if n.payload = e.Payload; !slices.Contains(Payloads(), e.Payload) {
			problem("payload: %s", generator.Unknown("payload", e.Payload, Payloads()))
		}
	}
	if e.EnvFile != "" {
		clean, ok := cleanPath(e.EnvFile)
		if !ok {
			problem("env_file: %q is not a file in the project", e.EnvFile)
		}
		n.EnvFile = clean
	}
	for _, name := range e.Include {
		clean, ok := cleanPath(name)
		if !ok || clean == "." {
			problem("include: %q is not a file or a folder below %s", name, n.path)
			continue
		}
		n.include = append(n.include, clean)
	}
	return n, problems
}

// cleanPath makes a path of golam.yaml relative, clean and slash separated. It is not ok if the path leads out of the project.
func cleanPath(name string) (clean string, ok bool) {
	clean = path.Clean(filepath.ToSlash(name))
	return clean, name != "" && filepath.IsLocal(filepath.FromSlash(clean))
}
