package publisher

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/awsendpoint"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/awsroots"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/http1"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/netstream"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/sigv4"
)

// eventBridge calls one operation of EventBridge's API, PutEvents, over one connection. It replaces the AWS SDK and the client of net/http.
// Its configuration comes from the environment variables that Lambda sets. It does not support proxies.
// Source: Amazon EventBridge API Reference, "PutEvents" and "Common Errors".
type eventBridge struct {
	endpoint   *url.URL
	region     string
	dialTLS    dialer
	connection http1.Connection
	stream     *netstream.Stream // of the connection
	used       time.Time         // when the connection was last used
	early      <-chan earlyStream
}

// dialer connects to an address.
type dialer func(ctx context.Context, network, address string) (*netstream.Stream, error)

// earlyStream is a connection that was opened while the function started. Its Stream is nil if that failed.
type earlyStream struct {
	*netstream.Stream
	opened time.Time
}

// newEventBridge connects while the function starts, for the timeout at most.
func newEventBridge(timeout time.Duration) *eventBridge {
	return newEventBridgeBy(awsroots.NewDialer().DialTLSContext, timeout)
}

func newEventBridgeBy(dialTLS dialer, timeout time.Duration) *eventBridge {
	b := &eventBridge{region: os.Getenv("AWS_REGION"), dialTLS: dialTLS}
	b.endpoint = endpointOf(b.region)
	b.connection.Host, b.connection.MaxBody = b.endpoint.Host, maxAnswer
	if b.endpoint.Scheme == "https" {
		b.early = b.connectEarly(timeout)
	}
	return b
}

// now returns the time without a reading of the monotonic clock, which may stop while the execution environment is frozen.
func now() time.Time { return time.Now().Round(0) }

// endpointOf returns the endpoint that the environment names, or that of the region.
func endpointOf(region string) *url.URL {
	if name := os.Getenv("AWS_ENDPOINT_URL_EVENTBRIDGE"); name != "" {
		if endpoint, err := url.Parse(name); err == nil {
			return endpoint
		}
		return &url.URL{} // dial refuses it
	}
	return &url.URL{Scheme: "https", Host: awsendpoint.Host("events", region)}
}

// connectEarly connects while the function starts, so that the first invocation does not wait for the whole handshake.
func (b *eventBridge) connectEarly(timeout time.Duration) <-chan earlyStream {
	early := make(chan earlyStream, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		stream, err := b.dial(ctx)
		if err != nil {
			stream = nil // the first request connects again and reports the reason
		}
		early <- earlyStream{stream, now()}
	}()
	return early
}

const (
	// idleTimeout is how long an idle connection is kept. A frozen execution environment does not notice that the other side closed the
	// connection until it uses the connection again.
	idleTimeout = 50 * time.Second
	// earlyTimeout is how long a connection is kept that has carried no request yet. Servers close those sooner. With provisioned concurrency
	// the first invocation may come long after the start.
	earlyTimeout = 5 * time.Second
	// maxAnswer is the size of the largest answer that is read, in bytes. An answer has about 100 bytes for each event.
	maxAnswer = 64 << 10
)

// wireEntry is an entry in the JSON that EventBridge expects.
type wireEntry struct {
	EventBusName string  `json:"EventBusName"`
	Source       string  `json:"Source"`
	DetailType   string  `json:"DetailType"`
	Detail       string  `json:"Detail"`
	Time         float64 `json:"Time"` // seconds since 1970
	TraceHeader  string  `json:"TraceHeader,omitempty"`
}

func (b *eventBridge) put(ctx context.Context, entries []entry) ([]string, error) {
	var input struct {
		Entries []wireEntry `json:"Entries"`
	}
	for _, entry := range entries {
		input.Entries = append(input.Entries, wireEntry{
			EventBusName: entry.busName, Source: entry.source, DetailType: entry.detailType, Detail: entry.detail,
			Time: float64(entry.time.UnixMilli()) / 1000, TraceHeader: entry.traceHeader,
		})
	}
	body, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("encode the entries: %w", err)
	}
	answer, err := b.call(ctx, body)
	if err != nil {
		return nil, err
	}
	var output struct {
		Entries []struct{ ErrorCode string }
	}
	if err := json.Unmarshal(answer, &output); err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w", err)
	}
	codes := make([]string, len(output.Entries))
	for i, result := range output.Entries {
		codes[i] = result.ErrorCode
	}
	return codes, nil
}

