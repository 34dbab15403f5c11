//go:build !unix

package local

import "os"

type memoryFiles struct{}

func (*memoryFiles) close() {}

func (p *process) resident() int64 { return 0 }

func (p *process) memory() (now, peak int64, ok bool) { return 0, 0, false }
func groupMemory() map[int]int64                      { return nil }
func peakMemory(*os.ProcessState) int64               { return 0 }
