package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// failure is why a phase failed, as Lambda reports it.
type failure struct {
	errorType string
	message   string
	body      []byte // what the function posted itself, in place of the two
	timeout   bool
}

// payload is the failure as the caller gets it.
func (f *failure) payload(requestID string) []byte {
	if f.body != nil {
		return f.body
	}
	return failureBody(f.errorType, "RequestId: "+requestID+" Error: "+f.message)
}

func failureBody(errorType, message string) []byte {
	body, _ := json.Marshal(errorBody{errorType, message}) // two strings: no error
	return body
}

func timeoutFailure(after time.Duration) *failure {
	return &failure{
		errorType: "Sandbox.Timedout",
		message:   fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds()),
		timeout:   true,
	}
}

// entrypointError reports whether a program could not be started because of what it is, and not for want of something. What else may
// be missing or forbidden, a control group say, is no matter of the program.
func entrypointError(err error) bool {
	failed, ok := errors.AsType[*fs.PathError](err)
	if !ok || failed.Op != "fork/exec" && failed.Op != "chdir" {
		return false
	}
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)
}

// serve takes an invocation through its phases, in a new environment if e is nil, and gives the environment back to the pool.
func (fn *function) serve(e *environment, inv *invocation) {
	var begin time.Time
	if e == nil {
		e, begin = fn.cold(inv)
	}
	if e != nil {
		e = e.invoke(inv, begin)
	}
	fn.finish(e)
}

// cold makes the environment for an invocation. It gives nil if there is none and the invocation is over. Begin is when the invoke
// phase began, if an init phase that failed was repeated in it.
func (fn *function) cold(inv *invocation) (e *environment, begin time.Time) {
	stream := newLogStream(fn)
	inv.result.Cold = true
	inv.result.LogStream = stream.name

	e, failed, err := fn.initialize(stream, fn.InitTimeout, "init")
	if err == nil && failed == nil {
		inv.result.InitDuration = e.initDuration
		inv.initCPU = e.initCPU
		return e, time.Time{}
	}
	if failed != nil {
		// Lambda tries again, within the invocation and its timeout (Lambda Developer Guide, "Failures during the Init phase").
		begin = time.Now()
		e, failed, err = fn.initialize(stream, fn.Timeout, "invoke")
	}
	switch {
	case err != nil:
		fn.resolve(inv, err)
	case failed != nil:
		stream.start(inv.id)
		inv.fail(failed, time.Since(begin))
		inv.end(stream, failed, newReport(inv, failed, time.Since(begin), 0))
		fn.resolve(inv, nil)
	}
	return e, begin
}

// initialize starts an environment and waits for the end of its init phase, which the log calls by the given name if it fails.
func (fn *function) initialize(stream *logStream, timeout time.Duration, phase string) (*environment, *failure, error) {
	begin := time.Now()
	e, failed, err := fn.launch(stream)
	if err != nil {
		return nil, nil, err
	}
	if failed == nil {
		outcome := e.await(e.runtimeReady, begin.Add(timeout))
		runtimeReady := outcome == ready
		if runtimeReady {
			// An extension may wait to be told before it asks for its first event.
			e.telemetry.initRuntimeDone(nil)
			outcome = e.await(e.initialized, begin.Add(timeout))
		}
		switch outcome {
		case ready:
			e.mu.Lock()
			e.initDuration = e.asked.Sub(e.process.started)
			e.mu.Unlock()
			e.initCPU = e.usedCPU()
			e.sample(false)
			e.output.flush() // what it printed belongs before START
			e.telemetry.initReport(nil, e.initDuration)
			e.telemetry.seal()
			return e, nil, nil
		case exited:
			failed = e.exitFailure()
		case timedOut:
			failed = timeoutFailure(timeout)
		case closed:
			e.end()
			return nil, nil, ErrClosed
		}
		e.mu.Lock()
		if e.initError != nil {
			failed = e.initError
		}
		e.mu.Unlock()
		if !runtimeReady {
			e.telemetry.initRuntimeDone(failed)
		}
		e.telemetry.initReport(failed, time.Since(begin))
		e.end()
	}
	stream.initReport(phase, failed, time.Since(begin))
	return nil, failed, nil
}

