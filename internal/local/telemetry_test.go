package local

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// A function that subscribes is told of its phases and lines, those before the subscription included, in the forms of both APIs.
func TestTelemetry(t *testing.T) {
	var mu sync.Mutex
	kinds := map[string][]string{} // by schema
	records := map[string]json.RawMessage{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var batch []struct {
			Time, Type string
			Record     json.RawMessage
		}
		if err := json.Unmarshal(body, &batch); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range batch {
			kinds[r.URL.Path] = append(kinds[r.URL.Path], e.Type)
			if e.Type == "function" {
				e.Type += " " + string(e.Record)
			}
			records[r.URL.Path+" "+e.Type] = e.Record
		}
	}))
	defer server.Close()
	l := one(t, raw, "telemetry", func(_ *Config, f *Function) {
		f.Env = map[string]string{"SINK": server.URL, "AWS_LAMBDA_LOG_FORMAT": "JSON"}
	})
	r := l.invoke(`{"n":1}`)
	requirePayload(t, r, `{"n":1}`)
	l.requireLog("subscriptions: 200 200 403 200 400")
	const telemetry, logs = "/2022-12-13", "/2021-03-18"
	testkit.Eventually(t, "both have been told of the end", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return records[telemetry+" platform.report"] != nil && records[logs+" platform.report"] != nil
	})
	mu.Lock()
	defer mu.Unlock()
	for schema, want := range map[string][]string{
		telemetry: {
			"platform.initStart", "platform.telemetrySubscription", "platform.initRuntimeDone", "platform.initReport", "platform.start",
			"platform.runtimeDone", "platform.report", "function",
		},
		logs: {"platform.logsSubscription", "platform.start", "platform.runtimeDone", "platform.end", "platform.report", "function"},
	} {
		for _, kind := range want {
			if !strings.Contains(" "+strings.Join(kinds[schema], " ")+" ", " "+kind+" ") {
				t.Errorf("%s has no %s: %v", schema, kind, kinds[schema])
			}
		}
	}
	if records[telemetry+` function {"level":"INFO"}`] == nil || records[logs+` function "{\"level\":\"INFO\"}\n"`] == nil ||
		records[telemetry+` function "in the init phase\n"`] == nil {
		t.Errorf("lines: %v", kinds)
	}
	var report struct {
		RequestID, Status string
		Metrics           struct{ DurationMs, InitDurationMs, MemorySizeMB float64 }
	}
	if err := json.Unmarshal(records[telemetry+" platform.report"], &report); err != nil || report.RequestID != r.RequestID ||
		report.Status != "success" || report.Metrics.DurationMs <= 0 || report.Metrics.InitDurationMs <= 0 || report.Metrics.MemorySizeMB != 128 {
		t.Errorf("report %s, %v", records[telemetry+" platform.report"], err)
	}
}

// The runtime is told to be done while an extension still works, which may wait for just that.
func TestExtensionWaitsForRuntimeDone(t *testing.T) {
	for _, logs := range []string{"", "1"} {
		l := one(t, raw, "telemetry-flush", func(_ *Config, f *Function) { f.Env = map[string]string{"LOGS": logs} })
		for range 2 {
			r := l.invoke("1")
			requirePayload(t, r, "1")
			if r.Report.ErrorType != "" {
				t.Errorf("logs API %q: %s", logs, r.Report.ErrorType)
			}
		}
	}
}

// What is kept of a line does not change when its memory is used again.
func TestTelemetryKeepsLines(t *testing.T) {
	told := &telemetry{e: &environment{fn: &function{Function: Function{Env: map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"}}}}}
	text := []byte(`{"n":1}`)
	told.function(text)
	copy(text, `{"n":2}`)
	if kept, ok := told.backlog[0].record.(json.RawMessage); !ok || string(kept) != `{"n":1}` {
		t.Errorf("kept %s", told.backlog[0].record)
	}
}

// A subscriber that does not take what it is told costs no memory without end, and one that does gets it in pieces.
func TestSubscriberBounds(t *testing.T) {
	s := &subscriber{types: []string{"function"}, maxItems: 1000, maxBytes: 256 << 10, wake: make(chan struct{}, 1)}
	line := strings.Repeat("x", 100<<10)
	for range 2 * maxPendingSize / len(line) {
		s.take(telemetryEvent{kind: "function", record: line})
	}
	if s.size > maxPendingSize || s.size < maxPendingSize-2*len(line) {
		t.Errorf("%d bytes wait", s.size)
	}
	if n := s.batch(s.pending); n != 2 {
		t.Errorf("a batch of %d", n)
	}
	s.maxBytes = 1
	if n := s.batch(s.pending); n != 1 {
		t.Errorf("a batch of %d where one is too large", n)
	}
	told := &telemetry{e: &environment{fn: &function{}}}
	for range 2 * maxPendingSize / len(line) {
		told.function([]byte(line))
	}
	if told.backlogSize > maxPendingSize {
		t.Errorf("%d bytes are kept for later subscribers", told.backlogSize)
	}
}

func TestSubscriptionProblems(t *testing.T) {
	const good = `{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}}`
	for _, tt := range []struct{ from, to, problem string }{
		{`["platform"]`, `[]`, "types: name platform"},
		{`["platform"]`, `["all"]`, `"all" is none of platform`},
		{`"HTTP"`, `"TCP"`, "over HTTP only"},
		{`sandbox.localdomain:8080`, `evil.example:80`, "use an address such as"},
		{`sandbox.localdomain:8080`, `sandbox.localdomain`, "use an address such as"},
		{`"types"`, `"buffering":{"timeoutMs":1},"types"`, "buffering.timeoutMs 1: use 25 to 30000"},
		{`"types"`, `"buffering":{"maxItems":1},"types"`, "buffering.maxItems 1: use 1000 to 10000"},
	} {
		var asked subscription
		if err := json.Unmarshal([]byte(strings.Replace(good, tt.from, tt.to, 1)), &asked); err != nil {
			t.Fatal(err)
		}
		if _, err := newSubscriber(asked, false); err == nil || !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: %v", tt.to, err)
		}
	}
}
