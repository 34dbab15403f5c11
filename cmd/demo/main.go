// Command demo generates a project, builds its function, and shows which claims it puts into the tokens of the sample events. It is not
// part of golam: make demo runs it from a checkout. It needs Go and, for the first time, the modules of the project.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/demo"
	"github.com/golam-cli/golam/internal/terminal"
)

func main() {
	// A closed pipe or terminal ends the demonstration in good order too, with nothing left behind.
	ctx, stop := signal.NotifyContext(context.Background(), append(terminal.EndSignals(), syscall.SIGPIPE)...)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal.System())) //nolint:gocritic // the process ends, and with it the notification
}

// run returns the exit code: 0 done, 1 failed or an answer that Cognito would refuse, 2 bad usage, 130 interrupted.
func run(ctx context.Context, args []string, streams terminal.Streams) int {
	styled := streams.Out // the demo makes printable what is not its own
	streams.Out, streams.Err = terminal.Safe(streams.Out), terminal.Safe(streams.Err)
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(streams.Err)
	trigger := flags.String("trigger", "v2", "the `version` of the trigger: v1, v2 or v3")
	keep := flags.Bool("keep", false, "keep the generated project")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(streams.Err, "demo takes no argument: remove %q\n", flags.Args())
		return 2
	}
	summary, err := demo.Run(ctx, demo.Options{Trigger: *trigger, Keep: *keep, Out: styled, Color: streams.Color()})
	var invalid *generator.InvalidError
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(streams.Err, "\ndemo: interrupted")
		return 130
	case errors.As(err, &invalid):
		fmt.Fprintf(streams.Err, "demo: %v\n", err)
		return 2
	case err != nil:
		fmt.Fprintf(streams.Err, "\ndemo: %v\n", err)
		return 1
	}
	if summary.Project != "" {
		fmt.Fprintf(streams.Out, "\nThe project is in %s\n", summary.Project)
	} else {
		fmt.Fprintln(streams.Out, "\nTo keep this project:  go run ./cmd/demo -keep\nTo make your own:      go run ./cmd/golam new")
	}
	if summary.Errors > 0 {
		return 1
	}
	return 0
}
