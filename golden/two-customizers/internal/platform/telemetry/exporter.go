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
	// maxAnswer is how many bytes of a collector's answer are read.
	maxAnswer = 64 << 10
	// idleTimeout is how long an idle connection is kept. The other side may close it while the execution environment is frozen.
	idleTimeout = 50 * time.Second
)

// refusedError is the answer of a collector that rejected the spans.
type refusedError struct {
	text string
	// retryAfter is how long the collector asks to wait, if it does.
	retryAfter time.Duration
}

func (e *refusedError) Error() string { return e.text }

// destination is where spans are sent.
type destination struct {
	// endpoint is a URL. If it is empty, telemetry is off.
	endpoint string
	// authorize adds headers to a request that is sent with body. All other headers are set before. It may be nil.
	authorize func(ctx context.Context, request *http.Request, body []byte) error
	// refused is called when the collector rejects the headers that authorize added. It may be nil.
	refused func()
	// dialTLS opens TLS connections. If it is nil, Go's default is used.
	dialTLS dialer
	// followXRay lets X-Ray decide which traces are recorded. It is set if X-Ray's own spans are at the destination too.
	followXRay bool
}

// exporter posts spans as OTLP in JSON, because the program contains the encoder of the standard library anyway. It implements
// sdktrace.SpanExporter and does not retry.
// Source: OpenTelemetry specification, "OTLP Specification", section "OTLP/HTTP".
type exporter struct {
	to      destination
	headers http.Header
	timeout time.Duration
	client  client
	// compressor is used again by each export. There is one export at a time.
	compressor *gzip.Writer
}

func newExporter(to destination, config settings) *exporter {
	e := &exporter{to: to, headers: config.headers, timeout: config.timeout, client: newClient(to.dialTLS)}
	if config.gzip {
		e.compressor, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
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
		// A server sends this on an idle connection that it is about to close. It has not read the spans, so send them over another connection.
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
		var compressed bytes.Buffer // a new one, because the client may still read the buffer of a request that was abandoned
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
	// With this header and no value, the client repeats the request over a new connection if the old one turns out to be closed.
	request.Header["Idempotency-Key"] = nil
	return request, nil
}

// explain says briefly why there is no answer. It leaves out the address, which may contain a password.
func explain(ctx context.Context, err error) error {
	// A connection attempt can time out just before the context ends.
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

// check reads from the answer whether the spans were accepted.
func check(response *http.Response, answer []byte) error {
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return &refusedError{text: fmt.Sprintf("the collector answers %s: set the endpoint to where it redirects to", response.Status)}
	case response.StatusCode < 200 || response.StatusCode > 299:
		return &refusedError{fmt.Sprintf("the collector answers %s", response.Status), retryAfter(response.Header)}
	}
	var partial struct {
		PartialSuccess struct {
			RejectedSpans json.RawMessage `json:"rejectedSpans"` // a number, or a string with a number
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &partial) != nil {
		return nil // the status says that the collector accepted them
	}
	if rejected, _ := strconv.Atoi(string(bytes.Trim(partial.PartialSuccess.RejectedSpans, `"`))); rejected > 0 {
		return &rejectedError{rejected}
	}
	return nil
}

// rejectedError means that a collector accepted a batch but rejected some of its spans.
type rejectedError struct {
	spans int
}

func (e *rejectedError) Error() string { return fmt.Sprintf("the collector rejects %d spans", e.spans) }

// retryAfter reads the header Retry-After if it is in seconds.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}
