package terminal_test

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/internal/terminal"
)

func TestEndSignals(t *testing.T) {
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	t.Cleanup(func() { signal.Reset(os.Interrupt, syscall.SIGHUP) })
	if got, want := terminal.EndSignals(), []os.Signal{syscall.SIGTERM}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	signal.Reset(syscall.SIGHUP)
	if !signal.Ignored(syscall.SIGHUP) && !slices.Contains(terminal.EndSignals(), os.Signal(syscall.SIGHUP)) {
		t.Errorf("got %v, want %v among them", terminal.EndSignals(), syscall.SIGHUP)
	}
}
