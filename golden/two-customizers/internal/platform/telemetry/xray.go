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

// xrayContext is what a trace header says.
type xrayContext struct {
	root trace.TraceID
	// parent is zero where the header has none.
	parent trace.SpanID
	// sampled is "1" or "0" where X-Ray has decided whether the trace is recorded, and otherwise empty.
	sampled string
}

// parseXRay reads a trace header, such as "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1". What it does not
// know is passed over. A header with a mistake in what it knows is no header.
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
			case "?", "": // whoever gets the header decides
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

// forwardXRay returns the header for what is called from a span. It is the header that came, since X-Ray's decision and the lineage are not ours
// to change. Only where spans go to X-Ray and the span is part of its trace, the span is the parent. Without a header that came it names the
// span.
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

// formatXRay is the header of a span that begins its trace.
func formatXRay(span trace.SpanContext) string {
	id, sampled := span.TraceID().String(), "0"
	if span.IsSampled() {
		sampled = "1"
	}
	return "Root=1-" + id[:8] + "-" + id[8:] + ";Parent=" + span.SpanID().String() + ";Sampled=" + sampled
}

// xray propagates trace contexts in X-Ray's header. It implements propagation.TextMapPropagator.
type xray struct {
	// follow has X-Ray decide what is recorded, because spans go to where X-Ray's are. Without it, a trace that X-Ray does not record keeps its
	// id, and begins here.
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
		// Only a parent can tell the sampler that nothing is to be recorded.
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

// xrayLambda is xray for functions: it leaves a context alone that another propagator has found a span for, and otherwise goes on from the
// trace header of the invocation. It takes that header from where the runtime has put it. The conventions name the variable _X_AMZN_TRACE_ID,
// which may be that of another invocation.
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

// rootKey is the key of the trace id that the next root span gets.
type rootKey struct{}

// idGenerator makes random ids, but takes over X-Ray's for a trace that begins here: one id finds everything.
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

// newPropagator puts the propagators of these names together.
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
