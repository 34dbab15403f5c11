package telemetry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// runtimeAPI is Lambda's side of the extension.
type runtimeAPI struct {
	address string
	// polls has a value for each poll, which waits for an event.
	polls  chan struct{}
	events chan string
	// register answers registrations, polled answers polls that it does not leave to events by giving 0.
	register func(w http.ResponseWriter, r *http.Request)
	polled   func() (status int)
}

// newRuntimeAPI starts a server that stays until the process ends. An extension polls forever, and would otherwise poll whoever gets the
// server's port next.
func newRuntimeAPI(t *testing.T) *runtimeAPI {
	t.Helper()
	api := &runtimeAPI{polls: make(chan struct{}, 100), events: make(chan string)}
	api.register = func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if name := r.Header.Get("Lambda-Extension-Name"); err != nil || name == "" || string(body) != `{"events":["INVOKE"]}` {
			t.Errorf("registered as %q with %s", name, body)
		}
		w.Header().Set("Lambda-Extension-Identifier", "id")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+extensionPath+"register", func(w http.ResponseWriter, r *http.Request) { api.register(w, r) })
	mux.HandleFunc("GET "+extensionPath+"event/next", func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get("Lambda-Extension-Identifier"); id != "id" {
			t.Errorf("polled as %q", id)
		}
		api.polls <- struct{}{}
		if api.polled != nil {
			if status := api.polled(); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		_, _ = io.WriteString(w, <-api.events)
	})
	server := httptest.NewServer(mux)
	api.address = strings.TrimPrefix(server.URL, "http://")
	return api
}

func event(id string, left time.Duration) string {
	return fmt.Sprintf(`{"eventType":"INVOKE","requestId":%q,"deadlineMs":%d}`, id, time.Now().Add(left).UnixMilli())
}

// TestFlushAfterTheAnswer expects no flush before the answer is posted, one afterwards, and then the next poll.
func TestFlushAfterTheAnswer(t *testing.T) {
	api := newRuntimeAPI(t)
	tracing, recorder, logger := newTestTelemetry(t)
	flushed, release := make(chan struct{}), make(chan struct{})
	recorder.export = func(context.Context) error {
		close(flushed)
		<-release
		return nil
	}
	tracing.extension = newExtension(api.address, logger, tracing.flushUntil)
	tracing.extension.start(patience)
	await(t, api.polls, "the extension asks for an event")

	api.events <- event("other", time.Hour)                                    // an invocation without an answer
	tracing.extension.posted("other")                                          // but here it is
	await(t, api.polls, "the extension asks again")                            // with nothing to send
	ctx, post := context.WithCancel(invocationContext(t, header+";Sampled=1")) // the runtime cancels it when it has posted the answer
	defer post()
	api.events <- event(requestID, time.Hour)
	if _, err := tracing.Wrap(answers{}).Invoke(ctx, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-flushed:
		t.Fatal("spans are sent before the answer is posted")
	case <-api.polls:
		t.Fatal("the extension asks again before the answer is posted")
	default:
	}
	post()
	await(t, flushed, "the flush after the answer")
	select {
	case <-api.polls:
		t.Fatal("the extension asks again before the flush is over")
	default:
	}
	close(release)
	await(t, api.polls, "the extension asks again")
	if lines := logger.all(); len(lines) != 0 {
		t.Errorf("logged %q", lines)
	}
}

// TestFlushNearTheDeadline expects a flush and the next poll although the handler does not answer.
func TestFlushNearTheDeadline(t *testing.T) {
	api := newRuntimeAPI(t)
	deadlines := make(chan time.Time, 1)
	extension := newExtension(api.address, &logs{}, func(deadline time.Time) { deadlines <- deadline })
	extension.start(patience)
	await(t, api.polls, "the extension asks for an event")
	api.events <- event(requestID, 2*margin+50*time.Millisecond)
	await(t, deadlines, "the flush near the deadline")
	await(t, api.polls, "the extension asks again")
}

// TestRegistrationFails expects a flush before the answer, one log line, and an init phase that is not delayed.
func TestRegistrationFails(t *testing.T) {
	for name, register := range map[string]func(http.ResponseWriter, *http.Request){
		"refused":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"unknown":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"no identifier": func(http.ResponseWriter, *http.Request) {},
		"hangs up": func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = conn.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			api := newRuntimeAPI(t)
			api.register = register
			tracing, recorder, logger := newTestTelemetry(t)
			tracing.extension = newExtension(api.address, logger, tracing.flushUntil)
			tracing.extension.start(patience)
			if _, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, ""), nil); err != nil {
				t.Fatal(err)
			}
			if spans := recorder.all(); len(spans) != 1 {
				t.Errorf("%d spans are sent before the answer", len(spans))
			}
			if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "before the answer") {
				t.Errorf("logged %q", lines)
			}
			if len(api.polls) != 0 {
				t.Error("an extension that is not registered asks for events")
			}
		})
	}
}

// TestLateRegistration expects an extension to ask for events after a late registration, because Lambda waits for it.
func TestLateRegistration(t *testing.T) {
	api := newRuntimeAPI(t)
	release := make(chan struct{})
	registered := api.register
	api.register = func(w http.ResponseWriter, r *http.Request) {
		<-release
		registered(w, r)
	}
	tracing, recorder, logger := newTestTelemetry(t)
	tracing.extension = newExtension(api.address, logger, tracing.flushUntil)
	tracing.extension.start(time.Millisecond)
	if _, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, ""), nil); err != nil {
		t.Fatal(err)
	}
	if spans := recorder.all(); len(spans) != 1 {
		t.Errorf("%d spans are sent before the answer", len(spans))
	}
	close(release)
	await(t, api.polls, "the extension asks for an event")
}

// TestPollsFail expects a flush before the answer while polls fail, further polls, and no waiting for an answer that was posted before the event
// arrived.
func TestPollsFail(t *testing.T) {
	api := newRuntimeAPI(t)
	var failures atomic.Int32
	api.polled = func() int {
		if failures.Add(1) <= 2 {
			return http.StatusInternalServerError
		}
		return 0
	}
	tracing, recorder, logger := newTestTelemetry(t)
	tracing.extension = newExtension(api.address, logger, tracing.flushUntil)
	tracing.extension.start(patience)
	for range 3 {
		await(t, api.polls, "the extension asks for an event")
	}
	if tracing.extension.active.Load() {
		t.Error("the extension counts as active without events")
	}
	ctx, post := context.WithCancel(invocationContext(t, ""))
	if _, err := tracing.Wrap(answers{}).Invoke(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if spans := recorder.all(); len(spans) != 1 {
		t.Errorf("%d spans are sent before the answer", len(spans))
	}
	post()
	api.events <- event(requestID, time.Hour) // beyond all patience
	await(t, api.polls, "the extension asks again")
	if !tracing.extension.active.Load() {
		t.Error("the extension is not active with events")
	}
	if lines := logger.all(); len(lines) != 1 {
		t.Errorf("logged %q", lines)
	}
}

func TestOneAtATime(t *testing.T) {
	for value, want := range map[string]bool{"": true, "1": true, "2": false, "10": false} {
		if got := oneAtATime(func(string) string { return value }); got != want {
			t.Errorf("with %q one at a time: %v", value, got)
		}
	}
}
