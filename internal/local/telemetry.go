package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golam-cli/golam/internal/units"
)

// The Telemetry API (Lambda Developer Guide, "Lambda Telemetry API reference"; schema 2022-12-13) and the Logs API that it replaced ("Lambda
// Logs API"; schema 2021-03-18). Both send what happens in an execution environment, in batches, to an HTTP server in it. Destinations of the
// protocol TCP, which both have, are refused.

// telemetry is what is told of an environment, and to whom.
type telemetry struct {
	e *environment

	mu          sync.Mutex
	backlog     []telemetryEvent // what was told in the init phase, for those who subscribe later in it
	backlogSize int              // of its lines, in bytes
	sealed      bool             // nobody can subscribe any more
	subscribers []*subscriber
}

// telemetryEvent is an event. Record is that of the Telemetry API and logs that of the Logs API, nil where there is no such event.
type telemetryEvent struct {
	time   time.Time
	kind   string // "platform.start"
	record any
	logs   any
	size   int // bytes of a line
}

// Limits of subscriptions, and their defaults.
const (
	maxBacklog      = 1000 // events
	maxSubscription = 64 << 10
	defaultItems    = 10_000
	defaultBytes    = 256 << 10
	defaultWait     = time.Second
	telemetryGrace  = 200 * time.Millisecond
	// Events that wait for a subscriber that does not take them, and their bytes; later ones are dropped.
	maxPending     = 10_000
	maxPendingSize = 16 << 20
	// deliveryTimeout is how long a subscriber may take for a batch.
	deliveryTimeout = 5 * time.Second
)

// subscriber gets events of some kinds.
type subscriber struct {
	name     string // of the extension
	url      string
	types    []string
	logsAPI  bool
	maxItems int
	maxBytes int
	wait     time.Duration

	mu      sync.Mutex
	pending [][]byte
	size    int
	wake    chan struct{} // has a token when there is enough for a batch
	stop    chan struct{} // closed: send what there is, and end
	ended   chan struct{}
	cancel  context.CancelFunc
}

// subscription is what an extension asks for. The Logs API has the same form.
type subscription struct {
	SchemaVersion string   `json:"schemaVersion"`
	Types         []string `json:"types"`
	Destination   struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
	} `json:"destination"`
	Buffering struct {
		MaxItems  *int `json:"maxItems"`
		MaxBytes  *int `json:"maxBytes"`
		TimeoutMs *int `json:"timeoutMs"`
	} `json:"buffering"`
}

// handleSubscribe takes subscriptions in the init phase, one for each extension: another one takes its place.
func (e *environment) handleSubscribe(logsAPI bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := e.extension(w, r)
		if x == nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxSubscription))
		var asked subscription
		if err == nil {
			err = json.Unmarshal(body, &asked)
		}
		var s *subscriber
		if err == nil {
			s, err = newSubscriber(asked, logsAPI)
		}
		if err != nil {
			writeError(w, http.StatusBadRequest, "ValidationError", err.Error())
			return
		}
		s.name = x.name
		if errorType, message := e.telemetry.subscribe(s); errorType != "" {
			writeError(w, http.StatusForbidden, errorType, message)
			return
		}
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, `"OK"`)
	}
}

