package traces

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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
	inBinary, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(unmarshaled)
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
		{"binary", "application/x-protobuf", "", inBinary},
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
	s = NewStore(func(trace Trace) { last = last.Join(trace) })
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
	_, _ = writer.Write(bytes.Repeat([]byte(" "), MaxBody+1))
	writer.Close()
	if status, body := post(t, s, "application/json", "gzip", packed.Bytes()); status != 413 || !strings.Contains(body, "more than") {
		t.Errorf("got %d %s", status, body)
	}
}

// nested makes the value of an attribute out of so many arrays, in both forms.
func nested(depth int) (inBinary, inJSON []byte) {
	inBinary, inJSON = []byte{0x18, 1}, []byte(`{"intValue":1}`) // AnyValue.int_value
	slices.Reverse(inBinary)
	for range depth - 1 {
		for _, number := range []byte{1, 5} { // ArrayValue.values, AnyValue.array_value
			length := binary.AppendUvarint(nil, uint64(len(inBinary)))
			slices.Reverse(length)
			inBinary = append(append(inBinary, length...), number<<3|2)
		}
	}
	slices.Reverse(inBinary)
	inJSON = slices.Concat(bytes.Repeat([]byte(`{"arrayValue":{"values":[`), depth-1), inJSON, bytes.Repeat([]byte("]}}"), depth-1))
	return inBinary, inJSON
}

// attributed is a request with one span that has the attribute, in both forms.
func attributed(place string, valueBinary, valueJSON []byte) (inBinary, inJSON []byte) {
	field := func(number byte, content []byte) []byte {
		return append(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(content))), content...)
	}
	pair := slices.Concat(field(1, []byte("k")), field(2, valueBinary))
	pairJSON := `[{"key":"k","value":` + string(valueJSON) + `}]`
	ids := slices.Concat(field(1, bytes.Repeat([]byte{1}, 16)), field(2, bytes.Repeat([]byte{1}, 8)))
	idsJSON := `"traceId":"` + strings.Repeat("01", 16) + `","spanId":"` + strings.Repeat("01", 8) + `"`
	of := map[string][]byte{}
	ofJSON := map[string]string{}
	switch place {
	case "resource", "scope":
		of[place], ofJSON[place] = field(map[string]byte{"resource": 1, "scope": 3}[place], pair), `"attributes":`+pairJSON
	case "span":
		of[place], ofJSON[place] = field(9, pair), `,"attributes":`+pairJSON
	case "event":
		of["span"], ofJSON["span"] = field(11, field(3, pair)), `,"events":[{"attributes":`+pairJSON+`}]`
	case "link":
		of["span"], ofJSON["span"] = field(13, field(4, pair)), `,"links":[{"attributes":`+pairJSON+`}]`
	}
	scoped := slices.Concat(field(1, of["scope"]), field(2, slices.Concat(ids, of["span"])))
	inBinary = field(1, slices.Concat(field(1, of["resource"]), field(2, scoped)))
	inJSON = []byte(`{"resourceSpans":[{"resource":{` + ofJSON["resource"] + `},"scopeSpans":[{"scope":{` + ofJSON["scope"] + `},"spans":[{` +
		idsJSON + ofJSON["span"] + `}]}]}]}`)
	return inBinary, inJSON
}

// Nesting is bounded before anything decodes it: the decoders recurse, and a stack that overflows ends the process.
func TestNesting(t *testing.T) {
	for _, place := range []string{"resource", "scope", "span", "event", "link"} {
		for depth, want := range map[int]int{1: 200, maxNesting: 200, maxNesting + 100: 400, 500_000: 400} {
			if place != "span" && depth > maxNesting+100 {
				continue // once is enough
			}
			s := NewStore(func(Trace) {})
			inBinary, inJSON := attributed(place, first(nested(depth)), second(nested(depth)))
			if status, body := post(t, s, "application/x-protobuf", "", inBinary); status != want {
				t.Errorf("%s, %d deep, binary: %d %s", place, depth, status, body)
			}
			if status, body := post(t, s, "application/json", "", inJSON); status != want {
				t.Errorf("%s, %d deep, JSON: %d %s", place, depth, status, body)
			}
		}
	}
}

