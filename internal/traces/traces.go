// Package traces receives spans of OpenTelemetry over HTTP (OTLP) and puts them together into traces.
//
// What belongs here: the endpoint ("OpenTelemetry Protocol Specification", OTLP/HTTP: JSON and binary, gzip), keeping the latest traces, and
// their trees. What does not: drawing them.
package traces

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Limits of what is kept and taken.
const (
	maxTraces = 200
	maxSpans  = 1000     // of a trace
	maxSize   = 4 << 20  // bytes of the spans of a trace; see sizeOf
	maxSum    = 64 << 20 // bytes of the spans of all traces
	maxTold   = 8 << 20  // bytes of a trace that are told as a whole, over and over; after that only its new spans are
	MaxBody   = 16 << 20 // bytes of a request, unpacked
)

// Trace is what is known of a trace.
type Trace struct {
	// ID is 32 hexadecimal digits.
	ID string `json:"traceId"`
	// Service is the service.name of its first span.
	Service string `json:"service,omitempty"`
	// RequestID is that of the Lambda invocation which the trace is about, "" if no span tells.
	RequestID string `json:"requestId,omitempty"`
	// Spans are in the order of a tree that is written line by line: each one is followed by those below it, by time.
	Spans []Span `json:"spans"`
	// Dropped is how many spans there were beyond what is kept.
	Dropped int `json:"dropped,omitempty"`
	// Partial says that Spans are only those that are new. The trace has been told before; see [Trace.Join].
	Partial bool `json:"partial,omitempty"`

	size int
}

// Size is about how many bytes of memory the trace takes.
func (t Trace) Size() int { return t.size }

// Span is one of a trace.
type Span struct {
	ID     string `json:"spanId"`
	Parent string `json:"parentSpanId,omitempty"`
	// Depth is the number of known spans above it.
	Depth int    `json:"depth"`
	Name  string `json:"name"`
	// Kind is "Server", "Client", "Internal", "Producer", "Consumer" or "Unspecified".
	Kind  string    `json:"kind"`
	Start time.Time `json:"start"`
	// Milliseconds is the duration.
	Milliseconds float64 `json:"ms"`
	// Status is "Unset", "Ok" or "Error".
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
	// Attributes are the span's own, Resource those of what made it.
	Attributes map[string]any `json:"attributes,omitempty"`
	Resource   map[string]any `json:"resource,omitempty"`
	Events     []SpanEvent    `json:"events,omitempty"`
}

