package watch

import (
	"cmp"
	"maps"
	"slices"
)

// uses tells which functions are needed first.
type uses struct {
	waited map[string]int // how many wait for the function's build
	last   map[string]int // when it was last used, as a count of all uses
	count  int
	next   chan struct{} // closed and replaced with each look at the project
}

func newUses() uses {
	return uses{waited: map[string]int{}, last: map[string]int{}, next: make(chan struct{})}
}

func (u *uses) use(function string) {
	u.count++
	u.last[function] = u.count
}

func (u *uses) leave(function string) {
	if u.waited[function]--; u.waited[function] == 0 {
		delete(u.waited, function)
	}
}

func (u *uses) looked() {
	close(u.next)
	u.next = make(chan struct{})
}

// await marks a function as one that somebody waits for until what it returns is called.
func (s *Session) await(function string) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses.waited[function]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.uses.leave(function)
	}
}

// The go command works on several functions at a time, and takes a moment to start. So few functions are built at once, and many in parts.
const (
	fewFunctions = 4
	partSize     = 12
)

// next chooses what to build first of the functions that are out of date: those that somebody waits for, then those that were used last.
func (s *Session) next(stale []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	waited := slices.DeleteFunc(slices.Clone(stale), func(name string) bool { return s.uses.waited[name] == 0 })
	switch {
	case len(waited) > 0:
		return waited[:min(len(waited), fewFunctions)]
	case len(stale) <= fewFunctions:
		return stale
	}
	used := slices.SortedFunc(maps.Keys(s.uses.last), func(a, b string) int { return cmp.Compare(s.uses.last[b], s.uses.last[a]) })
	used = slices.DeleteFunc(used, func(name string) bool { return !slices.Contains(stale, name) })
	if len(used) > 0 {
		return used[:min(len(used), fewFunctions/2)]
	}
	return stale[:min(len(stale), partSize)]
}
