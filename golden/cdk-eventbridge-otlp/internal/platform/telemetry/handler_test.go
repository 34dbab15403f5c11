package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

func TestSpan(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "demo")
	tracing, recorder, _ := newTestTelemetry(t)
	handler := tracing.Wrap(answers{})
	for range 2 {
		if _, err := handler.Invoke(invocationContext(t, header+";Sampled=1"), nil); err != nil {
			t.Fatal(err)
		}
	}
	spans := recorder.all()
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	first := spans[0]
	if first.Name() != "demo" || first.SpanKind() != trace.SpanKindServer || first.Status().Code != codes.Unset || !first.EndTime().After(first.StartTime()) {
		t.Errorf("got %+v", first)
	}
	want := map[string]string{
		"faas.trigger": "other", "faas.coldstart": "true", "faas.invocation_id": requestID, "cloud.account.id": "123456789012",
		"cloud.resource_id": functionARN, "aws.lambda.invoked_arn": functionARN + ":live",
	}
	if got := attributesOf(first); !maps.Equal(got, want) {
		t.Errorf("attributes %v, not %v", got, want)
	}
	if got := attributesOf(spans[1])["faas.coldstart"]; got != "false" {
		t.Errorf("the second invocation's faas.coldstart is %s", got)
	}
}

func TestProvisionedConcurrencyIsNotCold(t *testing.T) {
	t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")
	tracing, recorder, _ := newTestTelemetry(t)
	if _, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, ""), nil); err != nil {
		t.Fatal(err)
	}
	if got := attributesOf(recorder.all()[0])["faas.coldstart"]; got != "false" {
		t.Errorf("faas.coldstart is %s", got)
	}
}

// TestBytesPass expects that events, answers and errors are not changed.
func TestBytesPass(t *testing.T) {
	tracing, _, _ := newTestTelemetry(t)
	failure := errors.New("sorry")
	for _, payload := range [][]byte{nil, {}, []byte(`{"n":9007199254740993,"s":"<&>"}`), []byte("{ not JSON"), bytes.Repeat([]byte("x"), 1<<20)} {
		var got []byte
		handler := tracing.Wrap(handlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
			got = payload
			return payload, failure
		}))
		answer, err := handler.Invoke(invocationContext(t, ""), payload)
		if !bytes.Equal(got, payload) || !bytes.Equal(answer, payload) || !errors.Is(err, failure) {
			t.Errorf("%.40q became %.40q, %.40q and %v", payload, got, answer, err)
		}
	}
}

// kindError is an error that says what kind it is.
type kindError string

func (kindError) Error() string { return "sorry" }

func (e kindError) ErrorType() string { return string(e) }

// TestError expects the spans of failed invocations to distinguish failures.
func TestError(t *testing.T) {
	for _, test := range []struct {
		err  error
		kind string
	}{
		{kindError("policy_refused"), "policy_refused"},
		{fmt.Errorf("wrapped: %w", kindError("policy_refused")), "policy_refused"},
		{context.DeadlineExceeded, "timeout"},
		{fmt.Errorf("wrapped: %w", context.DeadlineExceeded), "timeout"},
		{&net.DNSError{}, "*net.DNSError"},
		{errors.New("sorry"), "_OTHER"},
		{fmt.Errorf("wrapped: %w", errors.New("sorry")), "_OTHER"},
	} {
		tracing, recorder, _ := newTestTelemetry(t)
		handler := tracing.Wrap(handlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, test.err }))
		if _, err := handler.Invoke(invocationContext(t, ""), nil); !errors.Is(err, test.err) {
			t.Errorf("error %v", err)
		}
		span := recorder.all()[0]
		if span.Status().Code != codes.Error || span.Status().Description != test.err.Error() {
			t.Errorf("status %+v", span.Status())
		}
		if got := attributesOf(span)["error.type"]; got != test.kind {
			t.Errorf("error.type of %v is %q, not %q", test.err, got, test.kind)
		}
		if events := span.Events(); len(events) != 1 || events[0].Name != "exception" {
			t.Errorf("events %+v", events)
		}
	}
}

// TestPanic expects a panic to continue after its span was sent, without its value.
func TestPanic(t *testing.T) {
	tracing, recorder, _ := newTestTelemetry(t)
	tracing.extension = newExtension("127.0.0.1:1", &logs{}, func(time.Time) {})
	tracing.extension.active.Store(true)
	handler := tracing.Wrap(handlerFunc(func(context.Context, []byte) ([]byte, error) { panic("secret") }))
	func() {
		defer func() {
			if recovered := recover(); recovered != "secret" {
				t.Errorf("recovered %v", recovered)
			}
			if spans := recorder.all(); len(spans) != 1 {
				t.Errorf("%d spans are sent before the process ends", len(spans))
			}
		}()
		_, _ = handler.Invoke(invocationContext(t, ""), nil)
	}()
	span := recorder.all()[0]
	if span.Status().Code != codes.Error || attributesOf(span)["error.type"] != "panic" {
		t.Errorf("status %+v, attributes %v", span.Status(), attributesOf(span))
	}
	events := span.Events()
	if len(events) != 1 {
		t.Fatalf("events %+v", events)
	}
	recorded := ""
	for _, pair := range events[0].Attributes {
		recorded += string(pair.Key) + "=" + pair.Value.String() + "\n"
	}
	if !strings.Contains(recorded, "exception.type=string") || !strings.Contains(recorded, "handler_test.go") || strings.Contains(recorded, "secret") {
		t.Errorf("recorded %s", recorded)
	}
}

// TestFlushBeforeTheAnswer expects a flush before the answer to end at its limit, and earlier near the deadline.
func TestFlushBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, testFlushBeforeTheAnswer) // with a clock of its own: a busy machine takes no time from the flush
}

func testFlushBeforeTheAnswer(t *testing.T) {
	tracing, recorder, logger := newTestTelemetry(t)
	var left time.Duration
	recorder.export = func(ctx context.Context) error {
		deadline, bounded := ctx.Deadline()
		if !bounded {
			t.Error("the flush has no limit")
		}
		left = time.Until(deadline)
		return errors.New("no")
	}
	handler := tracing.Wrap(answers{})
	if _, err := handler.Invoke(invocationContext(t, ""), nil); err != nil {
		t.Fatal(err)
	}
	if left != beforeAnswer {
		t.Errorf("the flush has %s", left)
	}

	// A flush that could not be over before the deadline is left to the next.
	tracing.buffer.resume = time.Time{}
	ctx, cancel := context.WithTimeout(invocationContext(t, ""), margin)
	defer cancel()
	left = 0
	if _, err := handler.Invoke(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("there is a flush of %s near the deadline", left)
	}
	recorder.export = nil
	if _, err := handler.Invoke(invocationContext(t, ""), nil); err != nil {
		t.Fatal(err)
	}
	if spans := recorder.all(); len(spans) != 2 {
		t.Errorf("%d spans arrive, not that of the short invocation and the last: %q", len(spans), logger.all())
	}
}
