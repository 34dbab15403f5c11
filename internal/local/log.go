package local

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/golam-cli/golam/internal/units"
)

// Line is one line of a function's log, from the function itself or from Lambda.
type Line struct {
	Time     time.Time
	Function string // its name
	// LogStream names the execution environment.
	LogStream string
	// RequestID of the invocation in whose time the line was read, "" in the init phase and between invocations.
	RequestID string
	// Platform is true for what Lambda adds: START, END, REPORT and the reasons of failures.
	Platform bool
	// Text is the line without its end, as the function wrote it: any bytes. A line of more than 256 KiB comes in pieces.
	Text []byte
}

// LogTo gives a [Config.Log] that writes each line and its end to w. Errors of w are ignored.
func LogTo(w io.Writer) func(Line) {
	return func(line Line) { _, _ = w.Write(append(line.Text, '\n')) }
}

// logStream is the log of one execution environment after the other: of one that replaces another after a failed init phase.
type logStream struct {
	fn   *function
	name string
	tail tail

	mu        sync.Mutex
	requestID string
}

// newLogStream makes up a name in the form of Lambda's.
func newLogStream(fn *function) *logStream {
	return &logStream{fn: fn, name: time.Now().UTC().Format("2006/01/02") + "/[" + version + "]" + randomHex(16)}
}

func (s *logStream) line(text []byte, platform bool) {
	s.tail.add(text)
	s.mu.Lock()
	id := s.requestID
	s.mu.Unlock()
	s.fn.lambda.log(Line{
		Time: time.Now(), Function: s.fn.Name, LogStream: s.name, RequestID: id, Platform: platform, Text: text,
	})
}

// platform logs a line as Lambda adds it.
func (s *logStream) platform(format string, args ...any) {
	s.line(fmt.Appendf(nil, format, args...), true)
}

func (s *logStream) setRequestID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requestID = id
}

// start opens the log of an invocation.
func (s *logStream) start(requestID string) {
	s.tail.reset()
	s.setRequestID(requestID)
	s.platform("START RequestId: %s Version: %s", requestID, version)
}

// finish closes the log of an invocation. The form is that of Lambda Developer Guide, "Failures during the invoke phase"; the reason of
// a failure is logged in the older style too, which says more.
func (s *logStream) finish(inv *invocation, failed *failure, r *Report) {
	var status string
	switch {
	case failed == nil:
	case failed.timeout:
		s.platform("%s %s %s", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), inv.id, failed.message)
		status = "Status: timeout"
	default:
		if failed.message != "" {
			s.platform("RequestId: %s Error: %s", inv.id, failed.message)
			s.platform("%s", failed.errorType)
		}
		status = "Status: error\tError Type: " + failed.errorType
	}
	s.platform("END RequestId: %s", inv.id)
	line := fmt.Appendf(nil, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\t",
		inv.id, units.Milliseconds(r.Duration), r.BilledDuration.Milliseconds(), s.fn.MemorySize)
	if r.MaxMemory > 0 {
		line = fmt.Appendf(line, "Max Memory Used: %d MB\t", units.MemoryMB(r.MaxMemory))
	}
	if inv.result.InitDuration > 0 {
		line = fmt.Appendf(line, "Init Duration: %.2f ms\t", units.Milliseconds(inv.result.InitDuration))
	}
	s.line(append(line, status...), true)
	s.setRequestID("")
}

// initReport logs an init phase that failed; of others Lambda says nothing.
func (s *logStream) initReport(phase string, failed *failure, duration time.Duration) {
	status := "timeout"
	if !failed.timeout {
		status = "error\tError Type: " + failed.errorType
	}
	s.platform("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", units.Milliseconds(duration), phase, status)
}

func (l *Lambda) log(line Line) {
	if l.cfg.Log == nil {
		return
	}
	l.logMu.Lock()
	defer l.logMu.Unlock()
	l.cfg.Log(line)
}

// tail keeps the last bytes of an invocation's log, 4 KB as the Invoke API's LogResult has.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) add(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(line) > tailSize {
		line = line[len(line)-tailSize:]
	}
	t.buf = append(append(t.buf, line...), '\n')
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
}

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = t.buf[:0]
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.buf)
}
