package build

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/generator"
)

// MisuseError says that what was asked for cannot be done, whatever the project holds: the fault is on the command line.
type MisuseError struct{ text string }

func (e *MisuseError) Error() string { return e.text }

func misuse(format string, args ...any) error {
	return &MisuseError{text: fmt.Sprintf(format, args...)}
}

// misuses joins problems into one mistake, nil if there are none.
func misuses(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return &MisuseError{text: strings.Join(problems, "\n")}
}

// Project is a Go module with Lambda functions in it.
type Project struct {
	// Root is the absolute path of the folder that holds its go.mod, without symbolic links.
	Root string
	// Made tells that the project has a golam.yaml.
	Made bool
	// Arch is the architecture that golam.yaml names, or golam's default: "arm64" or "x86_64".
	Arch string

	named []string // the functions that golam.yaml names
}

// Open finds the project that dir is in: the nearest folder with a go.mod, from dir upwards. It is a [MisuseError] if there is none.
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
			return Project{}, misuse("there is no go.mod in %s or above it: go to the folder of a project, or make one with golam new", start)
		}
	}
	if !utf8.ValidString(root) {
		// The go command answers in JSON, which would name another folder.
		return Project{}, misuse("the path %q is not UTF-8, so the go command cannot name its files: rename the folder", root)
	}
	project := Project{Root: root}
	data, err := readProjectFile(root)
	if err == nil {
		project.Made = data != nil
		project.Arch, project.named, err = parseProjectFile(data)
	}
	if err != nil {
		return Project{}, fmt.Errorf("%s: %w", generator.ProjectFile, err)
	}
	return project, nil
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
	data, err := io.ReadAll(io.LimitReader(file, generator.MaxAnswers+1))
	if err == nil && len(data) > generator.MaxAnswers {
		err = fmt.Errorf("it has more than %d bytes", generator.MaxAnswers)
	}
	return data, err
}

// functionName is what Lambda allows (Lambda API Reference, CreateFunction).
var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

const nameRule = "1 to 64 letters, digits, hyphens and underscores"

// parseProjectFile reads what a build needs of a golam.yaml: the architecture, and the functions.
func parseProjectFile(data []byte) (arch string, functions []string, err error) {
	var file struct {
		Arch      *string `yaml:"arch"`
		Functions []struct {
			Name string `yaml:"name"`
		} `yaml:"functions"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return "", nil, fmt.Errorf("it is not as golam wrote it: %w", err)
	}
	arch = Architectures()[0]
	if file.Arch != nil {
		arch = *file.Arch
	}
	var problems []error
	if !slices.Contains(Architectures(), arch) {
		problems = append(problems, errors.New(generator.Unknown("arch", arch, Architectures())))
	}
	for i, function := range file.Functions {
		switch {
		case !functionName.MatchString(function.Name):
			problems = append(problems, fmt.Errorf("the name of function %d: use %s", i+1, nameRule))
		case slices.ContainsFunc(functions, func(other string) bool { return strings.EqualFold(other, function.Name) }):
			problems = append(problems, fmt.Errorf("it names the function %s twice: remove one", function.Name))
		default:
			functions = append(functions, function.Name)
		}
	}
	if len(problems) > 0 {
		return "", nil, errors.Join(problems...)
	}
	return arch, functions, nil
}

// Architectures are Lambda's words for processors, golam's default first.
func Architectures() []string {
	options := generator.Options()
	i := slices.IndexFunc(options, func(o generator.Option) bool { return o.Key == "arch" })
	return options[i].Values()
}

// goarch is Go's word for one of [Architectures].
func goarch(arch string) string {
	if arch == "x86_64" {
		return "amd64"
	}
	return arch
}
