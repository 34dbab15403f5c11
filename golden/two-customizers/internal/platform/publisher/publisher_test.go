package publisher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// script is a bus that takes one step of a list for each request.
type script struct {
	steps    []func(ctx context.Context) ([]string, error)
	requests [][]entry
}

func (s *script) put(ctx context.Context, entries []entry) ([]string, error) {
	step := s.steps[len(s.requests)]
	s.requests = append(s.requests, entries)
	return step(ctx)
}

func (*script) retryable(err error) bool { return errors.Is(err, errBusy) }

var (
	errBusy   = errors.New("busy")
	errDenied = errors.New("denied")
)

func answer(codes ...string) func(context.Context) ([]string, error) {
	return func(context.Context) ([]string, error) { return codes, nil }
}

func fail(err error) func(context.Context) ([]string, error) {
	return func(context.Context) ([]string, error) { return nil, err }
}

func after(duration time.Duration, then func(context.Context) ([]string, error)) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		if !pause(ctx, duration) {
			return nil, ctx.Err()
		}
		return then(ctx)
	}
}

func panics(context.Context) ([]string, error) { panic("canary") }

const never = time.Hour

// TestSend runs in a bubble of package synctest: time advances when every goroutine waits, so durations are exact and the test is fast.
func TestSend(t *testing.T) {
	type steps = []func(context.Context) ([]string, error)
	tests := map[string]struct {
		steps    steps
		requests []string // the details of each request, with spaces between
		want     counts
		reason   string
		takes    time.Duration
	}{
		"taken":                     {steps: steps{answer("", "", "")}, requests: []string{"a b c"}, want: counts{published: 3}},
		"busy, then taken":          {steps: steps{fail(errBusy), answer("", "", "")}, requests: []string{"a b c", "a b c"}, want: counts{published: 3}, takes: backoff},
		"busy":                      {steps: steps{fail(errBusy), fail(errBusy)}, requests: []string{"a b c", "a b c"}, want: counts{failed: 3}, reason: "busy", takes: backoff},
		"denied":                    {steps: steps{fail(errDenied)}, requests: []string{"a b c"}, want: counts{failed: 3}, reason: "denied"},
		"the second is refused":     {steps: steps{answer("", "Throttled", ""), answer("")}, requests: []string{"a b c", "b"}, want: counts{published: 3}, takes: backoff},
		"the third is not taken":    {steps: steps{answer("Throttled", "", "Throttled"), answer("", "Internal")}, requests: []string{"a b c", "a c"}, want: counts{published: 2, failed: 1}, reason: "refused by the bus: Internal", takes: backoff},
		"half an answer":            {steps: steps{answer("")}, requests: []string{"a b c"}, want: counts{failed: 3}, reason: "the bus answers for 1 of 3 events"},
		"a connection that died":    {steps: steps{after(never, nil), answer("", "", "")}, requests: []string{"a b c", "a b c"}, want: counts{published: 3}, takes: attemptTimeout(defaultTimeout) + backoff},
		"hangs":                     {steps: steps{after(never, nil), after(never, nil)}, requests: []string{"a b c", "a b c"}, want: counts{failed: 3}, reason: context.DeadlineExceeded.Error(), takes: defaultTimeout},
		"slow, but within the time": {steps: steps{after(attemptTimeout(defaultTimeout)-time.Millisecond, answer("", "", ""))}, requests: []string{"a b c"}, want: counts{published: 3}, takes: attemptTimeout(defaultTimeout) - time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := &script{steps: test.steps}
				ctx, cancel := context.WithTimeout(t.Context(), defaultTimeout)
				defer cancel()
				start := time.Now()
				got, err := (&Publisher{bus: bus, config: Config{}.WithDefaults()}).send(ctx, []entry{{detail: "a"}, {detail: "b"}, {detail: "c"}})
				if took := time.Since(start); took != test.takes {
					t.Errorf("took %s, want %s", took, test.takes)
				}
				if got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
				if reason := reasonOf(err); reason != test.reason {
					t.Errorf("reason %q, want %q", reason, test.reason)
				}
				var requests []string
				for _, request := range bus.requests {
					var details []string
					for _, entry := range request {
						details = append(details, entry.detail)
					}
					requests = append(requests, strings.Join(details, " "))
				}
				if !slices.Equal(requests, test.requests) {
					t.Errorf("requests %q, want %q", requests, test.requests)
				}
			})
		})
	}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// happened is the data of an event that must not be logged.
type happened struct {
	What string `json:"what"`
}