func first(a, _ []byte) []byte  { return a }
func second(_, b []byte) []byte { return b }

// A message of two bytes becomes a struct of some hundred.
func TestMessages(t *testing.T) {
	s := NewStore(func(trace Trace) { t.Errorf("told of %s", trace.ID) })
	spansOf := func(n int) []byte {
		inner := bytes.Repeat([]byte{0x12, 0}, n)
		scoped := append(binary.AppendUvarint([]byte{0x12}, uint64(len(inner))), inner...)
		return append(binary.AppendUvarint([]byte{0x0a}, uint64(len(scoped))), scoped...)
	}
	for name, tt := range map[string]struct {
		kind   string
		body   []byte
		status int
	}{
		"spans":          {"application/x-protobuf", spansOf(maxRequestSpans), 200},
		"too many":       {"application/x-protobuf", spansOf(maxRequestSpans + 1), 400},
		"JSON objects":   {"application/json", []byte(`{"resourceSpans":[{}` + strings.Repeat(",{}", maxMessages) + `]}`), 400},
		"JSON nulls":     {"application/json", []byte(`{"resourceSpans":[null` + strings.Repeat(",null", maxMessages) + `]}`), 400},
		"JSON in text":   {"application/json", []byte(`{"x":"` + strings.Repeat(`[{,\"`, maxMessages) + `"}`), 200},
		"a group":        {"application/x-protobuf", []byte{0x0b, 0x0c}, 400},
		"a large number": {"application/x-protobuf", []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 400},
	} {
		if status, body := post(t, s, tt.kind, "", tt.body); status != tt.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// All traces together are bounded, in memory and as JSON.
func TestSum(t *testing.T) {
	s := NewStore(func(Trace) {})
	for n := range 30 {
		one := spans("a")
		span := one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		span.SetTraceID(pcommon.TraceID{1, byte(n >> 8), byte(n)})
		list := span.Attributes().PutEmptySlice("list")
		for range 10_000 { // three bytes of JSON each, and a map
			list.AppendEmpty().SetEmptyMap()
		}
		s.add(one)
		sum := 0
		for _, t := range s.traces {
			sum += t.size
		}
		if sum != s.sum || sum > maxSum || len(s.traces) != len(s.order) {
			t.Errorf("after %d: %d bytes in %d traces, counted %d in %d", n, sum, len(s.traces), s.sum, len(s.order))
		}
	}
	if len(s.traces) == 0 || len(s.traces) == 30 {
		t.Errorf("%d traces are kept", len(s.traces))
	}
	huge := strings.Repeat("x", maxSize)
	for n := range maxTraces + 1 { // what is too large for its trace makes traces too
		one := spans("a")
		span := one.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		span.SetTraceID(pcommon.TraceID{2, byte(n >> 8), byte(n)})
		span.SetName(huge)
		s.add(one)
	}
	if len(s.order) > maxTraces {
		t.Errorf("%d traces", len(s.order))
	}
}

// What is told grows with what comes, and not with what is kept. Whoever joins the parts has the whole.
func TestTold(t *testing.T) {
	var joined Trace
	told, partial := 0, 0
	s := NewStore(func(trace Trace) {
		encoded, err := json.Marshal(trace)
		if err != nil {
			t.Error(err)
		}
		told += len(encoded)
		if trace.Partial {
			partial++
		}
		joined = joined.Join(trace)
	})
	large := spans("a", "b<a", "c<z")
	large.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutStr("text", strings.Repeat("x", maxSize-maxSize/4))
	s.add(large)
	const small = 300
	for range small {
		s.add(spans("d<b"))
	}
	s.add(spans("z<a")) // the parent of another one
	if most := maxTold + small*1000; told > most || partial == 0 {
		t.Errorf("told %d bytes, %d partial", told, partial)
	}
	var tree []string
	for _, span := range joined.Spans {
		tree = append(tree, fmt.Sprint(span.Name, span.Depth))
	}
	if got := strings.Join(tree, " "); got != "a0 z1 c2 b1 d2" || joined.Partial {
		t.Errorf("joined %s", got)
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
