//go:build unix && !linux

package local

import (
	"os"
	"runtime"
	"syscall"
)

// Elsewhere than on Linux a running process can't be measured without the C library: memory is known at its end only, and no limit
// is enforced.

type memoryFiles struct{}

func (*memoryFiles) close() {}

func (p *process) resident() int64 { return 0 }

func (p *process) memory() (now, peak int64, ok bool) { return 0, 0, false }
func groupMemory() map[int]int64                      { return nil }

// peakMemory is what the kernel counted for a bootstrap that has ended, in bytes.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss)
	default:
		return int64(usage.Maxrss) << 10
	}
}
