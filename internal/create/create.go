// Package create does what `golam new` does: it gathers the answers, renders the project, writes it, and makes it a git repository.
//
// What belongs here: where answers come from, whether a folder can be written to, the repository, and what to tell the user about the new
// project. What does not belong here: options and templates (generator), questions (internal/wizard), printing (cmd).
package create

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/git"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/project"
	"github.com/golam-cli/golam/internal/shell"
	"github.com/golam-cli/golam/internal/wizard"
)

// Options say what to make, and where.
type Options struct {
	// Dir is the folder to make. If it is empty, the folder has the project's name.
	Dir string
	// Flags are the answers that flags give. They win over others.
	Flags generator.Answers
	// Answers is the content of an answers file, and AnswersFile its name, or empty if there is no file.
	Answers     []byte
	AnswersFile string
	// Defaults takes the default for everything that is not given, and asks nothing.
	Defaults bool
	// Terminal is where somebody can be asked, or nil.
	Terminal *Terminal
	// DryRun finds out what would be written, and writes nothing.
	DryRun bool
	// Overwrite and Force are those of [generator.WriteOptions].
	Overwrite, Force bool
	Git              Git
}

// Terminal is one that questions can be asked on. Its fields are those of [wizard.Config].
type Terminal struct {
	In                io.Reader
	Out               io.Writer
	Accessible, Color bool
}

// Git says whether the project becomes a git repository.
type Git int

const (
	// GitIfPossible makes a repository if git is installed and the folder is in no repository yet.
	GitIfPossible Git = iota
	// GitAlways makes a repository, or fails.
	GitAlways
	// GitNever makes none.
	GitNever
)

// Result is what was made.
type Result struct {
	generator.Changes
	DryRun bool `json:"dryRun"`
	// Answers are those of [generator.Spec.Answers].
	Answers   generator.Answers `json:"answers"`
	Functions []Function        `json:"functions"`
	// Command makes the same project again, without questions.
	Command []string   `json:"command"`
	Git     git.Result `json:"git"`
	// Next are what to do with the project.
	Next []Step `json:"next"`

	Spec generator.Spec `json:"-"`
	// Folder is the folder that was made, as the user would write it.
	Folder string `json:"-"`
	// Notes are worth knowing before the rest.
	Notes []string `json:"-"`
}

// Function is a function of the project.
type Function struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Memory is in MB, Timeout in seconds.
	Memory  int               `json:"memory"`
	Timeout int               `json:"timeout"`
	Answers generator.Answers `json:"answers"`
}

// Run makes a project.
//
// Errors: [misuse.Error], [generator.InvalidError], [wizard.ErrAborted], those of [generator.Write], the context's, and what the machine
// could not do.
func Run(ctx context.Context, options Options) (Result, error) {
	spec, notes, err := options.resolve(ctx)
	if err != nil {
		return Result{}, err
	}
	tree, err := generator.Render(spec)
	if err != nil {
		return Result{}, err
	}
	dir := options.target(spec)
	result := Result{
		DryRun: options.DryRun, Answers: spec.Answers(), Command: options.command(spec, dir), Next: nextSteps(spec, dir),
		Spec: spec, Folder: dir, Notes: notes,
	}
	for _, f := range spec.Functions {
		result.Functions = append(result.Functions, Function{f.Name, f.Kind.Name(), f.Memory, f.Timeout, f.Answers})
	}
	write := generator.WriteOptions{Overwrite: options.Overwrite, Force: options.Force, Prepare: options.prepare(dir, &result.Git)}
	if options.DryRun {
		result.Changes, err = options.plan(dir, tree, write)
		return result, err
	}
	if result.Changes, err = generator.Write(ctx, dir, tree, write); err != nil {
		return Result{}, err
	}
	result.Git.Note = options.gitNote(result.Changes, result.Git.Note)
	return result, nil
}

// plan finds out what would be written to a folder. It refuses one that is not to be written to.
func (o Options) plan(dir string, tree generator.Tree, write generator.WriteOptions) (generator.Changes, error) {
	changes, err := generator.Plan(dir, tree, write)
	if err == nil && changes.Target == generator.TargetExisting && !o.Overwrite {
		err = &generator.NotEmptyError{Dir: dir}
	}
	return changes, err
}

