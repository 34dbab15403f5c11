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

	"example.com/cdk-eventbridge-slim/internal/awsendpoint"
	"example.com/cdk-eventbridge-slim/internal/awsroots"
	"example.com/cdk-eventbridge-slim/internal/http1"
	"example.com/cdk-eventbridge-slim/internal/netstream"
	"example.com/cdk-eventbridge-slim/internal/sigv4"
)

// eventBridge is the bus behind one operation of EventBridge's API, PutEvents, over one connection. It takes the place of the AWS SDK and of
// the client of net/http. Its configuration comes from the environment that Lambda sets; there is no proxy in it.
// Source: Amazon EventBridge API Reference, "PutEvents" and "Common Errors".
type eventBridge struct {
	endpoint   *url.URL
	region     string
	dialTLS    dialer
	connection http1.Connection
	stream     *netstream.Stream // of the connection
	used       time.Time         // when it was used last
	early      <-chan earlyStream
}

// dialer connects to an address.
type dialer func(ctx context.Context, network, address string) (*netstream.Stream, error)

// earlyStream is opened while the function starts. It is nil if that fails.
type earlyStream struct {
	*netstream.Stream
	opened time.Time
}

func newEventBridge() *eventBridge { return newEventBridgeBy(awsroots.NewDialer().DialTLSContext) }

func newEventBridgeBy(dialTLS dialer) *eventBridge {
	b := &eventBridge{region: os.Getenv("AWS_REGION"), dialTLS: dialTLS}
	b.endpoint = endpointOf(b.region)
	b.connection.Host, b.connection.MaxBody = b.endpoint.Host, maxAnswer
	if b.endpoint.Scheme == "https" {
		b.early = b.connectEarly()
	}
	return b
}

// now is a time that goes on while the execution environment is frozen, as the monotonic clock may not.
func now() time.Time { return time.Now().Round(0) }

// endpointOf returns the endpoint of a region, or the one that the environment names instead.
func endpointOf(region string) *url.URL {
	if name := os.Getenv("AWS_ENDPOINT_URL_EVENTBRIDGE"); name != "" {
		if endpoint, err := url.Parse(name); err == nil {
			return endpoint
		}
		return &url.URL{} // which no request reaches
	}
	return &url.URL{Scheme: "https", Host: awsendpoint.Host("events", region)}
}

// connectEarly connects while the function starts, so that the first sign-in does not wait for it alone.
func (b *eventBridge) connectEarly() <-chan earlyStream {
	early := make(chan earlyStream, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		stream, err := b.dial(ctx)
		if err != nil {
			stream = nil // the first request connects again, and says why it cannot
		}
		early <- earlyStream{stream, now()}
	}()
	return early
}

const (
	// idleTimeout is after how long a connection is not used again. An execution environment is frozen between invocations, and learns that
	// the other side has hung up only when it uses the connection.
	idleTimeout = 50 * time.Second
	// earlyTimeout is the same for a connection that has carried no request yet: for those servers wait less. With provisioned concurrency
	// the first sign-in may come long after the start.
	earlyTimeout = 5 * time.Second
	// maxAnswer bounds an answer, in bytes. It has some 100 for each event.
	maxAnswer = 64 << 10
)

// wireEntry is an entry as it is sent.
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
			EventBusName: entry.busName, Source: Source, DetailType: DetailType, Detail: entry.detail,
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

// call sends a signed request and returns the answer to it.
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
	// Again: an event may arrive twice in any case, since what fails is sent again.
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
		_ = b.stream.SetDeadline(deadline) // fails where it is closed, which the request will find out
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

// connect returns the stream that was opened early, if it is still good, and a new one from then on.
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
		_ = early.Close() // it was never used
		return b.dial(ctx)
	case <-ctx.Done():
		return nil, ctx.Err() // the next attempt waits for it again
	}
}

// dial connects to the endpoint, with TLS unless the endpoint says http.
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

// connectionError says that a request did not reach EventBridge, or its answer not the function.
type connectionError struct{ err error }

func (e *connectionError) Error() string { return e.err.Error() }

func (e *connectionError) Unwrap() error { return e.err }

// statusError says that EventBridge refused a whole request.
type statusError struct {
	status int
	code   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("EventBridge answers %d %s", e.status, e.code)
}

// ErrorCode is the code that EventBridge gave, for who tells errors apart by it, as those of the AWS SDK do.
func (e *statusError) ErrorCode() string { return e.code }

// codeOf reads the code of an error: ThrottlingException, or the same with a namespace before it.
func codeOf(answer []byte) string {
	var failure struct {
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(answer, &failure); err != nil {
		return "without a code"
	}
	return failure.Type[strings.LastIndexByte(failure.Type, '#')+1:]
}

// passing are the codes of errors that go by.
var passing = []string{"InternalException", "InternalFailure", "RequestTimeout", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequestsException"}

func (*eventBridge) retryable(err error) bool {
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return false
	}
	if _, cut := errors.AsType[*connectionError](err); cut {
		return true
	}
	refused, ok := errors.AsType[*statusError](err)
	return ok && (refused.status >= 500 || refused.status == 429 || refused.status == 408 || slices.Contains(passing, refused.code))
}
