package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/git"
	"github.com/golam-cli/golam/internal/wizard"
)

// newOptions are the parsed command line of `golam new`.
type newOptions struct {
	dir       string
	flags     generator.Answers // the option flags that were given
	answers   string
	yes       bool
	dryRun    bool
	overwrite bool
	force     bool
	git       bool
	gitGiven  bool
}

func (a *app) newCommand() *cobra.Command {
	values := map[string]*string{}
	var options newOptions
	var noGit bool
	command := &cobra.Command{
		Use:   "new [DIR]",
		Short: "Create a project",
		Long: `Create a project in DIR: a Cognito token customizer on AWS Lambda, with tests, infrastructure and checks.

On a terminal golam asks questions. Anywhere else it takes flags or --answers, and defaults for the rest; then it needs at least one option,
--yes or --answers.`,
		Example: `  golam new demo
  golam new demo --yes
  golam new demo --trigger v3 --claims tenant_id=custom:tenant_id --yes
  golam new copy --answers demo/golam.yaml --name copy`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("golam new takes one folder: remove %q", args[1:])
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				options.dir = args[0]
			}
			options.flags = generator.Answers{}
			for key, value := range values {
				if command.Flags().Changed(key) {
					options.flags[key] = *value
				}
			}
			if command.Flags().Changed("git") && command.Flags().Changed("no-git") {
				return usage("--git and --no-git contradict each other: give one")
			}
			if options.force && !options.overwrite {
				return usage("--force replaces edited files: give --overwrite with it")
			}
			options.gitGiven = command.Flags().Changed("git") || command.Flags().Changed("no-git")
			options.git = options.git && !noGit
			if _, set := os.LookupEnv("GOGC"); !set { // it ends before its garbage matters: collecting it took 3 ms of 20
				defer debug.SetGCPercent(debug.SetGCPercent(400))
			}
			return a.new(command.Context(), options)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	for _, option := range kinds.All().Options() {
		if option.IsSwitch() {
			value := new(switchFlag)
			values[option.Key] = (*string)(value)
			flags.VarPF(value, option.Key, "", flagHelp(option)).NoOptDefVal = "true"
		} else {
			values[option.Key] = flags.String(option.Key, "", flagHelp(option))
		}
		if option.Form == generator.Choose {
			complete := cobra.FixedCompletions(completions(option), cobra.ShellCompDirectiveNoFileComp)
			if err := command.RegisterFlagCompletionFunc(option.Key, complete); err != nil {
				panic(err) // the flag was made in the line above
			}
		}
	}
	flags.BoolVarP(&options.yes, "yes", "y", false, "ask nothing: use the default for everything that is not given")
	flags.StringVar(&options.answers, "answers", "", "read answers from a YAML `FILE`, such as the golam.yaml of a project; - is standard input")
	flags.BoolVar(&options.dryRun, "dry-run", false, "write nothing, and show what would be written")
	flags.BoolVar(&options.overwrite, "overwrite", false, "write into a folder that is not empty: replace files that differ, but keep those that you edited")
	flags.BoolVar(&options.force, "force", false, "with --overwrite, also replace files that you edited")
	flags.BoolVar(&options.git, "git", true, "make a git repository with a first commit, if git is installed and DIR is not in a repository yet")
	flags.BoolVar(&noGit, "no-git", false, "make no git repository")
	return command
}

// switchFlag is the text of a flag that needs none. It is checked with the other answers.
type switchFlag string

// Set implements pflag.Value.
func (f *switchFlag) Set(text string) error { *f = switchFlag(text); return nil }

// String implements pflag.Value.
func (f *switchFlag) String() string { return string(*f) }

// Type implements pflag.Value: help shows no value.
func (*switchFlag) Type() string { return "bool" }

func flagHelp(option generator.Option) string {
	help := option.Flag
	if len(option.Choices) > 0 {
		help += ": " + strings.Join(option.Values(), ", ")
	}
	standard := option.Default
	if option.DefaultHelp != "" {
		standard = option.DefaultHelp
	}
	return fmt.Sprintf("%s (default %s)", help, standard)
}

