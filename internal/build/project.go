package build

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/project"
)

// Project is a Go module with Lambda functions in it.
type Project struct {
	// Root is the absolute path of the folder that holds its go.mod, without symbolic links.
	Root string
	// Made says that golam made the project: its golam.yaml has a schema number, which one written by hand need not have.
	Made bool
	// Arch is the architecture that golam.yaml names, or golam's default: "arm64" or "x86_64".
	Arch string

	named   []project.Function // the functions that golam.yaml names
	exclude []string           // folders that golam.yaml excludes, relative and slash separated
	// opened is when Open began to read golam.yaml.
	opened time.Time
}

// Settings are what golam.yaml says about one function. The zero value says nothing.
type Settings struct {
	// MemorySize is in MB.
	MemorySize int
	Timeout    time.Duration
	// EnvFile is the absolute path of a file of environment variables.
	EnvFile string
}

// Settings returns what golam.yaml says about a function.
func (p Project) Settings(function string) Settings {
	entry := p.entry(function)
	settings := Settings{MemorySize: entry.MemorySize, Timeout: entry.Timeout}
	if entry.EnvFile != "" {
		settings.EnvFile = filepath.Join(p.Root, filepath.FromSlash(entry.EnvFile))
	}
	return settings
}

// entry returns the entry of golam.yaml for a function, an empty one if there is none.
func (p Project) entry(function string) project.Function {
	for _, named := range p.named {
		if named.Name == function {
			return named
		}
	}
	return project.Function{}
}

// excluded says whether golam.yaml excludes a folder or one above it.
func (p Project) excluded(dir string) bool {
	relative, err := filepath.Rel(p.Root, dir)
	return err == nil && slices.ContainsFunc(p.exclude, func(folder string) bool {
		return relative == folder || strings.HasPrefix(filepath.ToSlash(relative), folder+"/")
	})
}

// Open finds the project that dir is in: the nearest folder with a go.mod, from dir upwards. It is a [misuse.Error] if there is none, or if
// golam.yaml has a mistake.
func Open(dir string) (Project, error) {
	root, err := filepath.Abs(dir)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return Project{}, fmt.Errorf("find the project: %w", err)
	}
	for start := root; ; root = filepath.Dir(root) {
		if info, err := os.Stat(filepath.Join(root, "go.mod")); err == nil && info.Mode().IsRegular() {
			break
		}
		if filepath.Dir(root) == root {
			return Project{}, noModule(start)
		}
	}
	if !utf8.ValidString(root) {
		// The go command answers in JSON, which would name another folder.
		return Project{}, misuse.New("the path %q is not UTF-8, so the go command cannot name its files: rename the folder", root)
	}
	opened := time.Now()
	data, err := readProjectFile(root)
	var file project.File
	if err == nil {
		file, err = project.Parse(kinds.All(), data)
	}
	if err != nil {
		return Project{}, fmt.Errorf("%s: %w", generator.ProjectFile, err)
	}
	return Project{Root: root, Made: file.Made(), Arch: file.Arch, named: file.Functions, exclude: file.Exclude, opened: opened}, nil
}

// noModule says that there is no module in or above a folder, and names those below it: SAM's layout has one in each function's folder.
func noModule(start string) error {
	const deepest, most = 3, 10
	var found []string
	var look func(dir, relative string, depth int)
	look = func(dir, relative string, depth int) {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			name := entry.Name()
			if !entry.IsDir() || name[0] == '.' || name[0] == '_' || name == "node_modules" || name == "vendor" || name == "testdata" || len(found) > most {
				continue
			}
			below := filepath.Join(dir, name)
			if len(present(below, "go.mod")) > 0 {
				found = append(found, path.Join(relative, name))
			} else if depth < deepest {
				look(below, path.Join(relative, name), depth+1)
			}
		}
	}
	look(start, "", 1)
	none := fmt.Sprintf("there is no go.mod in %s or above it", start)
	switch {
	case len(found) == 0:
		return misuse.New("%s: go to the folder of a project, or make one with golam new", none)
	case len(found) == 1:
		return misuse.New("%s, but there is one in %s: go there first, with cd %s", none, found[0], found[0])
	case len(found) > most:
		return misuse.New("%s, but below it there are Go modules in %s and other folders: go to one of them first", none, strings.Join(found[:most], ", "))
	}
	return misuse.New("%s, but below it there are Go modules in %s: go to one of them first", none, strings.Join(found, ", "))
}

// readProjectFile returns nil if there is no such file.
func readProjectFile(root string) ([]byte, error) {
	path := filepath.Join(root, generator.ProjectFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a file")
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, project.MaxSize+1))
	if err == nil && len(data) > project.MaxSize {
		err = fmt.Errorf("it has more than %d bytes", project.MaxSize)
	}
	return data, err
}

// Architectures are Lambda's words for the processors that functions can be built for, golam's default first.
func Architectures() []string { return project.Architectures() }

// goarch is Go's word for one of [Architectures].
func goarch(arch string) string {
	if arch == "x86_64" {
		return "amd64"
	}
	return arch
}
