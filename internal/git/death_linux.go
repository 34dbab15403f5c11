package git

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends git when golam is killed, so that it doesn't go on writing into a folder that the next golam sweeps. The caller
// keeps its thread (prctl(2), PR_SET_PDEATHSIG).
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
