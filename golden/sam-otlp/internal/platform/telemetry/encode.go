package telemetry

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The types below are the OTLP messages that spans need, in OTLP's JSON encoding: ids are hexadecimal, enumerations are numbers, and 64-bit
// integers are strings.
// Source: opentelemetry-proto, trace.proto, and OpenTelemetry specification, "OTLP Specification", section "JSON Protobuf Encoding".
type (
	tracesData struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resourceMessage `json:"resource"`
		ScopeSpans []scopeSpans    `json:"scopeSpans"`
		SchemaURL  string          `json:"schemaUrl,omitempty"`
	}
	resourceMessage struct {
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	scopeSpans struct {
		Scope     scopeMessage  `json:"scope"`
		Spans     []spanMessage `json:"spans"`
		SchemaURL string        `json:"schemaUrl,omitempty"`
	}
	scopeMessage struct {
		Name       string     `json:"name,omitempty"`
		Version    string     `json:"version,omitempty"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	spanMessage struct {
		TraceID                string         `json:"traceId"`
		SpanID                 string         `json:"spanId"`
		TraceState             string         `json:"traceState,omitempty"`
		ParentSpanID           string         `json:"parentSpanId,omitempty"`
		Flags                  uint32         `json:"flags,omitempty"`
		Name                   string         `json:"name"`
		Kind                   int            `json:"kind"`
		StartTimeUnixNano      nanoseconds    `json:"startTimeUnixNano"`
		EndTimeUnixNano        nanoseconds    `json:"endTimeUnixNano"`
		Attributes             []keyValue     `json:"attributes,omitempty"`
		DroppedAttributesCount int            `json:"droppedAttributesCount,omitempty"`
		Events                 []eventMessage `json:"events,omitempty"`
		DroppedEventsCount     int            `json:"droppedEventsCount,omitempty"`
		Links                  []linkMessage  `json:"links,omitempty"`
		DroppedLinksCount      int            `json:"droppedLinksCount,omitempty"`
		Status                 statusMessage  `json:"status"`
	}
	eventMessage struct {
		TimeUnixNano           nanoseconds `json:"timeUnixNano"`
		Name                   string      `json:"name"`
		Attributes             []keyValue  `json:"attributes,omitempty"`
		DroppedAttributesCount int         `json:"droppedAttributesCount,omitempty"`
	}
	linkMessage struct {
		TraceID                string     `json:"traceId"`
		SpanID                 string     `json:"spanId"`
		TraceState             string     `json:"traceState,omitempty"`
		Attributes             []keyValue `json:"attributes,omitempty"`
		DroppedAttributesCount int        `json:"droppedAttributesCount,omitempty"`
		Flags                  uint32     `json:"flags,omitempty"`
	}
	statusMessage struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code,omitempty"`
	}
	keyValue struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	// anyValue has at most one member.
	anyValue struct {
		StringValue *string     `json:"stringValue,omitempty"`
		BoolValue   *bool       `json:"boolValue,omitempty"`
		IntValue    *integer    `json:"intValue,omitempty"`
		DoubleValue *double     `json:"doubleValue,omitempty"`
		BytesValue  *[]byte     `json:"bytesValue,omitempty"` // encoding/json writes it in base64
		ArrayValue  *arrayValue `json:"arrayValue,omitempty"`
		KvlistValue *listValue  `json:"kvlistValue,omitempty"`
	}
	arrayValue struct {
		Values []anyValue `json:"values"`
	}
	listValue struct {
		Values []keyValue `json:"values"`
	}
)

type nanoseconds time.Time

// MarshalJSON implements json.Marshaler.
func (n nanoseconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatInt(time.Time(n).UnixNano(), 10)), nil
}

type integer int64

// MarshalJSON implements json.Marshaler.
func (i integer) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatInt(int64(i), 10)), nil
}

type double float64

// MarshalJSON implements json.Marshaler. The three values that JSON lacks have names in Protocol Buffers.
func (d double) MarshalJSON() ([]byte, error) {
	switch f := float64(d); {
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(f)
	}
}

// encode returns one message with the spans, grouped by scope. They share a resource, because there is one provider.
func encode(spans []sdktrace.ReadOnlySpan) tracesData {
	if len(spans) == 0 {
		return tracesData{}
	}
	var scopes []scopeSpans
	index := map[instrumentation.Scope]int{}
	for _, span := range spans {
		scope := span.InstrumentationScope()
		i, known := index[scope]
		if !known {
			i = len(scopes)
			index[scope] = i
			scopes = append(scopes, scopeSpans{
				Scope:     scopeMessage{scope.Name, scope.Version, encodeAttributes(scope.Attributes.ToSlice())},
				SchemaURL: scope.SchemaURL,
			})
		}
		scopes[i].Spans = append(scopes[i].Spans, encodeSpan(span))
	}
	resource := spans[0].Resource()
	return tracesData{[]resourceSpans{{
		Resource: resourceMessage{encodeAttributes(resource.Attributes())}, ScopeSpans: scopes, SchemaURL: resource.SchemaURL(),
	}}}
}

