//go:build unix

package build

import (
	"os/exec"
	"syscall"
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
		if cancelled {
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // ESRCH if nothing is left
		}
	}
}
