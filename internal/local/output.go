package local

import (
	"bytes"
	"os"
	"sync"
)

// maxLine is the size of a log event that Lambda does not split.
const maxLine = 256 << 10

// output reads what one process prints. Stdout and stderr share a pipe, which keeps their lines in order, as in a log stream.
type output struct {
	r, w  *os.File
	line  func([]byte)
	token []byte // no function can guess it

	mu     sync.Mutex // one flush at a time
	passed chan struct{}
	ended  chan struct{}
}

// newOutput calls line for each line, in one goroutine, until close.
func newOutput(line func([]byte)) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{
		r: r, w: w, line: line,
		token:  []byte("\x00" + randomHex(16) + "\x00"),
		passed: make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}
	go o.read()
	return o, nil
}

// flush returns when everything that was printed before has been passed to line. It sends a token down the same pipe and waits for
// it to come out; a line without an end is passed on as it is. A write this small is not torn apart by others.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.w.Write(o.token); err != nil {
		return
	}
	select {
	case <-o.passed:
	case <-o.ended:
	}
}

// close flushes and ends the reading, whoever else still holds the pipe.
func (o *output) close() {
	o.flush()
	o.w.Close()
	o.r.Close()
	<-o.ended
}

func (o *output) read() {
	defer close(o.ended)
	buf := make([]byte, 64<<10)
	var pending []byte // an unfinished line
	for {
		n, err := o.r.Read(buf)
		searched := max(0, len(pending)-len(o.token)+1)
		pending = append(pending, buf[:n]...)
		if rest := o.split(pending, searched, func() { o.passed <- struct{}{} }); len(rest) < len(pending) {
			pending = append(pending[:0], rest...)
		}
		if err != nil {
			if len(pending) > 0 {
				o.line(pending)
			}
			return
		}
	}
}

// split passes on the whole lines of pending and each token, and returns the rest. What lies before searched is known to hold neither
// an end of line nor the token.
func (o *output) split(pending []byte, searched int, token func()) []byte {
	for {
		end := bytes.IndexByte(pending[searched:], '\n')
		at := bytes.Index(pending[searched:], o.token)
		isToken := at >= 0 && (end < 0 || at < end)
		stop, skip := end, 1
		if isToken {
			stop, skip = at, len(o.token)
		}
		switch {
		case stop < 0 && len(pending) < maxLine+len(o.token):
			return pending
		case stop < 0 || searched+stop > maxLine:
			o.line(pending[:maxLine])
			pending = pending[maxLine:]
		default:
			stop += searched
			if !isToken || stop > 0 {
				o.line(pending[:stop])
			}
			pending = pending[stop+skip:]
			if isToken {
				token()
			}
		}
		searched = 0
	}
}