func completions(option generator.Option) []cobra.Completion {
	var all []cobra.Completion
	for _, choice := range option.Choices {
		all = append(all, cobra.CompletionWithDesc(choice.Value, choice.Help))
	}
	return all
}

func (a *app) new(ctx context.Context, options newOptions) error {
	if options.dir != "" && !options.dryRun {
		if err := a.recover(options.dir); err != nil {
			return err
		}
	}
	spec, dir, err := a.resolve(ctx, options)
	if err != nil {
		return err
	}
	tree, err := generator.Render(spec)
	if err != nil {
		return err
	}
	result := newResult{DryRun: options.dryRun, Answers: spec.Answers(), Command: newLine(spec, dir), Next: nextSteps(spec, dir)}
	write := generator.WriteOptions{Overwrite: options.overwrite, Force: options.force, Prepare: a.prepare(options, dir, &result.Git)}
	if options.dryRun {
		result.Changes, err = generator.Plan(dir, tree, write)
		if err == nil && result.Changes.Target == generator.TargetExisting && !options.overwrite {
			err = &generator.NotEmptyError{Dir: dir}
		}
	} else {
		result.Changes, err = generator.Write(ctx, dir, tree, write)
	}
	if err != nil {
		return err
	}
	if !options.dryRun {
		result.Git.Note = options.gitNote(result.Changes, result.Git.Note)
	}
	if a.output == "json" {
		return a.printJSON(result)
	}
	a.printNew(spec, dir, result)
	return nil
}

// recover finishes or undoes what a golam that was killed began in the folder.
func (a *app) recover(dir string) error {
	recovery, err := generator.Recover(dir)
	switch recovery {
	case generator.RecoveryFinished:
		a.note("note: finished what an interrupted golam began in %s", dir)
	case generator.RecoveryUndone:
		a.note("note: undid what an interrupted golam began in %s", dir)
	case generator.RecoveryForeign:
		a.note("note: %s has a .golam-journal that your golam did not begin; it is ignored: remove it if nobody needs it", dir)
	}
	return err
}

// recoverProject does the same for the project that the folder is in: for each folder up to the one with the go.mod. Where there is none,
// the folders above are somebody else's.
func (a *app) recoverProject(dir string) error {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find %s: %w", dir, err)
	}
	folders := []string{absolute}
	for root := absolute; ; folders = append(folders, root) {
		if _, err := os.Lstat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root = filepath.Dir(root); root == folders[len(folders)-1] {
			folders = folders[:1]
			break
		}
	}
	for _, folder := range folders {
		if err := a.recover(folder); err != nil {
			return err
		}
	}
	return nil
}

// resolve gathers the answers and validates them. It returns the folder to make, too.
func (a *app) resolve(ctx context.Context, options newOptions) (generator.Spec, string, error) {
	answers := generator.Answers{}
	refusal := options.refuses() // of the folder; where there is nobody to wait for, the answers are judged too
	problems := &generator.InvalidError{}
	switch {
	case options.answers != "":
		data, err := a.readInput(ctx, "the answers", options.answers, generator.MaxAnswers)
		if err != nil {
			return generator.Spec{}, "", err
		}
		var invalid *generator.InvalidError
		if answers, err = kinds.All().ParseAnswers(data); errors.As(err, &invalid) {
			problems = invalid
		}
		if answers == nil {
			return generator.Spec{}, "", problems
		}
	case !options.yes && refusal != nil && (a.streams.CanPrompt() || len(options.flags) == 0):
		return generator.Spec{}, "", refusal
	case !options.yes && a.streams.CanPrompt():
		var err error
		if answers, err = a.ask(ctx, options); err != nil {
			return generator.Spec{}, "", err
		}
	case len(options.flags) == 0 && !options.yes:
		return generator.Spec{}, "", usage("there is nobody to ask: give --yes for the defaults, at least one option, or --answers FILE; see golam new --help")
	}
	for key, value := range options.flags {
		answers[key] = value
	}
	if _, named := answers["name"]; !named && options.dir != "" {
		absolute, err := filepath.Abs(options.dir)
		if err != nil {
			return generator.Spec{}, "", fmt.Errorf("find %s: %w", options.dir, err)
		}
		answers["name"] = filepath.Base(absolute)
	}
	spec, err := kinds.All().Resolve(answers)
	var invalid *generator.InvalidError
	if errors.As(err, &invalid) {
		problems.Problems = append(problems.Problems, invalid.Problems...)
	}
	switch {
	case len(problems.Problems) > 0 && refusal != nil:
		problems.Problems = append(problems.Problems, generator.Problem{Text: refusal.Error()})
		return generator.Spec{}, "", problems
	case len(problems.Problems) > 0:
		return generator.Spec{}, "", problems
	case refusal != nil:
		return generator.Spec{}, "", refusal
	}
	if _, flagged := options.flags["name"]; options.answers != "" && options.dir != "" && !flagged && filepath.Base(options.dir) != spec.Name &&
		filepath.Clean(options.dir) != "." {
		a.note("note: the name is %s, from the answers, and so is the stack that it deploys: --name makes it another", spec.Name)
	}
	return spec, options.target(spec), nil
}

