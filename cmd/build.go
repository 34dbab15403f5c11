package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/units"
)

func (a *app) buildCommand() *cobra.Command {
	var options build.Options
	command := &cobra.Command{
		Use:   "build [FUNCTION...]",
		Short: "Build functions into reproducible packages for Lambda",
		Long: `Build the functions of the project in the current folder into dist/<function>/bootstrap and dist/<function>.zip, for the runtime
provided.al2023. The same source gives the same bytes in any folder and for any user.

Functions are main packages that call lambda.Start of aws-lambda-go, and those that golam.yaml names. Without an argument golam builds all of
them. If some can't be built, golam builds the others and exits with code 1.`,
		Example: `  golam build
  golam build token-customizer --arch x86_64
  golam build --include config/rules.json --verify`,
		ValidArgsFunction: completeFunctions(math.MaxInt),
		RunE: func(command *cobra.Command, args []string) error {
			options.Dir, options.Functions, options.Environ = ".", args, os.Environ()
			options.Progress = func(text string) { a.note("%s", text) }
			options.Cache, _ = os.UserCacheDir() // without one, nothing is kept for the next build
			return a.build(command.Context(), options)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&options.Arch, "arch", "", "the processor: "+strings.Join(build.Architectures(), " or ")+
		" (default what golam.yaml says, else "+build.Architectures()[0]+")")
	flags.StringArrayVar(&options.Include, "include", nil, "add a file or folder of the project to every package, at its `PATH`; may be repeated")
	flags.BoolVar(&options.Verify, "verify", false, "build twice, the second time from a copy with an empty build cache, and compare")
	complete := cobra.FixedCompletions(build.Architectures(), cobra.ShellCompDirectiveNoFileComp)
	if err := command.RegisterFlagCompletionFunc("arch", complete); err != nil {
		panic(err) // the flag was made above
	}
	return command
}

func (a *app) build(ctx context.Context, options build.Options) error {
	result, err := build.Build(ctx, options)
	if err != nil {
		return err
	}
	if a.output == "json" {
		err = a.printJSON(result)
	} else {
		err = a.printBuild(result)
	}
	if err != nil {
		return err
	}
	return failedBuild(result.Failed)
}

// failedBuild is the error of a build of which some functions are missing. A reason that several share is told once.
func failedBuild(failed []build.Failed) error {
	if len(failed) == 0 {
		return nil
	}
	var names []string
	var reasons []error
	for _, f := range failed {
		names = append(names, f.Name)
		if !slices.ContainsFunc(reasons, func(err error) bool { return err.Error() == f.Problem }) {
			reasons = append(reasons, f.Err)
		}
	}
	return fmt.Errorf("not built: %s; dist keeps what it had of them\n%w", strings.Join(names, ", "), errors.Join(reasons...))
}

// heaviest picks the modules that are worth showing: the five largest parts of the standard library, and the five largest others, since
// these can be done without.
func heaviest(modules []build.Module) []build.Module {
	const most = 5
	var shown []build.Module
	counts := map[bool]int{}
	for _, module := range modules {
		standard := strings.HasPrefix(module.Path, "std/")
		if counts[standard]++; counts[standard] <= most {
			shown = append(shown, module)
		}
	}
	return shown
}

func (a *app) printBuild(result build.Result) error {
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "%s, %s", result.Arch, result.Go)
	if result.Verified {
		fmt.Fprint(out, ", verified: a second build gave the same bytes")
	}
	fmt.Fprint(out, "\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "function\tbinary\tchange\tpackage\tchange\tof 50 MB zipped\tof 250 MB unzipped")
	for _, f := range result.Functions {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, units.Megabytes(f.Bootstrap.Bytes), change(f.Bootstrap.Change),
			units.Megabytes(f.Zip.Bytes), change(f.Zip.Change), percent(f.Zip.Bytes, quotas.MaxZipped), percent(f.Unzipped, quotas.MaxUnzipped))
	}
	_ = table.Flush()
	if !a.quiet {
		a.printModules(out, result)
	}
	fmt.Fprintln(out)
	for _, f := range result.Functions {
		for _, made := range []build.Artifact{f.Bootstrap, f.Zip} {
			fmt.Fprintf(out, "%s  %s\n", made.SHA256, made.Path)
		}
	}
	if _, err := a.stdout().Write(out.Bytes()); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	for _, note := range result.Notes {
		a.note("note: %s", note)
	}
	for _, f := range result.Functions {
		if f.Zip.Bytes > quotas.MaxZipped {
			a.note("note: %s is too large for a direct upload: upload it to S3 first", f.Zip.Path)
		}
	}
	return nil
}

func (a *app) printModules(out io.Writer, result build.Result) {
	for _, f := range result.Functions {
		if f.ModulesProblem != "" {
			a.note("note: the parts of %s are not known: %s", f.Name, f.ModulesProblem)
			continue
		}
		fmt.Fprintf(out, "\n%s, by code (an estimate of each module's part):\n", f.Name)
		for _, module := range heaviest(f.Modules) {
			fmt.Fprintf(out, "  %5.1f %%  %s\n", 100*module.Share, strings.TrimSpace(module.Path+" "+module.Version))
		}
	}
}

func percent(bytes, limit int64) string {
	return fmt.Sprintf("%.1f %%", 100*float64(bytes)/float64(limit))
}

// change is in bytes, since small ones are of interest too.
func change(bytes *int64) string {
	switch {
	case bytes == nil:
		return "new"
	case *bytes == 0:
		return "none"
	}
	return fmt.Sprintf("%+d B", *bytes)
}
