package watch

import (
	"fmt"
	"slices"
	"time"

	"github.com/golam-cli/golam/internal/build"
)

// handover is a function of a debugger in between: the one before has the port until its invocation ends, be that at a breakpoint where
// somebody thinks. Later builds take the place of the next one meanwhile.
type handover struct {
	done chan struct{} // closed: it is over

	// With the session locked.
	next *build.Current // nil if the function has been removed
	used []string       // bootstraps that the ones before have, or would have had
}

// handoverPatience is the time after which it is not a process that ends that is waited for, but a person.
const handoverPatience = 2 * time.Second

// handOver serves a build when the one before has gone, or nothing if next is nil.
func (s *Session) handOver(name string, next *build.Current, before string) error {
	s.mu.Lock()
	if under := s.handovers[name]; under != nil {
		if under.next != nil {
			under.used = append(under.used, under.next.Bootstrap)
		}
		under.next = next
		s.mu.Unlock()
		return nil
	}
	h := &handover{done: make(chan struct{}), next: next, used: []string{before}}
	s.handovers[name] = h
	s.mu.Unlock()
	gone, err := s.lambda.Remove(name)
	if err != nil {
		s.endHandover(name, h, next)
		return err
	}
	s.handing.Go(func() { s.finish(name, h, gone) })
	return nil
}

// endHandover is false if there is another build than that.
func (s *Session) endHandover(name string, h *handover, served *build.Current) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.next != served {
		return false
	}
	delete(s.handovers, name)
	close(h.done)
	return true
}

func (s *Session) finish(name string, h *handover, gone <-chan struct{}) {
	for {
		patience := time.NewTimer(handoverPatience)
		for waiting := true; waiting; {
			select {
			case <-gone:
				waiting = false
			case <-patience.C:
				s.note("the new build of %s waits for the invocation that is under way: continue or end it in the debugger", name)
			case <-s.ctx.Done():
				waiting = false
			}
		}
		patience.Stop()
		s.mu.Lock()
		next, used := h.next, h.used
		h.used = nil
		s.mu.Unlock()
		if s.ctx.Err() == nil {
			for _, bootstrap := range used {
				if next == nil || bootstrap != next.Bootstrap {
					s.live.Forget(bootstrap)
				}
			}
			if next != nil {
				if _, err := s.lambda.Set(s.function(*next)); err != nil {
					s.unserve(name, fmt.Errorf("serve %s: %w", name, err))
				}
			}
		}
		if s.endHandover(name, h, next) || s.ctx.Err() != nil {
			return
		}
		if next != nil {
			s.mu.Lock()
			h.used = append(slices.Clone(h.used), next.Bootstrap)
			s.mu.Unlock()
		}
		var err error
		if gone, err = s.lambda.Remove(name); err != nil {
			return // the session ends
		}
	}
}

// unserve tells that a function is not served after all.
func (s *Session) unserve(name string, err error) {
	s.mu.Lock()
	state := s.state[name]
	state.Name, state.Serving, state.Broken, state.bootstrap = name, false, true, ""
	s.state[name], s.reasons[name] = state, err.Error()
	s.mu.Unlock()
	s.note("%v", err)
}