// refuses tells early, before anybody answers a question, that the folder is not one to write to.
func (o newOptions) refuses() error {
	if o.dir == "" {
		return nil
	}
	changes, err := generator.Plan(o.dir, nil, generator.WriteOptions{})
	if err == nil && changes.Target == generator.TargetExisting && !o.overwrite {
		err = &generator.NotEmptyError{Dir: o.dir}
	}
	return err
}

// ask runs the wizard.
func (a *app) ask(ctx context.Context, options newOptions) (generator.Answers, error) {
	return wizard.Run(ctx, wizard.Config{
		In:         a.streams.In,
		Out:        a.styledStdout(),
		Accessible: a.accessible || a.streams.Accessible(),
		Colour:     a.streams.Colour() && !a.noColour,
		Given:      options.flags,
		Dir:        options.dir,
		Preview: func(spec generator.Spec) (wizard.Summary, error) {
			dir := options.target(spec)
			options := options
			options.dir = dir
			if err := options.refuses(); err != nil {
				return wizard.Summary{}, err
			}
			tree, err := generator.Render(spec)
			if err != nil {
				return wizard.Summary{}, err
			}
			line := newLine(spec, dir)
			summary := wizard.Summary{Dir: dir, Command: func(width int) []string { return shellLines(line, width) }}
			for _, file := range tree {
				summary.Files = append(summary.Files, file.Path)
			}
			return summary, nil
		},
	})
}

// target is the folder to make: the one given, or one with the project's name.
func (o newOptions) target(spec generator.Spec) string {
	return cmp.Or(o.dir, spec.Name)
}

// prepare returns what makes the new project a repository, or nil where that is not wanted.
func (a *app) prepare(options newOptions, dir string, result *git.Result) func(context.Context, string) error {
	if !options.git {
		return nil
	}
	if !options.gitGiven {
		if !git.Available() {
			result.Note = "git is not installed, so the project is no repository"
			return nil
		}
		if git.InWorkTree(dir) {
			result.Note = "the folder is in a git repository already, so the project is none of its own (--git makes it one)"
			return nil
		}
	}
	return func(ctx context.Context, staging string) error {
		made, err := git.Start(ctx, staging, "Start from golam")
		switch {
		case err == nil || ctx.Err() != nil:
		case options.gitGiven:
			err = fmt.Errorf("%w; --no-git makes the project without a repository", err)
		default:
			made.Note = "the project is no repository: " + err.Error()
			err = os.RemoveAll(filepath.Join(staging, ".git")) // git may have begun
		}
		*result = made
		return err
	}
}

// gitNote says why there is no repository, or no commit. Only a new project becomes a repository, for which note tells.
func (o newOptions) gitNote(changes generator.Changes, note string) string {
	switch changes.Target {
	case generator.TargetAbsent, generator.TargetEmpty:
		return note
	}
	_, err := os.Lstat(filepath.Join(changes.Dir, ".git"))
	switch {
	case o.git && err == nil:
		return "the folder is a git repository already, so golam commits nothing to it"
	case o.git && o.gitGiven:
		return "golam makes repositories of new projects only: to make this one, git init"
	}
	return ""
}

