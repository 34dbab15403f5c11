//go:build !linux

package local

import (
	"errors"
	"os/exec"
	"time"
)

func (p *process) cpuTime() (time.Duration, bool) { return 0, false }

// cpuGroup limits processor time, which only Linux does for one process.
type cpuGroup struct{}

func newCPUGroup(time.Duration) (*cpuGroup, error) {
	return nil, errors.New("limit processor time: only Linux can")
}

func (g *cpuGroup) start(_ *exec.Cmd, start func() error) error { return start() }
func (g *cpuGroup) remove()                                     {}