func TestPublish(t *testing.T) {
	tests := map[string]struct {
		step      func(context.Context) ([]string, error)
		busName   string
		onFailure Failure
		remaining time.Duration // until the deadline of the invocation
		data      any
		requests  int
		counts    string
		reason    string
		refuses   bool
	}{
		"published":                 {step: answer(""), requests: 1, counts: "1 0 0"},
		"fails open":                {step: fail(errDenied), requests: 1, counts: "0 1 0", reason: "denied"},
		"fails closed":              {step: fail(errDenied), onFailure: Refuse, requests: 1, counts: "0 1 0", reason: "denied", refuses: true},
		"panics":                    {step: panics, requests: 1, counts: "0 1 0", reason: "panicked with a string"},
		"panics, fails closed":      {step: panics, onFailure: Refuse, requests: 1, counts: "0 1 0", reason: "panicked with a string", refuses: true},
		"near the deadline":         {step: answer(""), remaining: defaultMargin, counts: "0 0 1", reason: "no time left before the deadline"},
		"hangs before the deadline": {step: after(never, nil), remaining: defaultMargin + 20*time.Millisecond, requests: 1, counts: "0 1 0", reason: context.DeadlineExceeded.Error()},
		"no bus":                    {busName: "-", counts: "0 0 1", reason: "no bus: set EVENT_BUS_NAME"},
		"too large":                 {data: strings.Repeat("x", maxEntry), counts: "0 0 1", reason: "the event has "},
		"not JSON":                  {data: func() {}, counts: "0 0 1", reason: "encode the detail"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := &script{steps: []func(context.Context) ([]string, error){test.step, test.step}}
				var log bytes.Buffer
				publisher := &Publisher{bus: bus, busName: "tokens", config: Config{
					Source: "demo.function", OnFailure: test.onFailure, Logger: slog.New(slog.NewJSONHandler(&log, nil)),
				}.WithDefaults()}
				if test.busName == "-" {
					publisher.busName = ""
				}
				if test.remaining == 0 {
					test.remaining = 4 * time.Second
				}
				if test.data == nil {
					test.data = happened{"canary"}
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.remaining)
				defer cancel()
				if err := publisher.Publish(ctx, "Happened.v1", test.data); errors.Is(err, ErrNotPublished) != test.refuses {
					t.Errorf("error %v", err)
				}
				if ctx.Err() != nil {
					t.Error("the deadline has passed")
				}
				if len(bus.requests) != test.requests {
					t.Errorf("%d requests, want %d", len(bus.requests), test.requests)
				}
				if strings.Contains(log.String(), "canary") {
					t.Errorf("logged:\n%s", &log)
				}
				checkLine(t, log.Bytes(), test.counts, test.reason)
			})
		})
	}
}

// checkLine expects one line of JSON from which CloudWatch can extract three metrics.
func checkLine(t *testing.T, line []byte, counts, reason string) {
	t.Helper()
	var logged struct {
		EventsPublished, EventsFailed, EventsDropped int
		Reason                                       string `json:"reason"`
		EMF                                          struct {
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal(line, &logged); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if got := strings.Join([]string{digit(logged.EventsPublished), digit(logged.EventsFailed), digit(logged.EventsDropped)}, " "); got != counts {
		t.Errorf("published, failed, dropped: %s, want %s", got, counts)
	}
	if !strings.HasPrefix(logged.Reason, reason) || (reason == "") != (logged.Reason == "") {
		t.Errorf("reason %q, want %q", logged.Reason, reason)
	}
	directives := logged.EMF.CloudWatchMetrics
	if len(directives) != 1 || directives[0].Namespace != "demo" || len(directives[0].Metrics) != 3 {
		t.Fatalf("metrics: %+v", directives)
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal(line, &root); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{directives[0].Metrics[0].Name, directives[0].Metrics[1].Name, directives[0].Metrics[2].Name, directives[0].Dimensions[0][0]} {
		if root[member] == nil {
			t.Errorf("the line has no %s, which the metrics refer to: %s", member, line)
		}
	}
}

func digit(n int) string { return string(rune('0' + n)) }

func TestNewEntry(t *testing.T) {
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1"
	synctest.Test(t, func(t *testing.T) {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd"})
		ctx = context.WithValue(ctx, traceKey, trace) //nolint:staticcheck // the key is not ours
		got, err := newEntry(ctx, "demo.function", "Happened.v2", happened{"a <b>"})
		if err != nil {
			t.Fatal(err)
		}
		want := entry{
			source: "demo.function", detailType: "Happened.v2", traceHeader: trace, time: got.time,
			detail: `{"metadata":{"id":"8476a536-e9f4-11e8-9739-2dfe598c3fcd","version":"2","time":"2000-01-01T00:00:00Z"},"data":{"what":"a \u003cb\u003e"}}`,
		}
		if got != want || !got.time.Equal(time.Now()) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// TestNewEntryLimits makes entries of the largest size that EventBridge accepts, and larger ones.
func TestNewEntryLimits(t *testing.T) {
	entryOf := func(size, header int) (entry, error) {
		ctx := context.WithValue(t.Context(), traceKey, strings.Repeat("x", header)) //nolint:staticcheck // the key is not ours
		return newEntry(ctx, "demo.function", "Happened.v1", strings.Repeat("x", size))
	}
	if got, err := entryOf(1_000_000, 500); err != nil || len(got.detail) < 1_000_000 || len(got.traceHeader) != 500 {
		t.Errorf("1 MB of detail: %v, with a trace header of %d", err, len(got.traceHeader))
	}
	if _, err := entryOf(1<<20, 0); err == nil {
		t.Error("an event of more than 1 MB is accepted")
	}
	if got, err := entryOf(1, 501); err != nil || got.traceHeader != "" {
		t.Errorf("a trace header that is too long: %v, %q", err, got.traceHeader)
	}
}

func TestWithDefaults(t *testing.T) {
	if got, want := (Config{Source: "demo.function"}).WithDefaults(), (Config{
		Source: "demo.function", Timeout: 800 * time.Millisecond, Margin: 500 * time.Millisecond, Namespace: "demo", OnFailure: LetIn,
	}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	chosen := Config{Source: "demo.function", Timeout: 1, Margin: 2, Namespace: "metrics", OnFailure: Refuse}
	if got := chosen.WithDefaults(); got != chosen {
		t.Errorf("got  %+v\nwant %+v", got, chosen)
	}
}
