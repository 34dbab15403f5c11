package local

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxQueue is how many asynchronous invocations of a function may wait for an execution environment.
const maxQueue = 1000

// function is a Function and its execution environments.
type function struct {
	Function
	lambda *Lambda

	mu         sync.Mutex
	idle       []*environment // the most recently used is the last
	expiry     *time.Timer    // the next look for environments that have been idle for too long, nil if there is none
	total      int            // environments that exist or are about to, at most Concurrency
	ending     int            // environments that do not count any more, but whose processes may still run
	settling   int            // of these, the ones whose invocation is resolved but that are not idle yet
	waiting    []turn         // invocations that get the next environment, in their order
	generation int            // environments of an earlier one are not used again
	retired    bool           // it takes no more invocations
	gone       chan struct{}  // closed: it is retired, and no environment exists, ends or is about to exist
}

func newFunction(f Function, l *Lambda) *function {
	return &function{Function: f, lambda: l, gone: make(chan struct{})}
}

// errRetired says that another function has taken the place of this one.
var errRetired = errors.New("the function has been replaced")

// turn receives an invocation's environment, once.
type turn chan *environment

// acquire gives an invocation an environment, nil if it is to start one, or its turn to wait for. It takes the idle one that was used
// last, else waits for one that settles, else starts one. Beyond the concurrency limit the invocation is refused, or waits if it may
// queue.
//
// Lambda would not wait for an environment to settle (its runtime and extensions have yet to ask for their next event) but use
// another. For one client after the other that would make cold starts out of a race of microseconds.
func (fn *function) acquire(queue bool) (*environment, turn, error) {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	if fn.retired {
		return nil, nil, errRetired
	}
	for len(fn.idle) > 0 {
		e := fn.idle[len(fn.idle)-1]
		fn.idle = fn.idle[:len(fn.idle)-1]
		if !e.process.hasExited() {
			return e, nil, nil
		}
		// It died in its sleep. When the Lambda is being closed there are no idle ones.
		fn.total--
		fn.ending++
		fn.lambda.work.Go(func() { fn.endAll([]*environment{e}) })
	}
	switch {
	case fn.settling > len(fn.waiting):
	case fn.total < fn.Concurrency:
		fn.total++
		return nil, nil, nil
	case !queue || len(fn.waiting) >= maxQueue:
		return nil, nil, &RequestError{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded."}
	}
	t := make(turn, 1)
	fn.waiting = append(fn.waiting, t)
	return nil, t, nil
}

// wait waits for the turn that acquire gave.
func (fn *function) wait(ctx context.Context, t turn) (*environment, error) {
	var err error
	select {
	case e := <-t:
		return e, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-fn.lambda.ctx.Done():
		err = ErrClosed
	}
	fn.mu.Lock()
	i := slices.Index(fn.waiting, t)
	if i >= 0 {
		fn.waiting = slices.Delete(fn.waiting, i, i+1)
	}
	fn.mu.Unlock()
	if i < 0 {
		// The turn came meanwhile: pass it on.
		fn.release(<-t)
	}
	return nil, err
}

// resolve lets the caller of an invocation go, whose environment will be free soon. Every invocation that got an environment is
// resolved once, then finished once.
func (fn *function) resolve(inv *invocation, err error) {
	fn.mu.Lock()
	fn.settling++
	fn.mu.Unlock()
	if err != nil {
		fn.ended(inv, nil, err)
	}
	inv.resolve(err)
}

// ended tells whoever wants to know. The result of an invocation does not change any more.
func (fn *function) ended(inv *invocation, report *Report, err error) {
	if fn.lambda.cfg.Ended != nil {
		result := inv.result
		if report != nil {
			own := *report
			result.Report = &own
		}
		fn.lambda.cfg.Ended(fn.Name, result, err)
	}
}

// finish gives back the environment of an invocation that has been resolved: idle, or nil if it has ended.
func (fn *function) finish(e *environment) {
	fn.give(e, func() { fn.settling-- })
}

// release gives back what acquire gave without using it: an idle environment, or nil for one that was never started.
func (fn *function) release(e *environment) {
	fn.give(e, func() {})
}

// give makes an environment idle, or hands it to the invocation whose turn it is. One that is not to be used again is ended first.
// Account is called with the function locked.
func (fn *function) give(e *environment, account func()) {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	// One that was started after the function had been retired has the newest generation.
	if e != nil && (e.generation != fn.generation || fn.retired || fn.lambda.ctx.Err() != nil) {
		fn.mu.Unlock()
		e.end()
		fn.mu.Lock()
		e = nil
	}
	account()
	switch {
	case len(fn.waiting) > 0:
		fn.waiting[0] <- e
		fn.waiting = fn.waiting[1:]
	case e == nil:
		fn.total--
		fn.leave()
	default:
		e.idleSince = time.Now()
		fn.idle = append(fn.idle, e)
		fn.expire()
	}
}

// lastOne is how many times as long the environment stays that was used last: the next invocation is likely to come.
const lastOne = 10

// expired returns how many of the idle environments, from the first on, have been idle for too long, and when the next one will have been.
// With the function locked.
func (fn *function) expired(now time.Time) (count int, next time.Time) {
	for i, e := range fn.idle {
		limit := fn.Idle
		if i == len(fn.idle)-1 {
			limit *= lastOne
		}
		if next = e.idleSince.Add(limit); next.After(now) {
			return i, next
		}
	}
	return len(fn.idle), time.Time{}
}

// expire makes sure that idle environments end when their time has come. With the function locked.
func (fn *function) expire() {
	if fn.Idle == 0 || fn.expiry != nil || len(fn.idle) == 0 {
		return
	}
	_, next := fn.expired(time.Time{})
	fn.expiry = time.AfterFunc(time.Until(next), func() { fn.lambda.spawn(func() { fn.endExpired(time.Now()) }) })
}

// endExpired ends the environments that have been idle for too long.
func (fn *function) endExpired(now time.Time) {
	fn.mu.Lock()
	fn.expiry = nil
	count, _ := fn.expired(now)
	ended := slices.Clone(fn.idle[:count])
	fn.idle = slices.Delete(fn.idle, 0, count)
	fn.total -= count
	fn.ending += count
	fn.expire()
	fn.mu.Unlock()
	fn.endAll(ended)
}

// retire lets no more invocations in, and ends the environments as they get idle.
func (fn *function) retire() {
	fn.mu.Lock()
	fn.retired = true
	fn.mu.Unlock()
	fn.reset()
}

// leave closes gone when nothing is left. With the function locked.
func (fn *function) leave() {
	if !fn.retired || fn.total+fn.ending > 0 {
		return
	}
	select {
	case <-fn.gone:
	default:
		close(fn.gone)
	}
}

// reset ends the idle environments now and the others when they have nothing to do.
func (fn *function) reset() {
	fn.mu.Lock()
	fn.generation++
	if fn.expiry != nil {
		fn.expiry.Stop()
		fn.expiry = nil
	}
	idle := fn.idle
	fn.idle = nil
	fn.total -= len(idle)
	fn.ending += len(idle)
	fn.mu.Unlock()
	fn.endAll(idle)
}

// endAll ends environments that count as ending.
func (fn *function) endAll(environments []*environment) {
	var ended sync.WaitGroup
	for _, e := range environments {
		ended.Go(e.end)
	}
	ended.Wait()
	fn.mu.Lock()
	defer fn.mu.Unlock()
	fn.ending -= len(environments)
	fn.leave()
}
