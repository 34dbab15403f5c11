package terminal

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// EndSignals are the signals that ask a program to end. What the shell made it ignore, as nohup does, stays ignored.
func EndSignals() []os.Signal {
	return slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, func(s os.Signal) bool {
		return s != syscall.SIGTERM && signal.Ignored(s)
	})
}
