package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/internal/invoke"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/screen"
	"github.com/golam-cli/golam/internal/watch"
)

func (a *app) watchCommand() *cobra.Command {
	var options watch.Options
	var env []string
	var debug bool
	command := &cobra.Command{
		Use:   "watch",
		Short: "Serve the functions of a project, and rebuild on save",
		Long: `Serve the functions of the project in the current folder on a local Lambda without containers, and swap in a new build whenever you save.
Invocations under way finish on the old build. While the source is broken, the last good build keeps serving.

One address serves everything: the Invoke API, HTTP requests for each function, a local event bus that the AWS SDK finds by itself, and an
endpoint for traces.`,
		Example: `  golam watch
  golam watch --env-file .env --rules rules.yaml
  golam watch --output json | jq 'select(.type == "invocation")'
  golam invoke --example authentication        # in another terminal`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(command *cobra.Command, _ []string) error {
			options.Dir, options.Environ = ".", os.Environ()
			if debug {
				var err error
				if options.Debugger, err = findDebugger(); err != nil {
					return err
				}
			}
			return a.watch(command.Context(), options, env, command.Flags().Changed)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&options.Address, "address", "", "serve at `HOST:PORT` (default "+watch.DefaultAddress+", or a free port if that is taken)")
	flags.StringVar(&options.EnvFile, "env-file", "", "set environment variables from a `FILE` of NAME=value lines, which is watched too")
	flags.StringArrayVar(&env, "env", nil, "set an environment variable of the functions, `NAME=VALUE`, or NAME to pass your own value; may be repeated")
	flags.StringVar(&options.Rules, "rules", "", "route events of the local bus by the rules in a `FILE`, which is watched too")
	limitFlags(flags, &options.Timeout, &options.MemorySize)
	flags.BoolVar(&debug, "debug", false, "build for debugging, and run the functions under Delve, at "+watch.DefaultDebugAddress+" and the next ports")
	flags.StringVar(&options.DebugAddress, "debug-address", "", "the first `HOST:PORT` of debuggers instead of "+watch.DefaultDebugAddress)
	flags.BoolVar(&options.Poll, "poll", false, "check for changes twice a second, for folders where the system does not report them (network drives)")
	return command
}

// findDebugger looks for Delve, which golam does not install.
func findDebugger() (string, error) {
	path, err := exec.LookPath("dlv")
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("--debug needs Delve on the PATH: run go install github.com/go-delve/delve/cmd/dlv@v1.27.2: %w", err)
	}
	return path, nil
}

func (a *app) watch(ctx context.Context, options watch.Options, env []string, given func(string) bool) (err error) {
	var problems []error
	if given("debug-address") && options.Debugger == "" {
		problems = append(problems, errors.New("--debug-address is of no use without --debug"))
	}
	if options.Debugger != "" && (given("timeout") || given("memory")) {
		problems = append(problems, errors.New("--debug sets its own timeout and memory: leave out --timeout and --memory"))
	}
	problems = append(problems, checkLimits(given, &options.Timeout, &options.MemorySize))
	options.Env, err = a.environment(env)
	if err = errors.Join(append(problems, err, options.Check())...); err != nil {
		return misuse.New("%s", err)
	}
	if options.Cache, err = os.UserCacheDir(); err != nil {
		return fmt.Errorf("find the user's cache folder: %w", err)
	}
	if a.output != "json" && a.streams.CanPrompt() && !a.accessible && !a.streams.Accessible() {
		return a.watchScreen(ctx, options)
	}
	if a.output == "json" {
		options.Events = func(e watch.Event) { _ = a.printJSONLine(e) }
	} else {
		options.Events = newLines(a).print
	}
	session, err := watch.Start(ctx, options)
	if err != nil {
		return err
	}
	<-ctx.Done()
	if err := closeWatch(session); err != nil {
		return err
	}
	return ctx.Err()
}

// watchScreen is watch on a terminal.
func (a *app) watchScreen(ctx context.Context, options watch.Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var session *watch.Session
	started := make(chan struct{})
	shown := screen.New(ctx, screen.Config{
		In: a.streams.In, Out: a.styledStdout(), Environ: options.Environ, Color: a.streams.Color() && !a.noColor,
		Actions: screen.Actions{
			Examples: func() ([]string, error) {
				examples, err := invoke.Examples(options.Dir)
				var names []string
				for _, example := range examples {
					names = append(names, example.Name)
				}
				return names, err
			},
			Invoke: func(ctx context.Context, function, example string) error {
				event, err := invoke.ReadExample(options.Dir, function, example)
				if err != nil {
					return err
				}
				<-started
				_, err = session.Invoke(ctx, function, local.Invocation{Payload: event})
				return err
			},
		},
	})
	options.Events = shown.Tell
	var err error
	if session, err = watch.Start(ctx, options); err != nil {
		return err
	}
	close(started)
	err = shown.Run()
	cancel() // nobody takes events any more
	if closing := closeWatch(session); closing != nil {
		return closing
	}
	if errors.Is(err, screen.ErrInterrupted) {
		return context.Canceled
	}
	return err
}

// watchCloseTime is how long functions may take to end.
const watchCloseTime = 2 * time.Second

func closeWatch(session *watch.Session) error {
	closing, cancel := context.WithTimeout(context.Background(), watchCloseTime)
	defer cancel()
	return session.Close(closing)
}
