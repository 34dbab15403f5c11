package create

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/shell"
)

// Step is something to do with a new project.
type Step struct {
	// Command is for a shell.
	Command string `json:"command"`
	Why     string `json:"why"`
}

// command is the command that makes the same project again. If flags cannot say all of it, that is the one that was given.
func (o Options) command(spec generator.Spec, dir string) []string {
	line := []string{"golam", "new", dir}
	if strings.HasPrefix(dir, "-") {
		line[2] = "./" + dir
	}
	if !kinds.All().Flat(spec) {
		line = append(line, "--answers", o.AnswersFile)
		for _, option := range kinds.All().Options() {
			if value, given := o.Flags[option.Key]; given {
				line = append(line, "--"+option.Key, value)
			}
		}
		return line
	}
	if filepath.Base(dir) != spec.Name {
		line = append(line, "--name", spec.Name)
	}
	return append(append(line, kinds.All().Flags(spec)...), "--yes")
}

// nextSteps are what to do with a project in a folder.
func nextSteps(spec generator.Spec, dir string) []Step {
	var steps []Step
	if filepath.Clean(dir) != "." {
		steps = append(steps, Step{"cd " + shell.Quote(dir), ""})
	}
	made := "dist/" + spec.Functions[0].Name + "/bootstrap"
	if count := len(spec.Functions); count > 1 {
		made = fmt.Sprintf("%d functions in dist", count)
	}
	steps = append(steps, []Step{
		{"make test", "your tests, and the real function over the sample events"},
		{"make build", made + " for " + spec.Arch},
		{"make deploy", "with " + spec.Flavor().Requires},
	}...)
	return steps
}

// Line is a label and what belongs to it, one or more lines.
type Line struct {
	Label string
	Text  []string
}

// Describe lists the answers that made the project. Several functions are listed by name and kind.
func (r Result) Describe() []Line {
	options := generator.ProjectOptions()
	if len(r.Spec.Functions) == 1 {
		options = kinds.All().OptionsOf(r.Spec.Functions[0].Kind.Name())
	}
	var lines []Line
	for _, option := range options {
		answer := []string{option.Answer(r.Spec)}
		if option.Form == generator.Pairs {
			answer = strings.Split(answer[0], ",")
		}
		lines = append(lines, Line{option.Key, answer})
	}
	if kinds.All().Flat(r.Spec) {
		return lines
	}
	functions := Line{Label: "functions"}
	for _, f := range r.Functions {
		functions.Text = append(functions.Text, fmt.Sprintf("%s: %s, %d MB, %d s", f.Name, f.Kind, f.Memory, f.Timeout))
	}
	return slices.Concat(lines, []Line{functions})
}
