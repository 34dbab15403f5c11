package cmd

import (
	"context"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/invoke"
)

// completionTime is how long somebody who has pressed the tab key waits at most.
const completionTime = 3 * time.Second

// plainName is a name that no shell takes for anything else.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// completeFunctions completes the names of functions of the project in the current folder, as many as the command takes.
func completeFunctions(most int) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(command.Context()), completionTime)
		defer cancel()
		// Completing downloads nothing.
		functions, _ := build.Functions(ctx, ".", append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local"))
		var names []cobra.Completion
		for _, function := range functions {
			if plainName.MatchString(function.Name) && !slices.Contains(args, function.Name) {
				names = append(names, function.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeExamples completes --example.
func (a *app) completeExamples(command *cobra.Command) {
	complete := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		examples, _ := invoke.Examples(".")
		var names []cobra.Completion
		for _, example := range examples {
			if plainName.MatchString(example.Name) {
				names = append(names, example.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	if err := command.RegisterFlagCompletionFunc("example", complete); err != nil {
		panic(err) // the command has the flag
	}
}
