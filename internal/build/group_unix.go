//go:build unix

package build

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// asGroup makes a command end together with all that it starts: go hands an interruption on to no compiler. The returned function is
// called when the command has ended.
func asGroup(command *exec.Cmd) (end func()) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cancelled := false
	command.Cancel = func() error {
		cancelled = true
		return syscall.Kill(-command.Process.Pid, syscall.SIGINT)
	}
	return func() {
		// What ignores the interruption is killed, and has a fifth of a second to be gone.
		for attempt := 0; cancelled && attempt < 40; attempt++ {
			if errors.Is(syscall.Kill(-command.Process.Pid, syscall.SIGKILL), syscall.ESRCH) {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}
