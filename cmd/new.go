package cmd

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/create"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/project"
	"github.com/golam-cli/golam/internal/shell"
)

func (a *app) newCommand() *cobra.Command {
	values := map[string]*string{}
	var options create.Options
	var makeGit, noGit bool
	command := &cobra.Command{
		Use:   "new [DIR]",
		Short: "Create a project",
		Long: `Create a project in DIR with a function for AWS Lambda: its code, tests, infrastructure and checks. Without --kind, the function
` + kinds.All()[0].Help() + `.

On a terminal golam asks questions. Anywhere else it takes flags or --answers, and defaults for the rest; then it needs at least one option,
--yes or --answers.`,
		Example: `  golam new demo
  golam new demo --yes
  golam new demo --trigger v3 --claims tenant_id=custom:tenant_id --yes
  golam new copy --answers demo/golam.yaml --name copy`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse.New("golam new takes one folder: remove %q", args[1:])
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				options.Dir = args[0]
			}
			given := command.Flags().Changed
			options.Flags = generator.Answers{}
			for key, value := range values {
				if given(key) {
					options.Flags[key] = *value
				}
			}
			switch {
			case given("git") && given("no-git"):
				return misuse.New("--git and --no-git contradict each other: give one")
			case options.Force && !options.Overwrite:
				return misuse.New("--force replaces edited files: give --overwrite with it")
			case noGit || !makeGit:
				options.Git = create.GitNever
			case given("git") || given("no-git"):
				options.Git = create.GitAlways
			}
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
	flags.BoolVarP(&options.Defaults, "yes", "y", false, "ask nothing: use the default for everything that is not given")
	flags.StringVar(&options.AnswersFile, "answers", "", "read answers from a YAML `FILE`, such as the golam.yaml of a project; - is standard input")
	flags.BoolVar(&options.DryRun, "dry-run", false, "write nothing, and show what would be written")
	flags.BoolVar(&options.Overwrite, "overwrite", false, "write into a folder that is not empty: replace files that differ, but keep those that you edited")
	flags.BoolVar(&options.Force, "force", false, "with --overwrite, also replace files that you edited")
	flags.BoolVar(&makeGit, "git", true, "make a git repository with a first commit, if git is installed and DIR is not in a repository yet")
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

func (a *app) new(ctx context.Context, options create.Options) (err error) {
	if options.Dir != "" && !options.DryRun {
		if err := a.recover(options.Dir); err != nil {
			return err
		}
	}
	if options.AnswersFile != "" {
		if options.Answers, err = a.readInput(ctx, "the answers", options.AnswersFile, project.MaxSize); err != nil {
			return err
		}
	}
	if a.streams.CanPrompt() {
		options.Terminal = &create.Terminal{
			In: a.streams.In, Out: a.styledStdout(), Accessible: a.accessible || a.streams.Accessible(), Colour: a.streams.Colour() && !a.noColour,
		}
	}
	result, err := create.Run(ctx, options)
	if err != nil {
		return err
	}
	for _, note := range result.Notes {
		a.note("%s", note)
	}
	if a.output == "json" {
		return a.printJSON(result)
	}
	a.printNew(result)
	return nil
}

func (a *app) printNew(result create.Result) {
	out := a.stdout()
	counts := map[generator.Action]int{}
	for _, file := range result.Files {
		counts[file.Action]++
	}
	verb := map[bool]string{false: "made", true: "would make"}[result.DryRun]
	fmt.Fprintf(out, "%s: %s %d files", result.Folder, verb, counts[generator.ActionCreate])
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
	a.printFiles(result)
	if a.quiet {
		return
	}
	fmt.Fprintln(out)
	lines, column := result.Describe(), 0
	for _, line := range lines {
		column = max(column, len(line.Label))
	}
	for _, line := range lines {
		fmt.Fprintf(out, "  %-*s  %s\n", column, line.Label, strings.Join(line.Text, "\n"+strings.Repeat(" ", column+4)))
	}
	fmt.Fprintf(out, "\nThe same again:\n%s\n", shell.Text(result.Command))
	if result.Git.Note != "" {
		a.note("\nnote: %s", result.Git.Note)
	}
	if result.DryRun {
		return
	}
	fmt.Fprintf(out, "\nNext:\n")
	for _, step := range result.Next {
		if step.Why == "" {
			fmt.Fprintln(out, shell.Text([]string{"cd", result.Folder})) // it has no other without a reason
			continue
		}
		fmt.Fprintf(out, "  %-12s # %s\n", step.Command, step.Why)
	}
}

// printFiles lists what happens to files, unless a whole new project says it all.
func (a *app) printFiles(result create.Result) {
	out := a.stdout()
	var kept []string
	for _, file := range result.Files {
		shown := result.DryRun || result.Target == generator.TargetExisting || a.verbose
		switch {
		case file.Action == generator.ActionKeep:
			kept = append(kept, file.Path)
		case shown && (file.Action != generator.ActionUnchanged || a.verbose):
			fmt.Fprintf(out, "  %-9s %s\n", file.Action, file.Path)
		}
	}
	if len(kept) > 0 {
		fmt.Fprint(out, "\nEdited since golam made them, so they stay as they are (--force replaces them):\n")
	}
	for _, path := range kept {
		fmt.Fprintf(out, "  %s\n", path)
	}
}
