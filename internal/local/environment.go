package local

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"
)

// environment is an execution environment: one run of a bootstrap, from its init phase to its end, and the state of its Runtime API
// and Extensions API. It is never restarted; a new one takes its place.
type environment struct {
	fn         *function
	generation int
	stream     *logStream
	endpoint   *endpoint
	output     *output
	telemetry  *telemetry
	process    *process

	idleSince time.Time // with the function locked

	// For the goroutine that drives the environment.
	initDuration time.Duration
	initCPU      time.Duration
	memory       int64     // bytes used at most, as far as seen
	sampled      time.Time // when it was last seen, zero before the end of the first invocation
	checked      time.Time // when the memory limit was last looked at
	checks       int
	cpu          time.Duration // processor time used when it was last looked at

	changed chan struct{} // has a token after any change of the state below
	ended   chan struct{} // closed: requests of the APIs end

	mu         sync.Mutex
	poll       chan *invocation // the runtime waits in next; nil if it doesn't
	polled     bool             // it has done so at least once: the init phase is over for it
	asked      time.Time        // when the runtime or an extension last asked for an event
	initError  *failure         // as posted by the runtime
	invocation *invocation      // the current or the last one
	extensions map[string]*extension
	fatal      string // error type of an extension that gave up
}

// launch starts an execution environment. A failure is the function's, an error the machine's.
func (fn *function) launch(stream *logStream) (*environment, *failure, error) {
	e := &environment{
		fn:         fn,
		stream:     stream,
		changed:    make(chan struct{}, 1),
		ended:      make(chan struct{}),
		extensions: make(map[string]*extension),
	}
	e.telemetry = &telemetry{e: e}
	fn.mu.Lock()
	e.generation = fn.generation
	fn.mu.Unlock()
	var err error
	if e.endpoint, err = fn.lambda.newEndpoint(e.handler(), fn.BareRuntimeAPI); err != nil {
		return nil, nil, fmt.Errorf("runtime API for function %s: %w", fn.Name, err)
	}
	if e.output, err = newOutput(func(text []byte) {
		stream.line(bytes.Clone(text), false)
		e.telemetry.function(text)
	}); err != nil {
		e.endpoint.close()
		return nil, nil, fmt.Errorf("pipe for the output of function %s: %w", fn.Name, err)
	}
	e.telemetry.initStart()
	mark := runtimeAPIVariable + "=" + e.endpoint.address
	var group *cpuGroup
	if fn.Throttle {
		if group, err = newCPUGroup(cpuQuota(fn.MemorySize)); err != nil {
			e.output.close()
			e.endpoint.close()
			return nil, nil, fmt.Errorf("starting function %s: %w", fn.Name, err)
		}
	}
	e.process, err = startProcess(append(slices.Clone(fn.Wrapper), fn.Bootstrap), fn.Dir, fn.variables(e.endpoint.address, stream.name), mark, e.output.w, group)
	if err != nil {
		e.output.close()
		e.endpoint.close()
		if entrypointError(err) {
			return nil, &failure{errorType: "Runtime.InvalidEntrypoint", message: err.Error()}, nil
		}
		return nil, nil, fmt.Errorf("starting function %s: %w", fn.Name, err)
	}
	return e, nil, nil
}

// end ends the process and frees everything. Like Lambda it sends SIGTERM, and gives time, only to a function that registered an
// extension (Lambda Developer Guide, "Shutdown phase"); others get SIGKILL at once.
func (e *environment) end() {
	var grace time.Duration
	e.mu.Lock()
	if len(e.extensions) > 0 {
		grace = shutdownGrace
	}
	e.mu.Unlock()
	e.telemetry.close()
	e.process.end(grace, e.fn.lambda.force)
	e.process.memoryFiles.close()
	e.output.close()
	close(e.ended)
	e.endpoint.close()
}

// shutdownGrace is what a function with internal extensions has between SIGTERM and SIGKILL.
const shutdownGrace = 500 * time.Millisecond

// outcome is why a wait came to its end.
type outcome int

const (
	ready  outcome = iota // what was waited for is there
	exited                // the bootstrap ended
	timedOut
	closed // the Lambda is being closed
)

