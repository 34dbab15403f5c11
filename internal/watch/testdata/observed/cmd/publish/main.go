// Command publish puts an event on the bus, in a trace of two spans, with the clients that everybody uses, as they come: only the environment
// says where to.
package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		panic(err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "publish"))))
	f := function{eventbridge.NewFromConfig(settings), provider, provider.Tracer("publish")}
	lambda.Start(f.handle)
}

type function struct {
	bus      *eventbridge.Client
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

type order struct {
	Source, DetailType, Detail string
}

func (f function) handle(ctx context.Context, o order) ([]string, error) {
	defer func() { _ = f.provider.ForceFlush(ctx) }()
	invocation, _ := lambdacontext.FromContext(ctx)
	ctx, span := f.tracer.Start(parent(ctx), "publish", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("faas.invocation_id", invocation.AwsRequestID)))
	defer span.End()
	ids, err := f.put(ctx, o)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return ids, err
}

func (f function) put(ctx context.Context, o order) ([]string, error) {
	ctx, span := f.tracer.Start(ctx, "PutEvents", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	out, err := f.bus.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String(o.Source), DetailType: aws.String(o.DetailType), Detail: aws.String(o.Detail),
		EventBusName: aws.String(os.Getenv("EVENT_BUS_NAME")),
	}}})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range out.Entries {
		if entry.ErrorCode != nil {
			return nil, errors.New(*entry.ErrorCode)
		}
		ids = append(ids, *entry.EventId)
	}
	return ids, nil
}

// parent takes the trace that Lambda began: Root=1-<8 digits>-<24 digits>;Parent=<16 digits>;Sampled=1.
func parent(ctx context.Context) context.Context {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	var id trace.SpanContextConfig
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "Root":
			id.TraceID, _ = trace.TraceIDFromHex(strings.ReplaceAll(strings.TrimPrefix(value, "1-"), "-", ""))
		case "Parent":
			id.SpanID, _ = trace.SpanIDFromHex(value)
		case "Sampled":
			if value == "1" {
				id.TraceFlags = trace.FlagsSampled
			}
		}
	}
	id.Remote = true
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(id))
}
