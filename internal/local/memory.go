package local

import (
	"sync"
	"time"
)

// groups knows how much memory process groups use. One look tells of all of them, so busy environments share it.
type groups struct {
	mu     sync.Mutex
	looked time.Time
	memory map[int]int64 // bytes
}

// of is the resident memory of a group in bytes, as it was a moment ago.
func (g *groups) of(group int) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.looked) > groupSamples*sampleInterval/2 {
		g.memory = groupMemory()
		g.looked = time.Now()
	}
	return g.memory[group]
}