// invoke takes an invocation through its invoke phase. It returns the environment when it is idle again, nil when it has ended.
func (e *environment) invoke(inv *invocation, begin time.Time) *environment {
	fn := e.fn
	inv.result.LogStream = e.stream.name
	e.stream.start(inv.id)
	e.telemetry.start(inv)
	e.process.thaw()
	if begin.IsZero() {
		begin = time.Now()
	}
	inv.deadline = begin.Add(fn.Timeout)
	e.deliver(inv)

	outcome := e.await(e.answered, inv.deadline)
	answered := outcome == ready
	if answered {
		inv.accept(begin)
		if !inv.report {
			fn.resolve(inv, nil)
		}
		outcome = e.await(e.runtimeReady, inv.deadline)
	}
	runtimeReady := outcome == ready
	if runtimeReady {
		// An extension may wait to be told before it asks for its next event.
		e.telemetry.runtimeDone(inv, nil, time.Since(begin))
		outcome = e.await(e.idle, inv.deadline)
	}
	duration := time.Since(begin)
	e.mu.Lock()
	inv.over = true
	if outcome == ready {
		duration = e.asked.Sub(inv.began(begin))
	}
	e.mu.Unlock()

	var failed *failure
	switch outcome {
	case exited:
		failed = e.exitFailure()
	case timedOut:
		failed = timeoutFailure(fn.Timeout)
	case closed:
		if inv.report || !answered {
			fn.resolve(inv, ErrClosed)
		}
		e.end()
		return nil
	}
	if failed != nil && !answered {
		inv.fail(failed, duration)
		if !inv.report {
			fn.resolve(inv, nil)
		}
	}

	if inv.report {
		inv.cpu = e.usedCPU()
	}
	if inv.report || fn.lambda.cfg.Log != nil {
		e.sampleEnd()
		e.output.flush()
	}
	if !runtimeReady {
		e.telemetry.runtimeDone(inv, failed, duration)
	}
	report := newReport(inv, failed, duration, e.memory)
	e.telemetry.end(inv, failed, report)
	if failed != nil {
		e.end()
	}
	inv.end(e.stream, failed, report)
	if inv.report {
		fn.resolve(inv, nil)
	}
	if failed != nil {
		return nil
	}
	if fn.Freeze {
		e.process.freeze()
	}
	return e
}

// accept takes over the answer of the runtime, which is there and does not change any more.
func (inv *invocation) accept(begin time.Time) {
	inv.result.Payload = inv.answer.payload
	inv.result.Streamed = inv.answer.streamed
	inv.result.Duration = inv.answer.at.Sub(inv.began(begin))
	if inv.answer.failed {
		inv.result.FunctionError = unhandled
	}
}

// fail is the outcome of an invocation that the runtime did not answer.
func (inv *invocation) fail(f *failure, duration time.Duration) {
	inv.result.Payload = f.payload(inv.id)
	inv.result.Duration = duration
	inv.result.FunctionError = unhandled
}

const unhandled = "Unhandled"

func newReport(inv *invocation, failed *failure, duration time.Duration, memory int64) *Report {
	report := &Report{
		Duration:       duration,
		BilledDuration: roundUp(duration+inv.result.InitDuration, time.Millisecond),
		MaxMemory:      memory,
		InitCPU:        inv.initCPU,
		CPU:            inv.cpu,
	}
	if failed != nil {
		report.ErrorType = failed.errorType
	}
	return report
}

// end writes the last lines of an invocation to the log, and the report if there is to be one. Nothing of the process may follow.
func (inv *invocation) end(stream *logStream, failed *failure, report *Report) {
	stream.finish(inv, failed, report)
	stream.fn.ended(inv, report, nil)
	if inv.report {
		report.LogTail = stream.tail.bytes()
		inv.result.Report = report
	}
}

func roundUp(d, unit time.Duration) time.Duration {
	return (d + unit - 1) / unit * unit
}
