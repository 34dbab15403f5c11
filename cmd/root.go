// Package cmd is golam's command line: one file for each command, thin. A command reads its flags, calls the package that does the work,
// and prints the result. Nothing else in golam prints or exits.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/files"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/terminal"
	"github.com/golam-cli/golam/internal/wizard"
)

// Exit codes of every command.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// app is what commands share.
type app struct {
	streams terminal.Streams

	output     string
	quiet      bool
	verbose    bool
	noColor    bool
	accessible bool
}

// Run runs one command line and returns the exit code. The context ends when a signal asks golam to stop.
func Run(ctx context.Context, args []string, streams terminal.Streams) int {
	a := &app{streams: streams}
	root := a.root()
	root.SetArgs(joinSwitches(args))
	err := root.ExecuteContext(ctx)
	return a.report(ctx, err)
}

// joinSwitches lets a switch of golam new take its value as every other option does: `--eventbridge true` is `--eventbridge=true`.
func joinSwitches(args []string) []string {
	switches := map[string]bool{}
	for _, option := range kinds.All().Options() {
		if option.IsSwitch() {
			switches["--"+option.Key] = true
		}
	}
	var joined []string
	for _, arg := range args {
		if last := len(joined) - 1; last >= 0 && switches[joined[last]] && (arg == "true" || arg == "false") {
			joined[last] += "=" + arg
			continue
		}
		joined = append(joined, arg)
	}
	return joined
}

func (a *app) root() *cobra.Command {
	var showVersion bool
	root := &cobra.Command{
		Use:           "golam",
		Short:         "Create, run, package and measure AWS Lambda functions in Go",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.output != "text" && a.output != "json" {
				return misuse.New("%s", generator.Unknown("--output", a.output, []string{"text", "json"}))
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			if showVersion {
				return a.printVersion()
			}
			return command.Help()
		},
	}
	root.SetIn(a.streams.In)
	root.SetOut(a.stdout())
	root.SetErr(a.stderr())
	root.SetFlagErrorFunc(flagError)
	root.Flags().BoolVar(&showVersion, "version", false, "print the version, as golam version does")
	flags := root.PersistentFlags()
	flags.StringVar(&a.output, "output", "text", "how to print the result: text or json")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print only the result and errors")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "print more about what golam does")
	flags.BoolVar(&a.noColor, "no-color", false, "use no color (NO_COLOR does the same)")
	flags.BoolVar(&a.accessible, "accessible", false, "ask in plain lines, for screen readers (ACCESSIBLE=1 does the same)")
	root.SetHelpCommand(helpCommand(root))
	root.AddCommand(a.newCommand(), a.variantsCommand(), a.versionCommand())
	for _, command := range []*cobra.Command{a.buildCommand(), a.invokeCommand(), a.watchCommand(), a.benchCommand()} {
		command.PreRunE = func(*cobra.Command, []string) error { return a.recoverProject(".") }
		root.AddCommand(command)
	}
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// helpCommand is that of cobra, but it refuses what it has no help for.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show what a command does and takes",
		// Whatever a project holds, help is there.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			command, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []cobra.Completion
			for _, sub := range command.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			command, rest, err := root.Find(args)
			switch {
			case command == nil, err != nil && !command.HasParent():
				return noArgs(root, args)
			case len(rest) > 0 || err != nil:
				return noArgs(command, rest)
			}
			command.InitDefaultHelpFlag()
			return command.Help()
		},
	}
}

// flagError names the flag that was most likely meant.
func flagError(command *cobra.Command, err error) error {
	text := err.Error()
	name, found := strings.CutPrefix(text, "unknown flag: --")
	if words := command.Flags().Args(); !command.HasParent() && len(words) > 0 { // no command was found, so the flags are those of none
		return noArgs(command, words)
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return misuse.New("--%s %q: use %s", invalid.GetFlag().Name, invalid.GetValue(), wanted(invalid.GetFlag()))
	}
	if !found {
		return misuse.New("%s: see %s --help", text, command.CommandPath())
	}
	return misuse.New("%s", generator.Unknown("flag", "--"+name, flagNames(command)))
}