func newSubscriber(asked subscription, logsAPI bool) (*subscriber, error) {
	s := &subscriber{
		types: asked.Types, logsAPI: logsAPI, maxItems: defaultItems, maxBytes: defaultBytes, wait: defaultWait,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if len(s.types) == 0 {
		return nil, errors.New("types: name platform, function or extension")
	}
	for _, kind := range s.types {
		if !slices.Contains([]string{"platform", "function", "extension"}, kind) {
			return nil, fmt.Errorf("types: %q is none of platform, function and extension", kind)
		}
	}
	if asked.Destination.Protocol != "HTTP" {
		return nil, fmt.Errorf("destination.protocol %q: the local Lambda sends over HTTP only", asked.Destination.Protocol)
	}
	to, err := url.Parse(asked.Destination.URI)
	if err != nil || to.Scheme != "http" || to.Port() == "" || !slices.Contains([]string{"sandbox.localdomain", "sandbox", "localhost", "127.0.0.1"}, to.Hostname()) {
		return nil, fmt.Errorf("destination.URI %q: use an address such as http://sandbox.localdomain:8080", asked.Destination.URI)
	}
	to.Host = "127.0.0.1:" + to.Port() // there is no such name outside of Lambda
	s.url = to.String()
	for _, limit := range []struct {
		name        string
		given       *int
		least, most int
		set         func(int)
	}{
		{"maxItems", asked.Buffering.MaxItems, 1000, 10_000, func(n int) { s.maxItems = n }},
		{"maxBytes", asked.Buffering.MaxBytes, 256 << 10, 1 << 20, func(n int) { s.maxBytes = n }},
		{"timeoutMs", asked.Buffering.TimeoutMs, 25, 30_000, func(n int) { s.wait = time.Duration(n) * time.Millisecond }},
	} {
		if limit.given == nil {
			continue
		}
		if *limit.given < limit.least || *limit.given > limit.most {
			return nil, fmt.Errorf("buffering.%s %d: use %d to %d", limit.name, *limit.given, limit.least, limit.most)
		}
		limit.set(*limit.given)
	}
	return s, nil
}

// subscribe gives a type and message of an error if it refuses.
func (t *telemetry) subscribe(s *subscriber) (errorType, message string) {
	if errorType, message = t.add(s); errorType != "" {
		return errorType, message
	}
	record := map[string]any{"name": s.name, "state": "Subscribed", "types": s.types}
	if s.logsAPI {
		t.tell(telemetryEvent{kind: "platform.logsSubscription", record: record, logs: record})
	} else {
		t.tell(telemetryEvent{kind: "platform.telemetrySubscription", record: record})
	}
	return "", ""
}

func (t *telemetry) add(s *subscriber) (errorType, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return "Telemetry.SubscriptionClosed", "the init phase is over: subscribe before asking for the next event"
	}
	if i := slices.IndexFunc(t.subscribers, func(other *subscriber) bool { return other.name == s.name }); i >= 0 {
		former := t.subscribers[i]
		if former.logsAPI != s.logsAPI {
			return "Extension.InvalidExtensionState", "extension " + s.name + " has subscribed to the other one of Telemetry API and Logs API"
		}
		t.subscribers = slices.Delete(t.subscribers, i, i+1)
		former.cancel()
		close(former.stop)
	}
	for _, e := range t.backlog {
		s.take(e)
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	t.subscribers = append(t.subscribers, s)
	go s.deliver(ctx)
	return "", ""
}

// seal ends the time to subscribe.
func (t *telemetry) seal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed, t.backlog = true, nil
}

// heard reports whether anybody listens, or may do so later.
func (t *telemetry) heard() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.sealed || len(t.subscribers) > 0
}

// tell sends an event to those who want it.
func (t *telemetry) tell(e telemetryEvent) {
	e.time = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.sealed && len(t.backlog) < maxBacklog && t.backlogSize+e.size <= maxPendingSize {
		t.backlog = append(t.backlog, e)
		t.backlogSize += e.size
	}
	for _, s := range t.subscribers {
		s.take(e)
	}
}

// function tells of a line that the function printed. If it logs in JSON, a line that is an object is told as such.
func (t *telemetry) function(text []byte) {
	if !t.heard() {
		return
	}
	e := telemetryEvent{kind: "function", record: string(text) + "\n", logs: string(text) + "\n", size: len(text)}
	if t.e.fn.Env["AWS_LAMBDA_LOG_FORMAT"] == "JSON" && json.Valid(text) && bytes.HasPrefix(text, []byte("{")) {
		e.record = json.RawMessage(bytes.Clone(text)) // the caller uses the memory again
	}
	t.tell(e)
}

// close sends what is left, within reason, and ends.
func (t *telemetry) close() {
	t.mu.Lock()
	subscribers := t.subscribers
	t.subscribers, t.sealed, t.backlog = nil, true, nil
	t.mu.Unlock()
	if len(subscribers) == 0 {
		return
	}
	timer := time.AfterFunc(telemetryGrace, func() {
		for _, s := range subscribers {
			s.cancel()
		}
	})
	defer timer.Stop()
	for _, s := range subscribers {
		close(s.stop)
	}
	for _, s := range subscribers {
		<-s.ended
		s.cancel()
	}
}

