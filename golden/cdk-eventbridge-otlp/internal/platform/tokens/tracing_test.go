package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"example.com/cdk-eventbridge-otlp/internal/platform/pretoken"
	"example.com/cdk-eventbridge-otlp/internal/platform/tokens"
)

// spanExporter passes on each span as it ends.
type spanExporter chan sdktrace.ReadOnlySpan

func (s spanExporter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, span := range spans {
		s <- span
	}
	return nil
}

func (spanExporter) Shutdown(context.Context) error { return nil }

// TestTracedLookup wants a span for each call of the lookup, with its outcome and no text of an error.
func TestTracedLookup(t *testing.T) {
	released := make(chan struct{})
	defer close(released)
	type find = func(context.Context, *pretoken.Event) (tokens.Found, error)
	for name, test := range map[string]struct {
		find     find
		timeout  time.Duration
		status   codes.Code
		kind     string
		problems int
	}{
		"finds": {
			find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				return tokens.Found{}, nil
			},
			timeout: time.Minute,
		},
		"fails": {
			find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				return tokens.Found{}, errors.New("secret")
			},
			timeout: time.Minute, status: codes.Error, kind: "_OTHER", problems: 1,
		},
		"is refused": {
			find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				return tokens.Found{}, fmt.Errorf("secret: %w", syscall.ECONNREFUSED)
			},
			timeout: time.Minute, status: codes.Error, kind: "connection_refused", problems: 1,
		},
		"panics": {
			find:    func(context.Context, *pretoken.Event) (tokens.Found, error) { panic("secret") },
			timeout: time.Minute, status: codes.Error, kind: "panic", problems: 1,
		},
		"takes too long, whatever its context says": {
			find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
				<-released
				return tokens.Found{}, nil
			},
			timeout: time.Millisecond, status: codes.Error, kind: "timeout", problems: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			spans := make(spanExporter, 1)
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
			otel.SetTracerProvider(provider)
			defer otel.SetTracerProvider(noop.NewTracerProvider())
			ctx, invocation := provider.Tracer("test").Start(t.Context(), "invocation")
			lookup := tokens.Lookup{Find: test.find, Timeout: test.timeout, Claims: []string{"tier"}}
			for _, finder := range []tokens.Finder{lookup, &lookup} {
				handler := handlerOf(t, tokens.Policy{Lookup: finder, MaxSize: 2048}, pretoken.V2)
				if _, problems, err := handler.Customize(ctx, user()); err != nil || len(problems) != test.problems {
					t.Errorf("problems %v, %v", problems, err)
				}
				span := <-spans
				if span.Parent().SpanID() != invocation.SpanContext().SpanID() {
					t.Error("the span is not part of the invocation")
				}
				if span.Name() != "lookup" || span.Status().Code != test.status || span.Status().Description == "secret" || kindOf(span) != test.kind {
					t.Errorf("span %s, status %+v, error.type %q", span.Name(), span.Status(), kindOf(span))
				}
			}
		})
	}
}

// kindOf is error.type of a span.
func kindOf(span sdktrace.ReadOnlySpan) string {
	for _, pair := range span.Attributes() {
		if pair.Key == "error.type" {
			return pair.Value.AsString()
		}
	}
	return ""
}

// kinded is an error that says to telemetry what kind it is.
type kinded interface {
	error
	ErrorType() string
}

// TestKindsOfFailures wants failed sign-ins to be told apart by telemetry, and to be the same for users.
func TestKindsOfFailures(t *testing.T) {
	sample := []byte(`{"request":{"userAttributes":{"custom:tenant_id":"acme"}}}`)
	strict := rolesPolicy()
	strict.OnProblem, strict.MaxSize = tokens.Fail, 1
	refuses, _ := newHandler(t, strict, pretoken.V2)
	works, _ := newHandler(t, rolesPolicy(), pretoken.V2)
	breaks, _ := brokenHandler(t)
	unheard, err := tokens.New(tokens.Config{
		Policy: rolesPolicy(), Trigger: pretoken.V2, Logger: slog.New(slog.DiscardHandler), Publisher: &recorder{err: errors.New("no bus")},
	})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for kind, test := range map[string]struct {
		handler *tokens.Handler
		payload []byte
	}{
		"event_refused":  {works, []byte(`{"version":"0"}`)},
		"policy_refused": {refuses, sample},
		"publish_failed": {unheard, sample},
		"panic":          {breaks, sample},
	} {
		_, err := test.handler.Invoke(t.Context(), test.payload)
		failure, found := errors.AsType[kinded](err)
		if !found || failure.ErrorType() != kind {
			t.Errorf("%s: error %v", kind, err)
			continue
		}
		texts[failure.Error()] = true
	}
	if len(texts) != 1 {
		t.Errorf("users are told %v", texts)
	}
}

// TestUntracedInvocation has no span in the context, as before the first invocation or without an endpoint.
func TestUntracedInvocation(t *testing.T) {
	find := func(context.Context, *pretoken.Event) (tokens.Found, error) {
		return tokens.Found{Claims: map[string]any{"tier": "gold"}}, nil
	}
	handler := handlerOf(t, tokens.Policy{MaxSize: 2048, Lookup: tokens.Lookup{Find: find, Timeout: time.Minute, Claims: []string{"tier"}}}, pretoken.V2)
	response, problems, err := handler.Customize(t.Context(), user())
	if err != nil || len(problems) > 0 || string(response.IDToken.Claims["tier"]) != `"gold"` {
		t.Errorf("got %v, problems %v, %v", response, problems, err)
	}
}

// TestPanicOnTheSpan wants the span of the invocation to say where a handler panicked, and not with which value.
func TestPanicOnTheSpan(t *testing.T) {
	spans := make(spanExporter, 1)
	ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("test").Start(t.Context(), "invocation")
	handler, _ := brokenHandler(t)
	if _, err := handler.Invoke(ctx, []byte("{}")); err == nil {
		t.Fatal("no error")
	}
	span.End()
	events := (<-spans).Events()
	if len(events) != 1 || events[0].Name != "exception" {
		t.Fatalf("events %+v", events)
	}
	got := map[string]string{}
	for _, pair := range events[0].Attributes {
		got[string(pair.Key)] = pair.Value.AsString()
	}
	if got["exception.type"] != "string" || !strings.Contains(got["exception.stacktrace"], "handler.go") {
		t.Errorf("the event has %v", got)
	}
}

// TestAnnotatedSpan wants the span of the invocation to say which trigger and which client it was for, and nothing about the user.
func TestAnnotatedSpan(t *testing.T) {
	const event = `{"version":"2","triggerSource":"TokenGeneration_Authentication","userPoolId":"eu-west-1_x","userName":"canary-user",
		"callerContext":{"clientId":"web"},"request":{
		"userAttributes":{"sub":"canary-sub"},"groupConfiguration":{"groupsToOverride":["canary-group"]},"clientMetadata":{"canary":"canary"}}}`
	spans := make(spanExporter, 1)
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer("test")
	handler, _ := newHandler(t, rolesPolicy(), pretoken.V2)
	ctx, span := tracer.Start(t.Context(), "invocation")
	if _, err := handler.Invoke(ctx, []byte(event)); err != nil {
		t.Fatal(err)
	}
	span.End()
	got := map[string]string{}
	for _, pair := range (<-spans).Attributes() {
		got[string(pair.Key)] = pair.Value.String()
	}
	want := map[string]string{
		"token_customizer.trigger_source": "TokenGeneration_Authentication", "token_customizer.client_id": "web",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
