//go:build !unix

package local

import "syscall"

// Without process groups and signals only the bootstrap itself is ended, and nothing is frozen.

func processAttributes() *syscall.SysProcAttr { return nil }

func (p *process) reap() error {
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	return err
}

func (p *process) stopGroup() bool { return false }
func (p *process) continueGroup()  {}
func (p *process) terminate()      {}
func (p *process) killGroup()      { _ = p.cmd.Process.Kill() }