func encodeSpan(span sdktrace.ReadOnlySpan) spanMessage {
	message := spanMessage{
		TraceID:                span.SpanContext().TraceID().String(),
		SpanID:                 span.SpanContext().SpanID().String(),
		TraceState:             span.SpanContext().TraceState().String(),
		Flags:                  flags(span.SpanContext(), span.Parent()),
		Name:                   span.Name(),
		Kind:                   int(span.SpanKind()), // the same numbers
		StartTimeUnixNano:      nanoseconds(span.StartTime()),
		EndTimeUnixNano:        nanoseconds(span.EndTime()),
		Attributes:             encodeAttributes(span.Attributes()),
		DroppedAttributesCount: span.DroppedAttributes(),
		DroppedEventsCount:     span.DroppedEvents(),
		DroppedLinksCount:      span.DroppedLinks(),
		Status:                 encodeStatus(span.Status()),
	}
	if parent := span.Parent().SpanID(); parent.IsValid() {
		message.ParentSpanID = parent.String()
	}
	for _, event := range span.Events() {
		message.Events = append(message.Events, eventMessage{
			nanoseconds(event.Time), event.Name, encodeAttributes(event.Attributes), event.DroppedAttributeCount,
		})
	}
	for _, link := range span.Links() {
		to := link.SpanContext
		message.Links = append(message.Links, linkMessage{
			to.TraceID().String(), to.SpanID().String(), to.TraceState().String(), encodeAttributes(link.Attributes),
			link.DroppedAttributeCount, flags(to, to),
		})
	}
	return message
}

// flags returns the W3C trace flags and whether the parent is in another process.
func flags(span, parent trace.SpanContext) uint32 {
	const isRemoteKnown, isRemote = 0x100, 0x200
	flags := uint32(span.TraceFlags()) | isRemoteKnown
	if parent.IsRemote() {
		flags |= isRemote
	}
	return flags
}

// encodeStatus maps the status code, because the Go API and OTLP number the codes differently.
func encodeStatus(status sdktrace.Status) statusMessage {
	const ok, failed = 1, 2
	switch status.Code {
	case codes.Ok:
		return statusMessage{Code: ok}
	case codes.Error:
		return statusMessage{status.Description, failed}
	default:
		return statusMessage{}
	}
}

func encodeAttributes(attributes []attribute.KeyValue) []keyValue {
	encoded := make([]keyValue, len(attributes))
	for i, pair := range attributes {
		encoded[i] = keyValue{string(pair.Key), encodeValue(pair.Value)}
	}
	return encoded
}

func encodeValue(value attribute.Value) anyValue {
	switch value.Type() {
	case attribute.BOOL:
		return boolValue(value.AsBool())
	case attribute.INT64:
		return intValue(value.AsInt64())
	case attribute.FLOAT64:
		return doubleValue(value.AsFloat64())
	case attribute.BOOLSLICE:
		return arrayOf(value.AsBoolSlice(), boolValue)
	case attribute.INT64SLICE:
		return arrayOf(value.AsInt64Slice(), intValue)
	case attribute.FLOAT64SLICE:
		return arrayOf(value.AsFloat64Slice(), doubleValue)
	case attribute.STRINGSLICE:
		return arrayOf(value.AsStringSlice(), stringValue)
	case attribute.SLICE:
		return arrayOf(value.AsSlice(), encodeValue)
	case attribute.MAP:
		return anyValue{KvlistValue: &listValue{encodeAttributes(value.AsMap())}}
	case attribute.BYTESLICE:
		content := value.AsByteSlice()
		return anyValue{BytesValue: &content}
	case attribute.STRING:
		return stringValue(value.AsString())
	default: // attribute.EMPTY
		return anyValue{}
	}
}

func boolValue(value bool) anyValue { return anyValue{BoolValue: &value} }

func intValue(value int64) anyValue { return anyValue{IntValue: (*integer)(&value)} }

func doubleValue(value float64) anyValue { return anyValue{DoubleValue: (*double)(&value)} }

func stringValue(value string) anyValue { return anyValue{StringValue: &value} }

func arrayOf[T any](values []T, encode func(T) anyValue) anyValue {
	encoded := make([]anyValue, len(values))
	for i, value := range values {
		encoded[i] = encode(value)
	}
	return anyValue{ArrayValue: &arrayValue{encoded}}
}