// refuses finds out early, before anybody answers a question, that the folder is not one to write to.
func (o Options) refuses(dir string) error {
	if dir == "" {
		return nil
	}
	_, err := o.plan(dir, nil, generator.WriteOptions{})
	return err
}

// target is the folder to make: the one given, or one with the project's name.
func (o Options) target(spec generator.Spec) string { return cmp.Or(o.Dir, spec.Name) }

// resolve gathers the answers and validates them. Notes are about where they come from.
func (o Options) resolve(ctx context.Context) (spec generator.Spec, notes []string, err error) {
	refusal := o.refuses(o.Dir) // if nobody waits for it, the answers are judged too
	answers, problems, err := o.gather(ctx, refusal)
	if err != nil {
		return generator.Spec{}, nil, err
	}
	maps.Copy(answers.Project, o.Flags)
	if _, named := answers.Project["name"]; !named && o.Dir != "" {
		absolute, err := filepath.Abs(o.Dir)
		if err != nil {
			return generator.Spec{}, nil, fmt.Errorf("find %s: %w", o.Dir, err)
		}
		answers.Project["name"] = filepath.Base(absolute)
	}
	spec, err = kinds.All().Resolve(answers.Project, answers.Functions...)
	if invalid, ok := errors.AsType[*generator.InvalidError](err); ok {
		problems = append(problems, invalid.Problems...)
	}
	switch {
	case len(problems) > 0 && refusal != nil:
		problems = append(problems, generator.Problem{Text: refusal.Error()})
		return generator.Spec{}, nil, &generator.InvalidError{Problems: problems}
	case len(problems) > 0:
		return generator.Spec{}, nil, &generator.InvalidError{Problems: problems}
	case refusal != nil:
		return generator.Spec{}, nil, refusal
	}
	if _, flagged := o.Flags["name"]; o.AnswersFile != "" && o.Dir != "" && !flagged && filepath.Base(o.Dir) != spec.Name && filepath.Clean(o.Dir) != "." {
		notes = append(notes, fmt.Sprintf("note: the name is %s, from the answers, and so is the stack that it deploys: --name makes it another", spec.Name))
	}
	return spec, notes, nil
}

// gather reads the answers from the file, asks for them, or takes the defaults. Problems are those of the file's form. Refusal is why the
// folder cannot be written to, or nil.
func (o Options) gather(ctx context.Context, refusal error) (answers project.Answers, problems []generator.Problem, err error) {
	answers.Project = generator.Answers{}
	switch {
	case o.AnswersFile != "":
		read, err := project.ParseAnswers(kinds.All(), o.Answers)
		if invalid, ok := errors.AsType[*generator.InvalidError](err); ok {
			problems = invalid.Problems
		}
		if read.Project == nil {
			return answers, nil, err
		}
		return read, problems, nil
	case o.Defaults:
	case refusal != nil && (o.Terminal != nil || len(o.Flags) == 0):
		return answers, nil, refusal
	case o.Terminal != nil:
		answers.Project, err = o.ask(ctx)
	case len(o.Flags) == 0:
		err = misuse.New("there is nobody to ask: give --yes for the defaults, at least one option, or --answers FILE; see golam new --help")
	}
	return answers, nil, err
}

// ask runs the wizard.
func (o Options) ask(ctx context.Context) (generator.Answers, error) {
	return wizard.Run(ctx, wizard.Config{
		In: o.Terminal.In, Out: o.Terminal.Out, Accessible: o.Terminal.Accessible, Color: o.Terminal.Color,
		Catalog: kinds.All(), Given: o.Flags, Dir: o.Dir,
		Preview: func(spec generator.Spec) (wizard.Summary, error) {
			dir := o.target(spec)
			if err := o.refuses(dir); err != nil {
				return wizard.Summary{}, err
			}
			tree, err := generator.Render(spec)
			if err != nil {
				return wizard.Summary{}, err
			}
			line := o.command(spec, dir)
			summary := wizard.Summary{Dir: dir, Command: func(width int) []string { return shell.Lines(line, width) }}
			for _, file := range tree {
				summary.Files = append(summary.Files, file.Path)
			}
			return summary, nil
		},
	})
}
