// Command golam makes, runs, measures and keeps up to date AWS Lambda projects in Go.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/golam-cli/golam/cmd"
	"github.com/golam-cli/golam/internal/terminal"
)

func main() {
	// Most commands end before their garbage matters: collecting it took 3 ms of golam new's 20.
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)                          // a second signal ends golam at once
	os.Exit(cmd.Run(ctx, os.Args[1:], terminal.System())) //nolint:gocritic // the process ends, and with it the notification
}
