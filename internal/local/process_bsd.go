//go:build unix && !linux

package local

import "syscall"

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// reap waits for the bootstrap and kills what is left of its process group. Descendants that left the group live on.
func (p *process) reap() error {
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killGroup()
	p.reaped = true
	return err
}
