package telemetry

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Ids of a trace header, and what it begins with.
const (
	rootID   = "5759e988bd862e3fe1be46a994272793"
	parentID = "53995c3f42cd8ad8"
	rootOnly = "Root=1-5759e988-bd862e3fe1be46a994272793"
	header   = rootOnly + ";Parent=" + parentID
)

func TestParseXRay(t *testing.T) {
	for text, want := range map[string]string{
		header + ";Sampled=1": rootID + " " + parentID + " 1",
		header + ";Sampled=0": rootID + " " + parentID + " 0",
		header + ";Sampled=?": rootID + " " + parentID + " ",
		header:                rootID + " " + parentID + " ",
		"Sampled=1; Parent=" + parentID + " ; " + rootOnly:  rootID + " " + parentID + " 1",
		header + ";Sampled=1;Lineage=1:a87bd80c:0|68fd508a": rootID + " " + parentID + " 1",
		"Self=1-1-1;" + header + ";Sampled=1;":              rootID + " " + parentID + " 1",
		strings.ToUpper(rootOnly[5:]):                       "",
		"Root=" + strings.ToUpper(rootOnly[5:]):             rootID + " 0000000000000000 ",
		rootOnly:                                            rootID + " 0000000000000000 ",
		"":                                                  "",
		"nonsense":                                          "",
		"Parent=" + parentID + ";Sampled=1":                 "",
		"Root=2-5759e988-bd862e3fe1be46a994272793":          "",
		"Root=1-5759e98-bd862e3fe1be46a9942727930":          "",
		"Root=1-5759e988-bd862e3fe1be46a99427279":           "",
		"Root=1-5759e988-bd862e3fe1be46a99427279x":          "",
		"Root=1-00000000-000000000000000000000000":          "",
		rootOnly + ";Parent=53995c3f42cd8ad":                "",
		rootOnly + ";Parent=0000000000000000":               "",
		header + ";Sampled=yes":                             "",
	} {
		got := ""
		if found, ok := parseXRay(text); ok {
			got = found.root.String() + " " + found.parent.String() + " " + found.sampled
		}
		if got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
}

// FuzzParseXRay expects that a header which parses also parses after it was formatted again.
func FuzzParseXRay(f *testing.F) {
	for _, text := range []string{header + ";Sampled=1", rootOnly, "Root=;Parent=;Sampled=", ";;=;Root", "Root=1-" + strings.Repeat("é", 12)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, ok := parseXRay(text)
		if !ok || !first.parent.IsValid() || first.sampled == "" {
			return
		}
		config := trace.SpanContextConfig{TraceID: first.root, SpanID: first.parent}
		if first.sampled == "1" {
			config.TraceFlags = trace.FlagsSampled
		}
		if second, ok := parseXRay(formatXRay(trace.NewSpanContext(config))); !ok || second != first {
			t.Errorf("%q is %+v, and then %+v", text, first, second)
		}
	})
}