// newResult is what `golam new --output json` prints.
type newResult struct {
	generator.Changes
	DryRun  bool              `json:"dryRun"`
	Answers generator.Answers `json:"answers"`
	Command []string          `json:"command"`
	Git     git.Result        `json:"git"`
	Next    []nextStep        `json:"next"`
}

type nextStep struct {
	Command string `json:"command"`
	Why     string `json:"why"`
}

// newLine is the command that makes the same project again.
func newLine(spec generator.Spec, dir string) []string {
	line := []string{"golam", "new", dir}
	if strings.HasPrefix(dir, "-") {
		line[2] = "./" + dir
	}
	if filepath.Base(dir) != spec.Name {
		line = append(line, "--name", spec.Name)
	}
	return append(append(line, spec.Flags()...), "--yes")
}

func nextSteps(spec generator.Spec, dir string) []nextStep {
	var steps []nextStep
	if filepath.Clean(dir) != "." {
		steps = append(steps, nextStep{"cd " + quote(dir), ""})
	}
	steps = append(steps, []nextStep{
		{"make test", "the policy, and the real function over the sample events"},
		{"make build", "dist/token-customizer/bootstrap for " + spec.Arch},
	}...)
	switch spec.IaC {
	case "sam":
		steps = append(steps, nextStep{"make deploy", "with the SAM CLI and AWS credentials"})
	case "cdk":
		steps = append(steps, nextStep{"make deploy", "with npm and AWS credentials"})
	}
	return steps
}

func (a *app) printNew(spec generator.Spec, dir string, result newResult) {
	out := a.stdout()
	counts := map[generator.Action]int{}
	for _, file := range result.Files {
		counts[file.Action]++
	}
	verb := map[bool]string{false: "made", true: "would make"}[result.DryRun]
	fmt.Fprintf(out, "%s: %s %d files", dir, verb, counts[generator.ActionCreate])
	if result.Target == generator.TargetExisting {
		fmt.Fprintf(out, ", %d replaced, %d unchanged", counts[generator.ActionReplace], counts[generator.ActionUnchanged])
		if counts[generator.ActionKeep] > 0 {
			fmt.Fprintf(out, ", %d kept", counts[generator.ActionKeep])
		}
	}
	if result.Git.Commit {
		fmt.Fprint(out, ", committed to a new git repository")
	}
	fmt.Fprintln(out)
	if result.DryRun || result.Target == generator.TargetExisting || a.verbose {
		for _, file := range result.Files {
			if file.Action != generator.ActionKeep && (file.Action != generator.ActionUnchanged || a.verbose) {
				fmt.Fprintf(out, "  %-9s %s\n", file.Action, file.Path)
			}
		}
	}
	if counts[generator.ActionKeep] > 0 {
		fmt.Fprint(out, "\nEdited since golam made them, so they stay as they are (--force replaces them):\n")
		for _, file := range result.Files {
			if file.Action == generator.ActionKeep {
				fmt.Fprintf(out, "  %s\n", file.Path)
			}
		}
	}
	if a.quiet {
		return
	}
	fmt.Fprintln(out)
	column := 0
	for _, option := range kinds.All().Options() {
		column = max(column, len(option.Key))
	}
	for _, option := range kinds.All().Options() {
		answer := option.Answer(spec)
		if option.Form == generator.Pairs {
			answer = strings.ReplaceAll(answer, ",", "\n"+strings.Repeat(" ", column+4))
		}
		fmt.Fprintf(out, "  %-*s  %s\n", column, option.Key, answer)
	}
	fmt.Fprintf(out, "\nThe same again:\n%s\n", shellText(result.Command))
	if result.Git.Note != "" {
		a.note("\nnote: %s", result.Git.Note)
	}
	if result.DryRun {
		return
	}
	fmt.Fprintf(out, "\nNext:\n")
	for _, step := range result.Next {
		if step.Why == "" {
			fmt.Fprintln(out, shellText([]string{"cd", dir})) // it has no other without a reason
			continue
		}
		fmt.Fprintf(out, "  %-12s # %s\n", step.Command, step.Why)
	}
}
