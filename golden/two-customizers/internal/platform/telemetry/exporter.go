package telemetry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// maxAnswer bounds what is read of a collector's answer, in bytes.
	maxAnswer = 64 << 10
	// idleTimeout is after how long a connection is not used again. While an execution environment is frozen the other side may forget it.
	idleTimeout = 50 * time.Second
)

// refusedError is the answer of a collector that took the spans not or not all.
type refusedError struct {
	text string
	// retryAfter is how long the collector wants to be left alone, if it says so.
	retryAfter time.Duration
}

func (e *refusedError) Error() string { return e.text }

// destination is where spans are sent to.
type destination struct {
	// endpoint is a URL. While it is empty, telemetry is silent.
	endpoint string
	// authorize adds headers to a request, which is sent with body, once all others are there. It may be nil.
	authorize func(ctx context.Context, request *http.Request, body []byte) error
	// refused is called when the collector does not accept what authorize added. It may be nil.
	refused func()
	// dialTLS replaces Go's own TLS connections. It may be nil.
	dialTLS dialer
	// followXRay has X-Ray decide which traces are recorded, for where X-Ray's own spans are too.
	followXRay bool
}

// exporter posts spans as OTLP, in JSON: the encoder of the standard library is in the program anyway. It implements
// sdktrace.SpanExporter and tries once.
// Source: OpenTelemetry specification, "OTLP Specification", section "OTLP/HTTP".
type exporter struct {
	to      destination
	headers http.Header
	timeout time.Duration
	client  client
	// compressor is that of the last export, for the next, which is never at the same time.
	compressor *gzip.Writer
}

func newExporter(to destination, config settings) *exporter {
	e := &exporter{to: to, headers: config.headers, timeout: config.timeout, client: newClient(to.dialTLS)}
	if config.gzip {
		e.compressor, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // a valid level
	}
	return e
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	encoded, err := json.Marshal(encode(spans))
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	response, err := e.send(ctx, encoded)
	if err == nil && response.StatusCode == http.StatusRequestTimeout {
		// A server says this to an idle connection that it is about to close. It has not seen the spans then: they go over another connection.
		_ = response.Body.Close()
		e.client.CloseIdleConnections()
		response, err = e.send(ctx, encoded)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the collector's answer ends early: %w", explain(ctx, err))
	}
	if status := response.StatusCode; e.to.refused != nil && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
		e.to.refused()
	}
	return check(response, answer)
}

// Shutdown implements sdktrace.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func (e *exporter) send(ctx context.Context, body []byte) (*http.Response, error) {
	request, err := e.request(ctx, body)
	if err != nil {
		return nil, err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return response, nil
}

func (e *exporter) request(ctx context.Context, body []byte) (*http.Request, error) {
	if e.compressor != nil {
		var compressed bytes.Buffer // of this request alone: the client may still read that of one that was given up
		e.compressor.Reset(&compressed)
		_, err := e.compressor.Write(body)
		if err := errors.Join(err, e.compressor.Close()); err != nil {
			return nil, fmt.Errorf("compress spans: %w", err)
		}
		body = compressed.Bytes()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.to.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("address of the collector: %w", withoutURL(err))
	}
	request.Header = e.headers.Clone()
	request.Header.Set("Content-Type", "application/json")
	if e.compressor != nil {
		request.Header.Set("Content-Encoding", "gzip")
	}
	if e.to.authorize != nil {
		if err := e.to.authorize(ctx, request, body); err != nil {
			return nil, err
		}
	}
	// With this key and no value the client sends the request again over a new connection where an old one turns out to be dead.
	request.Header["Idempotency-Key"] = nil
	return request, nil
}

// explain says in few words why there is no answer, and never the address, which may have a password.
func explain(ctx context.Context, err error) error {
	// A connection attempt can run out of time a moment before the context says so.
	if failure, found := errors.AsType[net.Error](err); ctx.Err() != nil || (found && failure.Timeout()) {
		return errors.New("the collector does not answer in time")
	}
	return withoutURL(err)
}

func withoutURL(err error) error {
	if named, found := errors.AsType[*url.Error](err); found {
		return named.Err
	}
	return err
}

// check finds out from the answer whether the spans have arrived.
func check(response *http.Response, answer []byte) error {
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return &refusedError{text: fmt.Sprintf("the collector answers %s: set the endpoint to where it redirects to", response.Status)}
	case response.StatusCode < 200 || response.StatusCode > 299:
		return &refusedError{fmt.Sprintf("the collector answers %s", response.Status), retryAfter(response.Header)}
	}
	var partial struct {
		PartialSuccess struct {
			RejectedSpans json.RawMessage `json:"rejectedSpans"` // a number, or text with one
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &partial) != nil {
		return nil // whatever it says, it has them
	}
	if rejected, _ := strconv.Atoi(string(bytes.Trim(partial.PartialSuccess.RejectedSpans, `"`))); rejected > 0 {
		return &rejectedError{rejected}
	}
	return nil
}

// rejectedError says that a collector has taken a batch, and rejected some of its spans.
type rejectedError struct {
	spans int
}

func (e *rejectedError) Error() string { return fmt.Sprintf("the collector rejects %d spans", e.spans) }

// retryAfter reads the header Retry-After, as far as it has seconds.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}