// TestHeaderMatrix has every kind of trace header for each kind of destination, and the sampler that is there by default.
func TestHeaderMatrix(t *testing.T) {
	type outcome struct{ trace, parent string } // nothing: no span is sent
	fresh := outcome{trace: "new"}
	for _, test := range []struct {
		name, header string
		// elsewhere is where X-Ray's spans are not.
		elsewhere, withXRay outcome
	}{
		{"recorded by X-Ray", header + ";Sampled=1", outcome{rootID, parentID}, outcome{rootID, parentID}},
		{"not recorded by X-Ray", header + ";Sampled=0", outcome{trace: rootID}, outcome{}},
		{"not decided", header, outcome{trace: rootID}, outcome{rootID, parentID}},
		{"left to whoever gets it", header + ";Sampled=?", outcome{trace: rootID}, outcome{rootID, parentID}},
		{"root only", rootOnly, outcome{trace: rootID}, outcome{trace: rootID}},
		{"root only, recorded", rootOnly + ";Sampled=1", outcome{trace: rootID}, outcome{trace: rootID}},
		{"root only, not recorded", rootOnly + ";Sampled=0", outcome{trace: rootID}, outcome{}},
		{"malformed", "Root=1-5759e988;Parent=x;Sampled=1", fresh, fresh},
		{"none", "", fresh, fresh},
	} {
		for propagators, want := range map[string]outcome{
			"xray": test.elsewhere, "xray following X-Ray": test.withXRay,
			"tracecontext,baggage,xray-lambda": test.elsewhere, "tracecontext,baggage,xray-lambda following X-Ray": test.withXRay,
		} {
			names, followXRay := strings.CutSuffix(propagators, " following X-Ray")
			recorder := &recorder{}
			tracing := newTelemetry(recorder, newPropagator(strings.Split(names, ","), followXRay), &logs{})
			if _, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, test.header), nil); err != nil {
				t.Fatal(err)
			}
			var got outcome
			if spans := recorder.all(); len(spans) == 1 {
				got.trace = spans[0].SpanContext().TraceID().String()
				if parent := spans[0].Parent(); parent.HasSpanID() {
					got.parent = parent.SpanID().String()
				}
			}
			if want == fresh && got.trace != "" && got.trace != rootID && got.parent == "" {
				continue
			}
			if got != want {
				t.Errorf("%s, %s: got %+v, want %+v", test.name, propagators, got, want)
			}
		}
	}
}

// TestXRayLambda expects the propagator for Lambda to keep a known span, and otherwise to continue the trace in the invocation's header if the
// carrier has none.
func TestXRayLambda(t *testing.T) {
	const other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	propagator := newPropagator([]string{traceContextName, baggageName, xrayLambdaName}, false)
	invoked := context.WithValue(t.Context(), headerKey, header+";Sampled=1") //nolint:staticcheck // the runtime's key is a plain text
	for name, test := range map[string]struct {
		carrier propagation.MapCarrier
		want    string
	}{
		"no header":                    {propagation.MapCarrier{}, parentID},
		"another header":               {propagation.MapCarrier{traceHeader: rootOnly + ";Parent=0102030405060708;Sampled=1"}, "0102030405060708"},
		"a span of another propagator": {propagation.MapCarrier{"traceparent": other, traceHeader: header + ";Sampled=1"}, "b7ad6b7169203331"},
	} {
		if got := trace.SpanContextFromContext(propagator.Extract(invoked, test.carrier)).SpanID().String(); got != test.want {
			t.Errorf("%s: the parent is %s, not %s", name, got, test.want)
		}
	}
}

// TestPropagation injects a span for others to go on from: the headers of W3C and X-Ray name it, and both lead back to it.
func TestPropagation(t *testing.T) {
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1: 1}, SpanID: trace.SpanID{2: 2}, TraceFlags: trace.FlagsSampled,
	})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	for names, want := range map[string]propagation.MapCarrier{
		"tracecontext,xray": {
			"traceparent": "00-00010000000000000000000000000000-0000020000000000-01",
			traceHeader:   "Root=1-00010000-000000000000000000000000;Parent=0000020000000000;Sampled=1",
		},
		"xray":        {traceHeader: "Root=1-00010000-000000000000000000000000;Parent=0000020000000000;Sampled=1"},
		"xray-lambda": {traceHeader: "Root=1-00010000-000000000000000000000000;Parent=0000020000000000;Sampled=1"},
		"":            {},
	} {
		propagator := newPropagator(strings.FieldsFunc(names, func(r rune) bool { return r == ',' }), false)
		got := propagation.MapCarrier{}
		propagator.Inject(ctx, got)
		if len(got) != len(want) {
			t.Errorf("%q injects %v, not %v", names, got, want)
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%q injects %s: %s, not %s", names, name, got[name], value)
			}
		}
		if names != "" {
			back := trace.SpanContextFromContext(propagator.Extract(context.Background(), got))
			if back.TraceID() != span.TraceID() || back.SpanID() != span.SpanID() || !back.IsSampled() || !back.IsRemote() {
				t.Errorf("%q extracts %+v", names, back)
			}
		}
		propagator.Inject(t.Context(), propagation.MapCarrier{}) // no span: nothing to name
	}
}