// SpanEvent is a moment in a span.
type SpanEvent struct {
	Name       string         `json:"name"`
	Time       time.Time      `json:"time"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// Store keeps the latest traces.
type Store struct {
	seen func(Trace)

	mu     sync.Mutex // also keeps two requests from being decoded at a time
	traces map[string]*trace
	order  []string // ids, the oldest first
	sum    int      // of the traces' sizes
}

type trace struct {
	spans   map[string]Span
	sizes   map[string]int // of spans
	size    int            // of all spans
	told    int            // bytes that have been told
	dropped int
}

// NewStore makes an empty one. Seen receives a trace whenever spans of it have come, one call at a time.
func NewStore(seen func(Trace)) *Store {
	return &Store{seen: seen, traces: map[string]*trace{}}
}

// ServeHTTP takes an ExportTraceServiceRequest.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "spans are posted", http.StatusMethodNotAllowed)
		return
	}
	if kind != "application/json" && kind != "application/x-protobuf" {
		http.Error(w, "use application/json or application/x-protobuf", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err == nil {
		err = s.take(kind, r.Header.Get("Content-Encoding"), body)
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large || errors.Is(err, errBody) {
		http.Error(w, errBody.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the spans cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", kind)
	if kind == "application/json" {
		_, _ = w.Write([]byte("{}")) // an empty message is an empty body in binary
	}
}

var errBody = fmt.Errorf("the body has more than %d bytes: send smaller batches", MaxBody)

// take unpacks and decodes a request, and keeps its spans.
func (s *Store) take(kind, encoding string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := unpack(encoding, body)
	if err != nil {
		return err
	}
	var received ptrace.Traces
	if kind == "application/json" {
		if err = checkJSON(body); err == nil {
			received, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
		}
	} else if err = checkBinary(body); err == nil {
		received, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	}
	if err != nil {
		return err
	}
	s.add(received)
	return nil
}

func unpack(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
	default:
		return nil, fmt.Errorf("the encoding %q is not known: use gzip or none", encoding)
	}
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("unpack the body: %w", err)
	}
	unpacked, err := io.ReadAll(io.LimitReader(reader, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("unpack the body: %w", err)
	}
	if len(unpacked) > MaxBody {
		return nil, errBody
	}
	return unpacked, nil
}

func (s *Store) add(received ptrace.Traces) {
	var touched []string // in the order of their first spans
	fresh := map[string]map[string]bool{}
	for _, resource := range received.ResourceSpans().All() {
		of := attributes(resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				id := span.TraceID().String()
				if id == "" || span.SpanID().IsEmpty() {
					continue // no valid span (OpenTelemetry specification, SpanContext)
				}
				if fresh[id] == nil {
					fresh[id] = map[string]bool{}
					touched = append(touched, id)
				}
				if made := convert(span, of); s.keep(id, made) {
					fresh[id][made.ID] = true
				}
			}
		}
	}
	for _, id := range touched {
		if t := s.traces[id]; t != nil && s.seen != nil {
			s.seen(t.tell(id, fresh[id]))
		}
	}
}

// keep adds a span to its trace, and forgets the oldest traces where there is too much. It reports whether the span is kept.
func (s *Store) keep(id string, span Span) bool {
	t := s.traces[id]
	if t == nil {
		t = &trace{spans: map[string]Span{}, sizes: map[string]int{}}
		s.traces[id] = t
		s.order = append(s.order, id)
	}
	size := sizeOf(span)
	_, known := t.spans[span.ID]
	kept := (known || len(t.spans) < maxSpans) && t.size-t.sizes[span.ID]+size <= maxSize
	if kept {
		more := size - t.sizes[span.ID]
		t.size, s.sum = t.size+more, s.sum+more
		t.spans[span.ID], t.sizes[span.ID] = span, size
	} else {
		t.dropped++
	}
	for len(s.order) > maxTraces || s.sum > maxSum {
		oldest := s.order[0]
		s.sum -= s.traces[oldest].size
		delete(s.traces, oldest)
		s.order = slices.Delete(s.order, 0, 1)
	}
	return kept
}

// tell is the trace as it is told after the fresh spans came: as a whole, or what is new once the whole has been told too often. So what
// is told grows with what is received.
func (t *trace) tell(id string, fresh map[string]bool) Trace {
	if t.told+t.size <= maxTold {
		t.told += t.size
		return t.tree(id)
	}
	whole := t.tree(id)
	whole.Partial = true
	whole.Spans = slices.DeleteFunc(whole.Spans, func(span Span) bool { return !fresh[span.ID] })
	whole.size = 0
	for id := range fresh {
		whole.size += t.sizes[id]
	}
	return whole
}

// Join adds the spans of a later partial trace to what has been told before.
func (t Trace) Join(later Trace) Trace {
	if !later.Partial {
		return later
	}
	joined := trace{spans: map[string]Span{}, dropped: later.Dropped}
	for _, span := range slices.Concat(t.Spans, later.Spans) {
		span.Depth = 0
		joined.spans[span.ID] = span
	}
	joined.size = t.size + later.size
	return joined.tree(t.ID)
}

// sizeOf is how many bytes a span takes: as JSON, for whoever looks at the trace, or in memory, where that is more.
func sizeOf(span Span) int {
	const ofSpan, ofEvent = 512, 64
	memory := ofSpan + len(span.Name) + len(span.Message) + memoryOf(span.Attributes) + memoryOf(span.Resource)
	for _, event := range span.Events {
		memory += ofEvent + len(event.Name) + memoryOf(event.Attributes)
	}
	encoded, err := json.Marshal(span)
	if err != nil {
		return memory // it cannot be shown
	}
	return max(memory, len(encoded))
}

// memoryOf is about what an attribute takes. Its nesting is bounded; see wire.go.
func memoryOf(value any) int {
	const ofMap, ofEntry, ofValue = 320, 40, 24
	switch value := value.(type) {
	case map[string]any:
		size := ofMap
		for key, element := range value {
			size += ofEntry + len(key) + memoryOf(element)
		}
		return size
	case []any:
		size := ofValue
		for _, element := range value {
			size += ofValue + memoryOf(element)
		}
		return size
	case string:
		return ofValue + len(value)
	case []byte:
		return ofValue + len(value)
	}
	return ofValue
}

func convert(span ptrace.Span, resource map[string]any) Span {
	converted := Span{
		ID: span.SpanID().String(), Parent: span.ParentSpanID().String(), Name: span.Name(), Kind: span.Kind().String(),
		Start:        span.StartTimestamp().AsTime(),
		Milliseconds: float64(span.EndTimestamp().AsTime().Sub(span.StartTimestamp().AsTime())) / float64(time.Millisecond),
		Status:       span.Status().Code().String(), Message: span.Status().Message(),
		Attributes: attributes(span.Attributes()), Resource: resource,
	}
	for _, event := range span.Events().All() {
		converted.Events = append(converted.Events, SpanEvent{event.Name(), event.Timestamp().AsTime(), attributes(event.Attributes())})
	}
	return converted
}

// attributes are as JSON can have them.
func attributes(m pcommon.Map) map[string]any {
	raw := m.AsRaw()
	if _, err := json.Marshal(raw); err == nil {
		return raw
	}
	// Not every number has a form in JSON.
	text := map[string]any{}
	for key, value := range m.All() {
		text[key] = value.AsString()
	}
	return text
}

// tree puts spans below their parents. Spans whose parent is not known, yet or at all, are at the top; of a ring, the first one is.
func (t *trace) tree(id string) Trace {
	made := Trace{ID: id, Dropped: t.dropped, size: t.size}
	below := map[string][]Span{}
	var all []Span
	for _, span := range t.spans {
		all = append(all, span)
	}
	slices.SortFunc(all, func(a, b Span) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	var tops []Span
	for _, span := range all {
		if _, known := t.spans[span.Parent]; known && span.Parent != span.ID {
			below[span.Parent] = append(below[span.Parent], span)
		} else {
			tops = append(tops, span)
		}
	}
	placed := map[string]bool{}
	// Not recursive: a chain may be as long as there are spans.
	place := func(top Span) {
		stack := []Span{top}
		for len(stack) > 0 {
			span := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if placed[span.ID] {
				continue
			}
			placed[span.ID] = true
			made.Spans = append(made.Spans, span)
			children := below[span.ID]
			for i := len(children) - 1; i >= 0; i-- {
				child := children[i]
				child.Depth = span.Depth + 1
				stack = append(stack, child)
			}
		}
	}
	for _, span := range slices.Concat(tops, all) {
		place(span)
	}
	for _, span := range made.Spans {
		if name, ok := span.Resource["service.name"].(string); ok && made.Service == "" {
			made.Service = name
		}
		if invocation, ok := span.Attributes["faas.invocation_id"].(string); ok && made.RequestID == "" {
			made.RequestID = invocation
		}
	}
	return made
}

// End is when the span ended.
func (s Span) End() time.Time {
	return s.Start.Add(time.Duration(s.Milliseconds * float64(time.Millisecond)))
}
