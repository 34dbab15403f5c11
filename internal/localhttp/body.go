package localhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Budget bounds how many bytes of bodies are held while they are being read. A reader that finds it used up waits for its turn. So that
// readers never wait for each other, one of them at a time may exceed the budget.
type Budget struct {
	mu        sync.Mutex
	free      int64
	waiting   []*turn
	overdrawn *share // may take whatever it needs
}

// share is what one reader holds of a budget.
type share struct {
	budget *Budget
	held   int64
}

type turn struct {
	of      *share
	more    int64
	granted chan struct{}
}

// NewBudget makes a budget of so many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{free: bytes} }

// Errors of [ReadBody].
var (
	// ErrTooLarge says that a body has more bytes than the reader takes.
	ErrTooLarge = errors.New("the body is too large")
	// errBusy says that too many other bodies were being read.
	errBusy = errors.New("too many bytes of other requests are being read: try again")
)

const (
	// free of charge are the first bytes of each body, so that large bodies never hold up small ones. The bound of connections bounds them.
	freeOfCharge = 64 << 10
	firstBuffer  = 4 << 10
	// turnTime is how long a reader waits for its turn.
	turnTime = 30 * time.Second
)

// take waits until the share may have more bytes.
func (s *share) take(ctx context.Context, more int64) error {
	b := s.budget
	t := &turn{of: s, more: more, granted: make(chan struct{})}
	b.mu.Lock()
	if b.overdrawn == s {
		b.free, s.held = b.free-more, s.held+more
		b.mu.Unlock()
		return nil
	}
	b.waiting = append(b.waiting, t)
	b.grant()
	b.mu.Unlock()
	timer := time.NewTimer(turnTime)
	defer timer.Stop()
	err := errBusy
	select {
	case <-t.granted:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, t); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
		b.grant()
		return err
	}
	return nil // granted meanwhile
}

// grant serves those whose turn it is. With the budget locked.
func (b *Budget) grant() {
	for len(b.waiting) > 0 {
		t := b.waiting[0]
		if b.free < t.more {
			if b.overdrawn != nil {
				return
			}
			b.overdrawn = t.of
		}
		b.free, t.of.held = b.free-t.more, t.of.held+t.more
		close(t.granted)
		b.waiting = b.waiting[1:]
	}
}

func (s *share) release() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += s.held
	s.held = 0
	if b.overdrawn == s {
		b.overdrawn = nil
	}
	b.grant()
}

// budgetKey is that of the budget in the context of a request.
type budgetKey struct{}

// ReadBody reads the body of a request to its end. A body of more than most bytes is an [ErrTooLarge], and what has been read of it is
// returned. The memory for it grows as bytes come, whatever the request says of its length, and is part of the server's budget until the
// body is there.
func ReadBody(r *http.Request, most int64) ([]byte, error) {
	budget, ok := r.Context().Value(budgetKey{}).(*Budget)
	if !ok {
		budget = NewBudget(most + 1) // the request came through another server
	}
	s := &share{budget: budget}
	defer s.release()
	limit := most + 1 // one too many is enough
	if r.ContentLength >= 0 {
		limit = min(limit, r.ContentLength)
	}
	var body []byte
	for int64(len(body)) < limit {
		if len(body) == cap(body) {
			size := min(max(2*int64(cap(body)), firstBuffer), limit) //nolint:mnd // twice as much
			if charge := max(size-freeOfCharge, 0); charge > s.held {
				if err := s.take(r.Context(), charge-s.held); err != nil {
					return nil, err
				}
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(body)) > most {
		return body, ErrTooLarge
	}
	return body, nil
}

// limit gives each request its deadlines and its part of the budget.
func (o Options) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Time{}) // the one of the request before
		if r.ContentLength != 0 {
			incoming := &body{ReadCloser: r.Body, control: control, stall: o.Stall, until: time.Now().Add(o.BodyTime)}
			incoming.extend()
			// The server reads what the handler has left of a body.
			defer incoming.extend()
			r.Body = incoming
		}
		defer func() { _ = control.SetWriteDeadline(time.Now().Add(o.Stall)) }() // for what is still buffered
		w = &response{ResponseWriter: w, control: control, stall: o.Stall}
		if o.Whole > 0 && r.ContentLength != 0 && !o.readWhole(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readWhole puts a body that is there in the place of one that is still to come.
func (o Options) readWhole(w http.ResponseWriter, r *http.Request) bool {
	content, err := ReadBody(r, o.Whole)
	switch {
	case err == nil || errors.Is(err, ErrTooLarge):
		if err != nil {
			// A client that has not written all does not look at the response yet.
			_, _ = io.CopyN(io.Discard, r.Body, o.Whole)
		}
		r.Body = &whole{Reader: bytes.NewReader(content), Closer: r.Body}
		return true
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		o.Refuse(w, http.StatusServiceUnavailable, err.Error())
	default:
		w.Header().Set("Connection", "close")
		o.Refuse(w, http.StatusRequestTimeout, "the body broke off, or did not come in time")
	}
	return false
}

type whole struct {
	io.Reader
	io.Closer
}

// body is one that must make progress.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	until   time.Time
	ended   bool
}

func (b *body) Read(p []byte) (int, error) {
	b.extend()
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		// The server goes on reading, to notice that the client is gone. That takes as long as the handler does.
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func (b *body) extend() {
	if b.ended {
		return
	}
	deadline := time.Now().Add(b.stall)
	if deadline.After(b.until) {
		deadline = b.until
	}
	_ = b.control.SetReadDeadline(deadline)
}

// response is one that the client must take.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

// writeSize is how many bytes must go out within the time for a response without progress.
const writeSize = 256 << 10

func (r *response) Write(p []byte) (written int, err error) {
	for first := true; first || len(p) > 0; first = false {
		_ = r.control.SetWriteDeadline(time.Now().Add(r.stall))
		n, err := r.ResponseWriter.Write(p[:min(len(p), writeSize)])
		written += n
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

// FlushError is for [http.ResponseController].
func (r *response) FlushError() error {
	_ = r.control.SetWriteDeadline(time.Now().Add(r.stall))
	return r.control.Flush()
}

// Unwrap is for [http.ResponseController].
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }
