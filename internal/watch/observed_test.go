package watch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/testkit"
)

// A function with the AWS SDK and OpenTelemetry's own exporter finds the local event bus and the local endpoint for spans, with nothing
// set. Its event reaches another function by a rule, and its spans are those of its invocation.
func TestObserved(t *testing.T) {
	testkit.Slow(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(root, os.DirFS("testdata/observed")); err != nil {
		t.Fatal(err)
	}
	w := start(t, root, func(o *Options) { o.Rules = filepath.Join(root, "rules.yaml") })
	invoke := func(source, detail string) local.Result {
		t.Helper()
		event, _ := json.Marshal(map[string]string{"Source": source, "DetailType": "Order placed", "Detail": detail})
		result, err := w.Invoke(t.Context(), "publish", local.Invocation{Payload: event})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	result := invoke("shop", `{"total":120.5}`)
	var ids []string
	if json.Unmarshal(result.Payload, &ids) != nil || len(ids) != 1 {
		t.Fatalf("publish answers %s", result.Payload)
	}
	bus := w.sees("the event", func(e Event) bool { return e.Type == EventBus }).Bus
	if bus.Event.ID != ids[0] || bus.Bus != "default" || bus.Event.Source != "shop" || string(bus.Event.Detail) != `{"total":120.5}` ||
		len(bus.Matches) != 2 || bus.Matches[0].Rule != "orders" || bus.Matches[1].Rule != "everything" {
		t.Errorf("the event is %+v", bus)
	}
	w.sees("its delivery", func(e Event) bool {
		return e.Type == EventLog && e.Log.Function == "audit" && e.Log.Text == `audit: Order placed from shop: {"total":120.5}`
	})
	trace := w.sees("the trace", func(e Event) bool { return e.Type == EventTrace && len(e.Trace.Spans) == 2 }).Trace
	lambdas := strings.ReplaceAll(strings.TrimPrefix(strings.Split(result.TraceID, ";")[0], "Root=1-"), "-", "")
	if trace.ID != lambdas || trace.RequestID != result.RequestID || trace.Service != "publish" {
		t.Errorf("the trace is %+v, Lambda's %s", trace, lambdas)
	}
	if outer, inner := trace.Spans[0], trace.Spans[1]; outer.Name != "publish" || outer.Kind != "Server" || outer.Depth != 0 ||
		inner.Name != "PutEvents" || inner.Depth != 1 || inner.Parent != outer.ID {
		t.Errorf("the spans are %+v", trace.Spans)
	}

	// An entry that EventBridge would refuse is refused, and shown.
	if result = invoke("aws.shop", `{}`); !strings.Contains(string(result.Payload), "NotAuthorizedForSource") {
		t.Errorf("publish answers %s", result.Payload)
	}
	w.sees("the refusal", func(e Event) bool { return e.Type == EventBus && e.Bus.Error != "" })
	w.sees("the failed span", func(e Event) bool { return e.Type == EventTrace && e.Trace.Spans[0].Status == "Error" })

	// Rules are read again when they are saved, and broken ones leave those before.
	before := w.count()
	w.write("rules.yaml", "rules:\n  - name: none\n    pattern: {source: []}\n")
	w.seesFrom(before, "what is wrong", func(e Event) bool { // a file that is being written may be empty for a moment, which is said too
		return e.Type == EventNote && strings.Contains(e.Note, "rule none: source: an empty array matches nothing")
	})
	before = w.count()
	w.write("rules.yaml", "rules:\n  - name: mended\n    pattern: {source: [shop]}\n")
	w.seesFrom(before, "the new rules", func(e Event) bool { return e.Type == EventNote && strings.HasSuffix(e.Note, "1 rules") })
	before = w.count()
	invoke("shop", `{"total":120.5}`)
	bus = w.seesFrom(before, "the event", func(e Event) bool { return e.Type == EventBus }).Bus
	if len(bus.Matches) != 1 || bus.Matches[0].Rule != "mended" {
		t.Errorf("it matches %+v", bus.Matches)
	}
}
