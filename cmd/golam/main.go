// Command golam makes, runs, measures and keeps up to date AWS Lambda projects in Go.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/golam-cli/golam/cmd"
	"github.com/golam-cli/golam/internal/terminal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), terminal.EndSignals()...)
	defer stop()
	context.AfterFunc(ctx, stop)                          // a second signal ends golam at once
	os.Exit(cmd.Run(ctx, os.Args[1:], terminal.System())) //nolint:gocritic // the process ends, and with it the notification
}