// wanted says what a flag takes.
func wanted(flag *pflag.Flag) string {
	switch unit, _ := pflag.UnquoteUsage(flag); {
	case flag.Value.Type() == "duration":
		return "a duration such as 4s"
	case flag.Value.Type() == "bool":
		return "true or false"
	case flag.Value.Type() == "int" && unit == "MB":
		return "a whole number of MB such as 256"
	case flag.Value.Type() == "int":
		return "a whole number"
	}
	return "another value"
}

// flagNames returns every flag of a command, with its dashes.
func flagNames(command *cobra.Command) []string {
	var names []string
	add := func(flag *pflag.Flag) { names = append(names, "--"+flag.Name) }
	command.Flags().VisitAll(add)
	command.InheritedFlags().VisitAll(add)
	return names
}

// noArgs refuses arguments, and takes one that is close to a command's name for a slip.
func noArgs(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !command.HasAvailableSubCommands() {
		return misuse.New("%s takes no argument: remove %q", command.CommandPath(), args[0])
	}
	var names []string
	for _, sub := range command.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return misuse.New("%s", generator.Unknown("command", args[0], names))
}

// report prints an error for people and turns it into the exit code. The codes are told apart here and nowhere else.
func (a *app) report(ctx context.Context, err error) int {
	var (
		invalid   *generator.InvalidError
		notEmpty  *generator.NotEmptyError
		notFolder *generator.NotFolderError
		conflict  *generator.ConflictError
		foreign   *generator.ForeignJournalError
		locked    *generator.LockError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, wizard.ErrAborted):
		fmt.Fprintf(a.stderr(), "golam: %v\n", err)
		return exitInterrupted
	case ctx.Err() != nil && !onlyCancelled(err):
		// Something else went wrong, at the end maybe, so something may be left behind.
		fmt.Fprintf(a.stderr(), "golam: interrupted: %v\n", err)
		return exitInterrupted
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		fmt.Fprintln(a.stderr(), "golam: interrupted, nothing is left behind")
		return exitInterrupted
	case errors.As(err, &invalid):
		fmt.Fprintf(a.stderr(), "golam: invalid answers:\n")
		for line := range strings.Lines(invalid.Error()) {
			fmt.Fprintf(a.stderr(), "  %s\n", strings.TrimSuffix(line, "\n"))
		}
		return exitUsage
	case errors.As(err, &notEmpty):
		fmt.Fprintf(a.stderr(), "golam: %v (--overwrite; with --dry-run it tells first what would change)\n", err)
		return exitUsage
	case errors.As(err, &locked):
		fmt.Fprintf(a.stderr(), "golam: %v (--force)\n", err)
		return exitUsage
	case misuse.Is(err), errors.As(err, &notFolder), errors.As(err, &conflict), errors.As(err, &foreign):
		fmt.Fprintf(a.stderr(), "golam: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(a.stderr(), "golam: %v\n", err)
	return exitFailed
}

// onlyCancelled reports whether an error, with all that it joins, is that of a context that has ended.
func onlyCancelled(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !onlyCancelled(err) })
	}
	if inner := errors.Unwrap(err); inner != nil {
		return onlyCancelled(inner)
	}
	return errors.Is(err, context.Canceled)
}

// readInput reads a file, or standard input for "-", until it ends or the context does. Of what is larger than most bytes it returns one
// byte more than that. What names the content in errors.
func (a *app) readInput(ctx context.Context, what, name string, most int64) ([]byte, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = readUntil(ctx, a.streams.In, most)
	} else {
		data, err = files.ReadInput(ctx, name, most)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, misuse.New("%s cannot be read: %v", what, err)
	}
	return data, nil
}

// readUntil reads until the input ends or the context does, when a read may go on in the background.
func readUntil(ctx context.Context, input io.Reader, most int64) ([]byte, error) {
	type read struct {
		data []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(input, most+1))
		done <- read{data, err}
	}()
	select {
	case read := <-done:
		return read.data, read.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
