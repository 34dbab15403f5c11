package traces

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// post sends spans and returns the status.
func post(t *testing.T, s *Store, contentType, encoding string, body []byte) (int, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/traces", bytes.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Content-Encoding", encoding)
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

// example is the form of the specification's own (opentelemetry-proto, examples/trace.json), with a tree.
const example = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},"scopeSpans":[{"scope":{"name":"lib"},"spans":[
	{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173","name":"inner","startTimeUnixNano":"1544712661000000000","endTimeUnixNano":"1544712661500000000","kind":3,"status":{"code":2,"message":"broken"}},
	{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B173","parentSpanId":"aaaaaaaaaaaaaaaa","name":"outer","startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712662000000000","kind":2,"attributes":[{"key":"faas.invocation_id","value":{"stringValue":"id"}},{"key":"n","value":{"intValue":"9007199254740993"}}],"events":[{"name":"e","timeUnixNano":"1544712660000000001"}]}
]}]}]}`

func TestForms(t *testing.T) {
	unmarshaled, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	binary, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(unmarshaled)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	fmt.Fprint(writer, example)
	writer.Close()
	for _, tt := range []struct {
		name, contentType, encoding string
		body                        []byte
	}{
		{"JSON", "application/json; charset=utf-8", "", []byte(example)},
		{"JSON in gzip", "application/json", "gzip", packed.Bytes()},
		{"binary", "application/x-protobuf", "", binary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen []Trace
			s := NewStore(func(trace Trace) { seen = append(seen, trace) })
			if status, body := post(t, s, tt.contentType, tt.encoding, tt.body); status != 200 {
				t.Fatalf("got %d %s", status, body)
			}
			if len(seen) != 1 || seen[0].ID != "5b8efff798038103d269b633813fc60c" || seen[0].Service != "my.service" || seen[0].RequestID != "id" {
				t.Fatalf("seen %+v", seen)
			}
			outer, inner := seen[0].Spans[0], seen[0].Spans[1]
			if outer.Name != "outer" || outer.Kind != "Server" || outer.Milliseconds != 2000 || outer.Depth != 0 || outer.Status != "Unset" ||
				outer.Attributes["n"] != int64(9007199254740993) || outer.Events[0].Name != "e" {
				t.Errorf("outer %+v", outer)
			}
			if inner.Name != "inner" || inner.Depth != 1 || inner.Status != "Error" || inner.Message != "broken" || !inner.End().Before(outer.End()) {
				t.Errorf("inner %+v", inner)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, encoding, body string
		status                            int
	}{
		{"other type", "text/plain", "", example, 415},
		{"no JSON", "application/json", "", "{", 400},
		{"id that is none", "application/json", "", strings.Replace(example, "eee19b7ec3c1b174", "xyz", 1), 400},
		{"no gzip", "application/json", "gzip", "{}", 400},
		{"other encoding", "application/json", "br", "{}", 400},
		{"no message", "application/x-protobuf", "", "\xff\xff", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := NewStore(func(trace Trace) { t.Errorf("seen %+v", trace) })
			if status, body := post(t, s, tt.contentType, tt.encoding, []byte(tt.body)); status != tt.status {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
}

// spans makes spans of one trace, each "id<parent".
func spans(list ...string) ptrace.Traces {
	made := ptrace.NewTraces()
	all := made.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i, text := range list {
		id, parent, _ := strings.Cut(text, "<")
		span := all.AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{id[0]})
		if parent != "" {
			span.SetParentSpanID(pcommon.SpanID{parent[0]})
		}
		span.SetName(id)
		span.SetStartTimestamp(pcommon.Timestamp(i))
	}
	return made
}

func TestTree(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spans []string
		want  string
	}{
		{"in order", []string{"a", "b<a", "c<b", "d<a"}, "a0 b1 c2 d1"},
		{"children first", []string{"c<b", "b<a", "a"}, "a0 b1 c2"},
		{"two tops", []string{"a<x", "b<y", "c<a"}, "a0 c1 b0"},
		{"ring", []string{"a<b", "b<a"}, "a0 b1"},
		{"its own parent", []string{"a<a", "b<a"}, "a0 b1"},
		{"top and ring", []string{"a<c", "b", "c<a"}, "b0 a0 c1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var last Trace
			s := NewStore(func(trace Trace) { last = trace })
			s.add(spans(tt.spans...))
			var got []string
			for _, span := range last.Spans {
				got = append(got, fmt.Sprint(span.Name, span.Depth))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// What is kept is bounded, however much comes.
func TestBounds(t *testing.T) {
	s := NewStore(nil)
	for n := range 2 * maxTraces {
		one := spans("a")
		one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetTraceID(pcommon.TraceID{1, byte(n >> 8), byte(n)})
		s.add(one)
	}
	if len(s.traces) != maxTraces || len(s.order) != maxTraces {
		t.Errorf("%d traces, %d in order", len(s.traces), len(s.order))
	}
	var last Trace
	s = NewStore(func(trace Trace) { last = trace })
	for n := range maxSpans + 5 {
		one := spans("a")
		one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID(pcommon.SpanID{1, byte(n >> 8), byte(n)})
		s.add(one)
	}
	if len(last.Spans) != maxSpans || last.Dropped != 5 {
		t.Errorf("%d spans, %d dropped", len(last.Spans), last.Dropped)
	}
}

func TestSizeBounds(t *testing.T) {
	var last Trace
	s := NewStore(func(trace Trace) { last = trace })
	large := spans("a", "b", "c", "d", "e")
	for _, span := range large.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
		span.Attributes().PutStr("text", strings.Repeat("x", 1<<20))
	}
	s.add(large)
	s.add(large) // those that are kept are told again, and count once
	if len(last.Spans) != 3 || last.Dropped != 4 {
		t.Errorf("%d spans, %d dropped", len(last.Spans), last.Dropped)
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(bytes.Repeat([]byte(" "), maxBody+1))
	writer.Close()
	if status, body := post(t, s, "application/json", "gzip", packed.Bytes()); status != 400 || !strings.Contains(body, "more than") {
		t.Errorf("got %d %s", status, body)
	}
}

func FuzzTraces(f *testing.F) {
	f.Add([]byte(example), true)
	f.Add([]byte("\x0a\x00"), false)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		kind := "application/x-protobuf"
		if isJSON {
			kind = "application/json"
		}
		post(t, NewStore(func(Trace) {}), kind, "", body)
	})
}
