package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/golam-cli/golam/internal/benchmark"
	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/invoke"
	"github.com/golam-cli/golam/internal/misuse"
)

// benchOptions are the parsed command line of `golam bench`.
type benchOptions struct {
	benchmark.Options

	event, data, example string
	envFile              string
	env                  []string
	save, compare        string
	pictures             string
	limits               map[string]*string
}

func (a *app) benchCommand() *cobra.Command {
	options := benchOptions{limits: map[string]*string{}}
	command := &cobra.Command{
		Use:   "bench [FUNCTION...]",
		Short: "Measure cold starts, warm invocations, memory and size of functions",
		Long: `Measure the functions of the project in the current folder on a local Lambda: package, init, first response, warm invocations, CPU time and
memory. Without an argument golam measures all functions, with the same event. It writes nothing to the project.

A baseline contains the program that was measured. --compare runs it again, in turns with the current one, so that a busy machine affects
both equally. golam reports a difference only if the whole interval of its ratio is more than 1% from parity. Gates apply to sizes, medians
and, for --max-warm-p99, a percentile. If a function or a gate fails, the exit code is 1 and no baseline is saved.

The times are those of processes on this machine, for comparisons. They are not Lambda's.`,
		Example: `  golam bench
  golam bench --example authentication --runs 100 --pictures pictures
  golam bench --save before.json
  golam bench --compare before.json
  golam bench --throttle --memory 128
  golam bench --max-first 5ms --max-zip 3.1MB`,
		ValidArgsFunction: completeFunctions(math.MaxInt),
		RunE: func(command *cobra.Command, args []string) error {
			options.Functions = args
			options.Invoke.Dir, options.Invoke.Environ = ".", os.Environ()
			return a.bench(command.Context(), options, command.Flags())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&options.event, "event", "", "read the event from a `FILE`; - is standard input (default the first in the project's folder events)")
	flags.StringVar(&options.data, "data", "", "the event itself, as `JSON`")
	flags.StringVar(&options.example, "example", "", "use the event with this `NAME` from the project's events folder, or one of golam's")
	flags.IntVar(&options.Plan.Rounds, "runs", benchmark.DefaultRounds, "how many times a function is started")
	flags.IntVar(&options.Plan.Invocations, "invocations", benchmark.DefaultInvocations, "warm invocations after each start")
	flags.IntVar(&options.Plan.Concurrency, "concurrency", 1, "execution environments that work at the same time")
	flags.StringVar(&options.envFile, "env-file", "", "set environment variables from a `FILE` of NAME=value lines")
	flags.StringArrayVar(&options.env, "env", nil, "set an environment variable of the functions, `NAME=VALUE`, or NAME to pass your own value; may be repeated")
	limitFlags(flags, &options.Invoke.Timeout, &options.Invoke.MemorySize)
	flags.BoolVar(&options.Throttle, "throttle", false, "limit the CPU time to what Lambda gives for that memory, where control groups allow it")
	flags.StringVar(&options.save, "save", "", "write a baseline to a `FILE`")
	flags.StringVar(&options.compare, "compare", "", "compare with the baseline in a `FILE`, running both in turns")
	flags.StringVar(&options.pictures, "pictures", "", "draw times and contents as SVG files in a `FOLDER`")
	for _, gate := range benchmark.GateHelps() {
		options.limits[gate.Key] = flags.String("max-"+gate.Key, "", gate.Help)
	}
	a.completeExamples(command)
	return command
}

func (a *app) bench(ctx context.Context, options benchOptions, flags *pflag.FlagSet) error {
	if err := a.prepareBench(ctx, &options, flags); err != nil {
		return err
	}
	progress := a.newProgress()
	options.Progress = progress.show
	options.Contents = options.pictures != "" || a.output == "json"
	result, err := benchmark.Run(ctx, options.Options)
	progress.end()
	if err != nil {
		return err
	}
	// What is written to files comes first: a script that reads standard output may end early. Whatever fails there, the result is printed:
	// it took minutes.
	err = errors.Join(a.saveBaseline(options, result), a.drawPictures(options, result), a.printBench(result))
	if !result.Passed() {
		err = errors.Join(err, errors.New("a gate failed"))
	}
	return err
}

// saveBaseline leaves the baseline as it was if a gate failed: what is not good enough is nothing to compare with.
func (a *app) saveBaseline(options benchOptions, result benchmark.Result) error {
	switch {
	case options.save == "":
		return nil
	case !result.Passed():
		a.note("a gate failed, so %s is not saved", options.save)
		return nil
	}
	if err := result.Save(options.save, options.Invoke.Cache); err != nil {
		return err
	}
	a.note("saved the baseline %s", options.save)
	return nil
}

func (a *app) drawPictures(options benchOptions, result benchmark.Result) error {
	if options.pictures == "" {
		return nil
	}
	drawn, err := benchmark.WritePictures(options.pictures, result.Pictures())
	if err != nil {
		return err
	}
	a.note("drew %d pictures into %s", len(drawn), options.pictures)
	for _, f := range result.Functions {
		if f.PartsProblem != "" {
			a.note("there is no picture of what fills %s: %s", f.Name, f.PartsProblem)
		}
	}
	return nil
}

func (a *app) printBench(result benchmark.Result) error {
	if a.output == "json" {
		return a.printJSON(result)
	}
	if err := result.WriteText(a.stdout()); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// prepareBench parses what flags hold, and finds the event and the baseline. It tells everything that is wrong with the flags at once.
func (a *app) prepareBench(ctx context.Context, options *benchOptions, flags *pflag.FlagSet) error {
	var problems []string
	// found gathers what is misuse, and returns whatever else went wrong.
	found := func(err error) error {
		if misuse.Is(err) {
			problems = append(problems, err.Error())
			return nil
		}
		return err
	}
	if options.event == "-" && options.envFile == "-" {
		problems = append(problems, "--event and --env-file cannot both read standard input: use a file for one")
	}
	var sources []string
	for _, flag := range []string{"event", "data", "example"} {
		if flags.Changed(flag) {
			sources = append(sources, "--"+flag)
		}
	}
	if len(sources) == 0 || flags.Changed("example") {
		// Without a project there is neither a function nor an event of its own, which says more than the rest.
		if _, err := build.Open(options.Invoke.Dir); err != nil {
			if err := found(err); err != nil {
				return err
			}
		}
	}
	if len(sources) > 1 {
		problems = append(problems, strings.Join(sources, " and ")+" contradict each other: give one")
	}
	for _, name := range []string{"runs", "invocations", "concurrency"} {
		if value, _ := flags.GetInt(name); value < 1 {
			problems = append(problems, fmt.Sprintf("--%s %d: use a number from 1 on", name, value))
		}
	}
	limits := map[string]string{}
	for key, text := range options.limits {
		if flags.Changed("max-" + key) {
			limits[key] = *text
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find the user's cache folder: %w", err)
	}
	options.Invoke.Cache = cache
	for _, check := range []func() error{
		func() (err error) { options.Gates, err = benchmark.ParseGates(limits); return err },
		func() error { return checkLimits(flags.Changed, &options.Invoke.Timeout, &options.Invoke.MemorySize) },
		func() (err error) {
			if options.envFile == "-" && len(problems) > 0 {
				return nil // standard input is not waited for in vain
			}
			options.Invoke.Env, err = a.functionEnvironment(ctx, options.envFile, options.env)
			return err
		},
		func() error { return ifGiven(flags, "save", func() error { return benchmark.CheckSave(options.save) }) },
		func() error {
			return ifGiven(flags, "pictures", func() error { return benchmark.CheckPictures(options.pictures) })
		},
		func() error {
			return ifGiven(flags, "compare", func() (err error) {
				options.Baseline, err = benchmark.LoadBaseline(options.compare, cache)
				return err
			})
		},
	} {
		if err := found(check()); err != nil {
			return err
		}
	}
	// Standard input is not waited for in vain.
	if len(sources) <= 1 && (options.event != "-" || len(problems) == 0) {
		if err := a.benchEvent(ctx, options, flags); err != nil {
			if err := found(err); err != nil {
				return err
			}
		}
	}
	if len(problems) > 0 {
		return misuse.New("%s", strings.Join(problems, "\n"))
	}
	return nil
}

// benchEvent reads the event that flags name. Without such flags, and for an example, each function has an event of its own.
func (a *app) benchEvent(ctx context.Context, options *benchOptions, flags *pflag.FlagSet) (err error) {
	switch {
	case flags.Changed("event"):
		options.Invoke.Event, err = a.readEvent(ctx, options.event)
		return err
	case flags.Changed("data"):
		options.Invoke.Event = []byte(options.data)
		return nil
	}
	functions := options.Functions
	if len(functions) == 0 {
		all, err := build.Functions(ctx, options.Invoke.Dir, os.Environ())
		if err != nil || len(all) == 0 {
			_, noEvent := a.benchExample(*options, "")
			return cmp.Or(noEvent, err)
		}
		for _, function := range all {
			functions = append(functions, function.Name)
		}
	}
	events := map[string][]byte{}
	for _, function := range functions {
		if events[function], err = a.benchExample(*options, function); err != nil {
			return err
		}
		options.Invoke.Event = events[function]
		if err := options.Invoke.Check(); err != nil {
			return err
		}
	}
	options.Events = func(function string) ([]byte, error) { return events[function], nil }
	return nil
}

// benchExample reads the example that --example names, or else the first of the function's own.
func (a *app) benchExample(options benchOptions, function string) ([]byte, error) {
	if options.example != "" {
		return invoke.ReadExample(options.Invoke.Dir, function, options.example)
	}
	example, err := invoke.FirstExample(options.Invoke.Dir, function)
	if err != nil {
		return nil, err
	}
	a.note("the event of %s is %s", function, example.Path)
	return invoke.ReadExample(options.Invoke.Dir, function, example.Name)
}

func ifGiven(flags *pflag.FlagSet, name string, check func() error) error {
	if !flags.Changed(name) {
		return nil
	}
	return check()
}
