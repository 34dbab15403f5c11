package telemetry

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// TestEncode compares a span that uses every field with OTLP's JSON.
func TestEncode(t *testing.T) {
	at := time.Unix(1, 2)
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: 1}, SpanID: trace.SpanID{7: 1}, Remote: true})
	state, err := trace.ParseTraceState("vendor=1")
	if err != nil {
		t.Fatal(err)
	}
	own := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{15: 1}, SpanID: trace.SpanID{7: 2}, TraceFlags: trace.FlagsSampled, TraceState: state,
	})
	span := tracetest.SpanStub{
		Name: "span", SpanContext: own, Parent: parent, SpanKind: trace.SpanKindClient, StartTime: at, EndTime: at.Add(1),
		Attributes: []attribute.KeyValue{
			attribute.String("string", "a\"b"), attribute.Bool("bool", false), attribute.Int64("int", math.MaxInt64), attribute.Float64("float", 1.5),
			attribute.Float64("nan", math.NaN()), attribute.Float64("inf", math.Inf(1)), attribute.Float64("-inf", math.Inf(-1)),
			attribute.StringSlice("strings", []string{"a", ""}), attribute.BoolSlice("bools", []bool{true}),
			attribute.Int64Slice("ints", []int64{-1}), attribute.Float64Slice("floats", []float64{0}),
			attribute.ByteSlice("bytes", []byte{1, 2}), attribute.Slice("slice", attribute.StringValue("a"), attribute.IntValue(1)),
			attribute.Map("map", attribute.String("k", "v")),
			{Key: "empty"},
		},
		Events: []sdktrace.Event{{Name: "event", Time: at, Attributes: []attribute.KeyValue{attribute.Int("n", 1)}, DroppedAttributeCount: 4}},
		Links:  []sdktrace.Link{{SpanContext: parent, DroppedAttributeCount: 5}},
		Status: sdktrace.Status{Code: codes.Error, Description: "sorry"}, DroppedAttributes: 1, DroppedEvents: 2, DroppedLinks: 3,
		Resource:             resource.NewWithAttributes("schema", attribute.String("service.name", "s")),
		InstrumentationScope: instrumentation.Scope{Name: "scope", Version: "1", SchemaURL: "scope schema"},
	}
	other := tracetest.SpanStub{
		Name: "other", SpanContext: own, SpanKind: trace.SpanKindServer, StartTime: at, EndTime: at, Status: sdktrace.Status{Code: codes.Ok},
		Resource: span.Resource, InstrumentationScope: instrumentation.Scope{Name: "another"},
	}
	got, err := json.MarshalIndent(encode(tracetest.SpanStubs{span, other, span}.Snapshots()), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"scope":{"name":"scope","version":"1"},"spans":[`,
		`{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","traceState":"vendor=1","parentSpanId":"0000000000000001","flags":769,`,
		`"name":"span","kind":3,"startTimeUnixNano":"1000000002","endTimeUnixNano":"1000000003",`,
		`{"key":"string","value":{"stringValue":"a\"b"}},{"key":"bool","value":{"boolValue":false}},`,
		`{"key":"int","value":{"intValue":"9223372036854775807"}},{"key":"float","value":{"doubleValue":1.5}},`,
		`{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"inf","value":{"doubleValue":"Infinity"}},{"key":"-inf","value":{"doubleValue":"-Infinity"}},`,
		`{"key":"strings","value":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":""}]}}},`,
		`{"key":"bools","value":{"arrayValue":{"values":[{"boolValue":true}]}}},{"key":"ints","value":{"arrayValue":{"values":[{"intValue":"-1"}]}}},`,
		`{"key":"floats","value":{"arrayValue":{"values":[{"doubleValue":0}]}}},{"key":"bytes","value":{"bytesValue":"AQI="}},`,
		`{"key":"slice","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"1"}]}}},`,
		`{"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}},{"key":"empty","value":{}}],"droppedAttributesCount":1,`,
		`"events":[{"timeUnixNano":"1000000002","name":"event","attributes":[{"key":"n","value":{"intValue":"1"}}],"droppedAttributesCount":4}],"droppedEventsCount":2,`,
		`"links":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","droppedAttributesCount":5,"flags":768}],"droppedLinksCount":3,`,
		`"status":{"message":"sorry","code":2}`,
		`"schemaUrl":"scope schema"},{"scope":{"name":"another"},"spans":[{"traceId":`,
		`"flags":257,"name":"other","kind":2,"startTimeUnixNano":"1000000002","endTimeUnixNano":"1000000002","status":{"code":1}}]}],"schemaUrl":"schema"}]}`,
	} {
		if !strings.Contains(flat(string(got)), flat(want)) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	if scopes := encode(tracetest.SpanStubs{span, other, span}.Snapshots()).ResourceSpans[0].ScopeSpans; len(scopes) != 2 || len(scopes[0].Spans) != 2 {
		t.Errorf("the spans are in %d scopes", len(scopes))
	}
	if encoded, err := json.Marshal(encode(nil)); err != nil || string(encoded) != `{"resourceSpans":null}` {
		t.Errorf("no spans are %s, %v", encoded, err)
	}
}

// flat removes the space between the tokens of JSON.
func flat(text string) string { return strings.NewReplacer("\n", "", " ", "").Replace(text) }
