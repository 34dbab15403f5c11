// Package traces receives spans of OpenTelemetry over HTTP (OTLP) and puts them together into traces.
//
// What belongs here: the endpoint ("OpenTelemetry Protocol Specification", OTLP/HTTP: JSON and binary, gzip), keeping the latest traces, and
// their trees. What does not: drawing them.
package traces

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
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
	maxSize   = 4 << 20  // bytes of the spans of a trace, as JSON
	maxBody   = 16 << 20 // bytes of a request, unpacked
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
}

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

	mu     sync.Mutex
	traces map[string]*trace
	order  []string // ids, the oldest first
}

type trace struct {
	spans   map[string]Span
	sizes   map[string]int // of spans
	size    int            // of all spans
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
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var received ptrace.Traces
	switch kind {
	case "application/json":
		received, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
	case "application/x-protobuf":
		received, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	default:
		http.Error(w, "use application/json or application/x-protobuf", http.StatusUnsupportedMediaType)
		return
	}
	if err != nil {
		http.Error(w, "the spans cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.add(received)
	w.Header().Set("Content-Type", kind)
	if kind == "application/json" {
		_, _ = w.Write([]byte("{}")) // an empty message is an empty body in binary
	}
}

func readBody(r *http.Request) ([]byte, error) {
	reader := io.Reader(http.MaxBytesReader(nil, r.Body, maxBody))
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(reader)
		if err != nil {
			return nil, fmt.Errorf("unpack the body: %w", err)
		}
		reader = unpacked
	default:
		return nil, fmt.Errorf("the encoding %q is not known: use gzip or none", encoding)
	}
	body, err := io.ReadAll(io.LimitReader(reader, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("the body has more than %d bytes", maxBody)
	}
	return body, err
}

func (s *Store) add(received ptrace.Traces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var touched []string // in the order of their first spans
	seen := map[string]bool{}
	for _, resource := range received.ResourceSpans().All() {
		of := attributes(resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				id := span.TraceID().String()
				if id == "" || span.SpanID().IsEmpty() {
					continue // no valid span (OpenTelemetry specification, SpanContext)
				}
				s.keep(id, convert(span, of))
				if !seen[id] {
					seen[id] = true
					touched = append(touched, id)
				}
			}
		}
	}
	for _, id := range touched {
		if t := s.traces[id]; t != nil && s.seen != nil {
			s.seen(t.tree(id))
		}
	}
}

func (s *Store) keep(id string, span Span) {
	t := s.traces[id]
	if t == nil {
		t = &trace{spans: map[string]Span{}, sizes: map[string]int{}}
		s.traces[id] = t
		s.order = append(s.order, id)
		if len(s.order) > maxTraces {
			delete(s.traces, s.order[0])
			s.order = slices.Delete(s.order, 0, 1)
		}
	}
	size := sizeOf(span)
	_, known := t.spans[span.ID]
	if !known && len(t.spans) >= maxSpans || t.size-t.sizes[span.ID]+size > maxSize {
		t.dropped++
		return
	}
	t.size += size - t.sizes[span.ID]
	t.spans[span.ID], t.sizes[span.ID] = span, size
}

// sizeOf is how many bytes a span is, as whoever looks at the trace gets it.
func sizeOf(span Span) int {
	encoded, err := json.Marshal(span)
	if err != nil {
		return 0 // nobody gets it
	}
	return len(encoded)
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
	made := Trace{ID: id, Dropped: t.dropped}
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