// TestForwardXRay expects the invocation's header to be forwarded unchanged, except for the parent if the span is part of X-Ray's trace.
func TestForwardXRay(t *testing.T) {
	const (
		lineage = ";Lineage=1:a87bd80c:0|68fd508a:5|c512fbe3:2"
		spanID  = "0000020000000000"
		ours    = rootOnly + ";Parent=" + spanID
	)
	root, err := trace.TraceIDFromHex(rootID)
	if err != nil {
		t.Fatal(err)
	}
	span := func(id trace.TraceID, flags trace.TraceFlags) trace.SpanContext {
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{2: 2}, TraceFlags: flags})
	}
	recorded, dropped, another := span(root, trace.FlagsSampled), span(root, 0), span(trace.TraceID{1: 1}, trace.FlagsSampled)
	for name, test := range map[string]struct {
		came            string
		span            trace.SpanContext
		elsewhere, xray string
	}{
		"recorded by X-Ray":       {header + ";Sampled=1" + lineage, recorded, header + ";Sampled=1" + lineage, ours + ";Sampled=1" + lineage},
		"not recorded by X-Ray":   {header + ";Sampled=0" + lineage, recorded, header + ";Sampled=0" + lineage, ours + ";Sampled=0" + lineage},
		"not recorded at all":     {header + ";Sampled=0" + lineage, dropped, header + ";Sampled=0" + lineage, header + ";Sampled=0" + lineage},
		"not decided":             {header + lineage, recorded, header + lineage, ours + lineage},
		"left to whoever gets it": {header + ";Sampled=?", recorded, header + ";Sampled=?", ours + ";Sampled=?"},
		"no parent":               {rootOnly + ";Sampled=1", recorded, rootOnly + ";Sampled=1", ours + ";Sampled=1"},
		"another order": {
			"Self=1-2-3; Sampled=1;Parent=" + parentID + "; " + rootOnly + ";New=a=b;", recorded,
			"Self=1-2-3; Sampled=1;Parent=" + parentID + "; " + rootOnly + ";New=a=b;", "Self=1-2-3; Sampled=1; " + rootOnly + ";Parent=" + spanID + ";New=a=b;",
		},
		"another trace": {header + ";Sampled=1", another, header + ";Sampled=1", header + ";Sampled=1"},
		"no span":       {header + ";Sampled=1", trace.SpanContext{}, header + ";Sampled=1", header + ";Sampled=1"},
		"no header":     {"", recorded, ours + ";Sampled=1", ours + ";Sampled=1"},
		"nothing":       {"", trace.SpanContext{}, "", ""},
	} {
		for follow, want := range map[bool]string{false: test.elsewhere, true: test.xray} {
			if got := forwardXRay(test.came, test.span, follow); got != want {
				t.Errorf("%s, following X-Ray %v: got %q, want %q", name, follow, got, want)
			}
		}
	}
}

// TestInvocationForwardsXRay expects X-Ray's decision and the lineage in the header in the context of an invocation, and in what it injects.
func TestInvocationForwardsXRay(t *testing.T) {
	const rest = ";Sampled=0;Lineage=1:a87bd80c:0"
	for _, follow := range []bool{false, true} {
		tracing := newTelemetry(&recorder{}, newPropagator([]string{traceContextName, xrayName}, follow), &logs{})
		var found any
		carrier := propagation.MapCarrier{}
		handler := tracing.Wrap(handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			found = ctx.Value(headerKey)
			ctx, span := tracing.tracer.Start(ctx, "call")
			defer span.End()
			tracing.propagator.Inject(ctx, carrier)
			return nil, nil
		}))
		if _, err := handler.Invoke(invocationContext(t, header+rest), nil); err != nil {
			t.Fatal(err)
		}
		if want := header + rest; found != want || carrier[traceHeader] != want {
			t.Errorf("following X-Ray %v: found %v, injected %s, want %s", follow, found, carrier[traceHeader], want)
		}
	}
}