// sampleInterval is the time between two looks at the memory of a busy bootstrap; every groupSamples-th looks at its children too.
const (
	sampleInterval = 20 * time.Millisecond
	groupSamples   = 10
)

// await waits until the state fulfils the condition, which is called with the state locked. It enforces the memory limit meanwhile.
func (e *environment) await(condition func() bool, deadline time.Time) outcome {
	fulfilled := func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return condition()
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	// The interval goes on from one invocation to the next: they may all be shorter.
	check := time.NewTimer(time.Until(e.checked.Add(sampleInterval)))
	defer check.Stop()
	for {
		if fulfilled() {
			return ready
		}
		select {
		case <-e.changed:
		case <-check.C:
			e.checks++
			if e.sample(e.checks%groupSamples == 0) > int64(e.fn.MemorySize)<<20 {
				e.process.kill()
			}
			e.checked = time.Now()
			check.Reset(sampleInterval)
		case <-e.process.exited:
			if fulfilled() {
				return ready
			}
			return exited
		case <-timer.C:
			return timedOut
		case <-e.fn.lambda.ctx.Done():
			return closed
		}
	}
}

// sample looks at the memory in use, in bytes, and remembers the most there was.
func (e *environment) sample(group bool) int64 {
	now, peak, ok := e.process.memory()
	if !ok {
		return 0
	}
	if group {
		now = max(now, e.fn.lambda.groups.of(e.process.cmd.Process.Pid))
	}
	e.memory = max(e.memory, now, peak)
	return now
}

// sampleEnd brings the most memory up to date at the end of an invocation. If the last sample is recent, it takes another only if the bootstrap
// uses more than ever. What a short invocation takes up and gives back is then seen by a later sample, since the kernel keeps the peak.
func (e *environment) sampleEnd() {
	if time.Since(e.sampled) < sampleInterval && e.process.resident() <= e.memory {
		return
	}
	e.sample(false)
	e.sampled = time.Now()
}

// usedCPU is the processor time used since the last look, 0 if it can't be measured.
func (e *environment) usedCPU() time.Duration {
	now, ok := e.process.cpuTime()
	if !ok {
		return 0
	}
	used := now - e.cpu
	e.cpu = now
	return used
}

// notify wakes await. The caller may hold the lock.
func (e *environment) notify() {
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// runtimeReady: the runtime has asked for the next event. With the state locked.
func (e *environment) runtimeReady() bool { return e.poll != nil }

// initialized: the runtime and all extensions have asked for their first event. With the state locked.
func (e *environment) initialized() bool {
	if e.poll == nil {
		return false
	}
	for _, x := range e.extensions {
		if x.poll == nil {
			return false
		}
	}
	return true
}

// idle: the runtime and the extensions that get INVOKE events have asked for the next one. With the state locked.
func (e *environment) idle() bool {
	if e.poll == nil {
		return false
	}
	for _, x := range e.extensions {
		if x.invoke && x.poll == nil {
			return false
		}
	}
	return true
}

// answered: the runtime has posted the outcome of the current invocation. With the state locked.
func (e *environment) answered() bool { return e.invocation.answer != nil }

// ask notes that the runtime or an extension has asked for an event. With the state locked.
func (e *environment) ask(at time.Time) {
	if at.After(e.asked) {
		e.asked = at
	}
}

// deliver hands the invocation to the runtime and to the extensions, all of which are waiting.
func (e *environment) deliver(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.invocation = inv
	for _, x := range e.extensions {
		// An extension that has reported an error since does not wait any more.
		if x.invoke && x.poll != nil {
			x.poll <- inv
			x.poll = nil
		}
	}
	e.poll <- inv
	e.poll = nil
}

// exitFailure is what Lambda reports of a process that has exited.
func (e *environment) exitFailure() *failure {
	f := &failure{errorType: "Runtime.ExitError", message: "Runtime exited without providing a reason"}
	if e.process.err != nil {
		f.message = "Runtime exited with error: " + e.process.err.Error()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fatal != "" {
		f.errorType = e.fatal
	}
	return f
}