// take keeps an event for the next batch.
func (s *subscriber) take(e telemetryEvent) {
	record := e.record
	if s.logsAPI {
		record = e.logs
	}
	group, _, _ := strings.Cut(e.kind, ".")
	if record == nil || !slices.Contains(s.types, group) {
		return
	}
	encoded, err := json.Marshal(map[string]any{"time": e.time.UTC().Format("2006-01-02T15:04:05.000Z"), "type": e.kind, "record": record})
	if err != nil {
		return // only a function's own JSON could be beyond what can be written, and it has been looked at
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) >= maxPending || s.size+len(encoded) > maxPendingSize {
		return
	}
	s.pending = append(s.pending, encoded)
	s.size += len(encoded)
	if len(s.pending) >= s.maxItems || s.size >= s.maxBytes {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// deliver sends batches until the end, one after the other. One that is not taken is lost.
func (s *subscriber) deliver(ctx context.Context) {
	defer close(s.ended)
	client := http.Client{Transport: &http.Transport{}, Timeout: deliveryTimeout}
	defer client.CloseIdleConnections()
	ticker := time.NewTicker(s.wait)
	defer ticker.Stop()
	for stopped := false; !stopped; {
		select {
		case <-ticker.C:
		case <-s.wake:
		case <-s.stop:
			stopped = true
		}
		s.mu.Lock()
		pending := s.pending
		s.pending, s.size = nil, 0
		s.mu.Unlock()
		for len(pending) > 0 {
			n := s.batch(pending)
			s.send(ctx, &client, pending[:n])
			pending = pending[n:]
		}
	}
}

// batch is how many events make a batch: one at least, however large.
func (s *subscriber) batch(pending [][]byte) int {
	n, size := 0, 0
	for n < len(pending) && n < s.maxItems {
		if size += len(pending[n]); size > s.maxBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

func (s *subscriber) send(ctx context.Context, client *http.Client, batch [][]byte) {
	body := slices.Concat([]byte("["), bytes.Join(batch, []byte(",")), []byte("]"))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	if response, err := client.Do(request); err == nil {
		_, _ = io.CopyN(io.Discard, response.Body, maxSubscription)
		response.Body.Close()
	}
}

// The events of the phases follow.

const initialization = "on-demand"

func (t *telemetry) initStart() {
	t.tell(telemetryEvent{kind: "platform.initStart", record: map[string]any{
		"initializationType": initialization, "phase": "init", "functionName": t.e.fn.Name, "functionVersion": version,
		"instanceMaxMemory": t.e.fn.MemorySize << 20,
	}})
}

// initRuntimeDone ends the init phase as far as the runtime is concerned.
func (t *telemetry) initRuntimeDone(failed *failure) {
	t.e.output.flush() // what it printed belongs before
	done := map[string]any{"initializationType": initialization, "phase": "init"}
	describe(done, failed)
	t.tell(telemetryEvent{kind: "platform.initRuntimeDone", record: done})
}

// initReport ends the init phase altogether.
func (t *telemetry) initReport(failed *failure, duration time.Duration) {
	report := map[string]any{"initializationType": initialization, "phase": "init", "metrics": map[string]any{"durationMs": units.Milliseconds(duration)}}
	describe(report, failed)
	t.tell(telemetryEvent{kind: "platform.initReport", record: report})
}

// describe adds how a phase ended.
func describe(record map[string]any, failed *failure) {
	switch {
	case failed == nil:
		record["status"] = "success"
	case failed.timeout:
		record["status"] = "timeout"
	default:
		record["status"], record["errorType"] = "error", failed.errorType
	}
}

func (t *telemetry) start(inv *invocation) {
	t.tell(telemetryEvent{
		kind: "platform.start",
		record: map[string]any{
			"requestId": inv.id, "version": version, "tracing": map[string]any{"type": "X-Amzn-Trace-Id", "value": inv.traceID},
		},
		logs: map[string]any{"requestId": inv.id, "version": version},
	})
}

// runtimeDone ends an invocation as far as the runtime is concerned; extensions may go on.
func (t *telemetry) runtimeDone(inv *invocation, failed *failure, duration time.Duration) {
	if !t.heard() {
		return
	}
	t.e.output.flush() // what it printed belongs before
	done := map[string]any{
		"requestId": inv.id,
		"metrics":   map[string]any{"durationMs": units.Milliseconds(duration), "producedBytes": len(inv.result.Payload)},
	}
	describe(done, failed)
	if failed == nil && inv.result.FunctionError != "" {
		done["status"] = "failure" // the runtime said so itself
	}
	logs := map[string]any{"requestId": inv.id, "status": done["status"]}
	if logs["status"] == "error" {
		logs["status"] = "failure" // the Logs API knows no other
	}
	t.tell(telemetryEvent{kind: "platform.runtimeDone", record: done, logs: logs})
}

// end tells how an invocation ended altogether, with the report of its log.
func (t *telemetry) end(inv *invocation, failed *failure, report *Report) {
	t.tell(telemetryEvent{kind: "platform.end", logs: map[string]any{"requestId": inv.id}})
	metrics := map[string]any{
		"durationMs": units.Milliseconds(report.Duration), "billedDurationMs": report.BilledDuration.Milliseconds(),
		"memorySizeMB": t.e.fn.MemorySize, "maxMemoryUsedMB": units.MemoryMB(report.MaxMemory),
	}
	if inv.result.InitDuration > 0 {
		metrics["initDurationMs"] = units.Milliseconds(inv.result.InitDuration)
	}
	record := map[string]any{"requestId": inv.id, "metrics": metrics}
	describe(record, failed)
	t.tell(telemetryEvent{kind: "platform.report", record: record, logs: map[string]any{"requestId": inv.id, "metrics": metrics}})
}
