//go:build unix

package local

import "syscall"

func (p *process) stopGroup() bool {
	return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGSTOP) == nil
}

func (p *process) continueGroup() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGCONT)
}

// terminate sends SIGTERM to the bootstrap alone, as Lambda does.
func (p *process) terminate() {
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM)
}

func (p *process) killGroup() {
	// ESRCH, for a group that is gone already, is as good.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
}