// call sends a signed request and returns the answer.
func (b *eventBridge) call(ctx context.Context, body []byte) ([]byte, error) {
	credentials, err := sigv4.FromEnvironment()
	if err != nil {
		return nil, err
	}
	header := map[string][]string{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSEvents.PutEvents"}}
	path := b.endpoint.EscapedPath()
	if path == "" {
		path = "/"
	}
	credentials.Sign(sigv4.Request{Method: "POST", URL: b.endpoint, Header: header}, body, "events", b.region, time.Now())
	// The request may be sent again: consumers must tolerate duplicate events anyway, because failed attempts are repeated.
	request := http1.Request{Method: "POST", Path: path, Body: body, Again: true}
	for name, values := range header {
		request.Fields = append(request.Fields, name, values[0])
	}
	response, err := b.send(ctx, request)
	if err != nil {
		return nil, err
	}
	if response.Status != 200 {
		return nil, &statusError{status: response.Status, code: codeOf(response.Body)}
	}
	return response.Body, nil
}

// send sends a request and waits for the answer until the deadline of the context.
func (b *eventBridge) send(ctx context.Context, request http1.Request) (*http1.Response, error) {
	if time.Since(b.used) > idleTimeout {
		b.connection.Close()
	}
	deadline, _ := ctx.Deadline()
	if b.stream != nil {
		_ = b.stream.SetDeadline(deadline) // fails if the stream is closed, and then the request fails too
	}
	b.connection.Dial = func() (http1.Stream, error) {
		var err error
		if b.stream, err = b.connect(ctx); err != nil {
			return nil, err
		}
		return b.stream, b.stream.SetDeadline(deadline)
	}
	response, err := b.connection.Do(request, nil)
	b.used = now()
	switch {
	case err == nil:
		return response, nil
	case ctx.Err() != nil || !deadline.IsZero() && time.Until(deadline) <= 0:
		return nil, context.DeadlineExceeded
	}
	return nil, &connectionError{err}
}

// connect returns the stream that was opened early if it is still usable, and otherwise a new one.
func (b *eventBridge) connect(ctx context.Context) (*netstream.Stream, error) {
	if b.early == nil {
		return b.dial(ctx)
	}
	select {
	case early := <-b.early:
		b.early = nil
		if early.Stream == nil {
			return b.dial(ctx)
		}
		if time.Since(early.opened) < earlyTimeout && early.Quiet() {
			return early.Stream, nil
		}
		_ = early.Close() // never used
		return b.dial(ctx)
	case <-ctx.Done():
		return nil, ctx.Err() // the next attempt waits for the stream again
	}
}

// dial connects to the endpoint. It uses TLS unless the endpoint begins with http.
func (b *eventBridge) dial(ctx context.Context) (*netstream.Stream, error) {
	port := b.endpoint.Port()
	switch b.endpoint.Scheme {
	case "https":
		return b.dialTLS(ctx, "tcp", net.JoinHostPort(b.endpoint.Hostname(), cmp.Or(port, "443")))
	case "http":
		return netstream.Dial(ctx, "tcp", net.JoinHostPort(b.endpoint.Hostname(), cmp.Or(port, "80")))
	}
	return nil, errors.New("AWS_ENDPOINT_URL_EVENTBRIDGE is not a URL with http or https")
}

// connectionError means that the request did not reach EventBridge or that the answer did not arrive.
type connectionError struct{ err error }

func (e *connectionError) Error() string { return e.err.Error() }

func (e *connectionError) Unwrap() error { return e.err }

// statusError means that EventBridge refused the whole request.
type statusError struct {
	status int
	code   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("EventBridge answers %d %s", e.status, e.code)
}

// ErrorCode returns EventBridge's error code. Errors of the AWS SDK have the same method.
func (e *statusError) ErrorCode() string { return e.code }

// codeOf reads the error code of an answer, such as ThrottlingException, and removes the namespace that may precede it.
func codeOf(answer []byte) string {
	var failure struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(answer, &failure); err != nil {
		return "without a code"
	}
	return failure.Type[strings.LastIndexByte(failure.Type, '#')+1:]
}

// temporary lists the codes of errors that another attempt may not meet.
var temporary = []string{"InternalException", "InternalFailure", "RequestTimeout", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequestsException"}

func (*eventBridge) retryable(err error) bool {
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return false
	}
	if _, cut := errors.AsType[*connectionError](err); cut {
		return true
	}
	refused, ok := errors.AsType[*statusError](err)
	return ok && (refused.status >= 500 || refused.status == 429 || refused.status == 408 || slices.Contains(temporary, refused.code))
}
