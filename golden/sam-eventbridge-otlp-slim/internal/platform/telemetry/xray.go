package telemetry

import (
	"context"
	"crypto/rand"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceHeader is AWS X-Ray's header. Source: AWS X-Ray Developer Guide, "Tracing header".
const traceHeader = "X-Amzn-Trace-Id"

// xrayContext is a parsed trace header.
type xrayContext struct {
	root trace.TraceID
	// parent is zero if the header has no parent.
	parent trace.SpanID
	// sampled is "1" or "0" if X-Ray has decided whether to record the trace, and otherwise empty.
	sampled string
}

// parseXRay parses a trace header, such as "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1". It ignores unknown
// fields. It rejects a header with a malformed field.
func parseXRay(header string) (found xrayContext, ok bool) {
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		var err error
		switch name {
		case "Root":
			version, id, _ := strings.Cut(value, "-")
			epoch, unique, _ := strings.Cut(id, "-")
			if version != "1" || len(epoch) != 8 || len(unique) != 24 {
				return xrayContext{}, false
			}
			found.root, err = trace.TraceIDFromHex(strings.ToLower(epoch + unique))
		case "Parent":
			found.parent, err = trace.SpanIDFromHex(strings.ToLower(value))
		case "Sampled":
			switch value {
			case "0", "1":
				found.sampled = value
			case "?", "": // the receiver decides
			default:
				return xrayContext{}, false
			}
		}
		if err != nil {
			return xrayContext{}, false
		}
	}
	return found, found.root.IsValid()
}

// forwardXRay returns the header for a call that is made within a span. It forwards the header of the invocation, because the function must not
// change X-Ray's decision and the lineage. The span becomes the parent only if spans are sent to X-Ray and the span is part of X-Ray's trace. If
// the invocation has no header, the result names the span.
func forwardXRay(came string, span trace.SpanContext, follow bool) string {
	header, ok := parseXRay(came)
	switch {
	case !ok && span.IsValid():
		return formatXRay(span)
	case !ok || !follow || !span.IsSampled() || span.TraceID() != header.root:
		return came
	}
	var fields []string
	for field := range strings.SplitSeq(came, ";") {
		if name, _, _ := strings.Cut(strings.TrimSpace(field), "="); name != "Parent" {
			fields = append(fields, field)
		}
		if strings.HasPrefix(strings.TrimSpace(field), "Root=") {
			fields = append(fields, "Parent="+span.SpanID().String())
		}
	}
	return strings.Join(fields, ";")
}

// formatXRay returns the header of a span whose trace begins here.
func formatXRay(span trace.SpanContext) string {
	id, sampled := span.TraceID().String(), "0"
	if span.IsSampled() {
		sampled = "1"
	}
	return "Root=1-" + id[:8] + "-" + id[8:] + ";Parent=" + span.SpanID().String() + ";Sampled=" + sampled
}

// xray propagates trace contexts in X-Ray's header. It implements propagation.TextMapPropagator.
type xray struct {
	// follow lets X-Ray decide what is recorded, because spans are sent to where X-Ray's spans are. Otherwise a trace that X-Ray does not record
	// keeps its id and begins here.
	follow bool
}

// Inject implements propagation.TextMapPropagator.
func (x xray) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	came, _ := ctx.Value(headerKey).(string)
	if header := forwardXRay(came, trace.SpanContextFromContext(ctx), x.follow); header != "" {
		carrier.Set(traceHeader, header)
	}
}

// Extract implements propagation.TextMapPropagator.
func (x xray) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	header, ok := parseXRay(carrier.Get(traceHeader))
	if !ok {
		return ctx
	}
	if x.follow && header.sampled == "0" && !header.parent.IsValid() {
		// The sampler records nothing only if there is a parent that was not sampled.
		header.parent = idGenerator{}.NewSpanID(ctx, header.root)
	}
	recorded := header.sampled == "1" || (x.follow && header.sampled == "")
	if !header.parent.IsValid() || (!x.follow && !recorded) {
		return context.WithValue(ctx, rootKey{}, header.root)
	}
	parent := trace.SpanContextConfig{TraceID: header.root, SpanID: header.parent, Remote: true}
	if recorded {
		parent.TraceFlags = trace.FlagsSampled
	}
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(parent))
}

// Fields implements propagation.TextMapPropagator.
func (xray) Fields() []string { return []string{traceHeader} }

// xrayLambda is xray for Lambda functions. If another propagator has found a span, it does nothing. Otherwise it continues the trace in the
// invocation's header, which it reads from the context: the variable _X_AMZN_TRACE_ID, which the conventions name, may belong to another
// invocation.
// Source: OpenTelemetry semantic conventions, "Instrumenting AWS Lambda".
type xrayLambda struct {
	xray
}

// Extract implements propagation.TextMapPropagator.
func (x xrayLambda) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	if carrier.Get(traceHeader) == "" {
		header, _ := ctx.Value(headerKey).(string)
		carrier = propagation.MapCarrier{traceHeader: header}
	}
	return x.xray.Extract(ctx, carrier)
}

// rootKey is the context key of the trace id for the next root span.
type rootKey struct{}

// idGenerator generates random ids. A trace that begins here gets X-Ray's id, so that one id finds both traces.
type idGenerator struct{}

// NewIDs implements the SDK's IDGenerator.
func (g idGenerator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, given := ctx.Value(rootKey{}).(trace.TraceID)
	for !given && !id.IsValid() {
		_, _ = rand.Read(id[:]) // never fails
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements the SDK's IDGenerator.
func (idGenerator) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var id trace.SpanID
	for !id.IsValid() {
		_, _ = rand.Read(id[:])
	}
	return id
}

// newPropagator combines the propagators with these names.
func newPropagator(names []string, followXRay bool) propagation.TextMapPropagator {
	known := map[string]propagation.TextMapPropagator{
		traceContextName: propagation.TraceContext{}, baggageName: propagation.Baggage{},
		xrayName: xray{followXRay}, xrayLambdaName: xrayLambda{xray{followXRay}},
	}
	var chosen []propagation.TextMapPropagator
	for _, name := range names {
		chosen = append(chosen, known[name])
	}
	return propagation.NewCompositeTextMapPropagator(chosen...)
}
