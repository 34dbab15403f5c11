//go:build !unix

package local

import "os"

func (p *process) memory() (now, peak int64, ok bool) { return 0, 0, false }
func (p *process) groupMemory() int64                 { return 0 }
func peakMemory(*os.ProcessState) int64               { return 0 }
