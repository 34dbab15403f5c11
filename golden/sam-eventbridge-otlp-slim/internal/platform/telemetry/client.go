package telemetry

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/http1"
	"example.com/sam-eventbridge-otlp-slim/internal/platform/netstream"
)

// client sends one request at a time over one connection to one server. It has the methods of http.Client that this package needs. It does not
// support connection pools, proxies, redirects or HTTP/2.
type client = *connectionClient

// dialer opens a connection with TLS.
type dialer = func(ctx context.Context, network, address string) (*netstream.Stream, error)

type connectionClient struct {
	dialTLS dialer

	mu         sync.Mutex // guards the fields below
	connection http1.Connection
	origin     string            // scheme, host and port of the server
	stream     *netstream.Stream // of the connection
	used       time.Time
}

// maxResponse is the size of the largest body of a response, in bytes. The largest expected one contains a secret.
const maxResponse = 128 << 10

// newClient returns a client that opens TLS connections with dialTLS. If dialTLS is nil, it trusts the system's certificate authorities.
func newClient(dialTLS dialer) client {
	if dialTLS == nil {
		dialTLS = func(ctx context.Context, network, address string) (*netstream.Stream, error) {
			return netstream.DialTLS(ctx, network, address, &tls.Config{MinVersion: tls.VersionTLS12})
		}
	}
	return &connectionClient{dialTLS: dialTLS, connection: http1.Connection{MaxBody: maxResponse}}
}

// newLambdaClient returns a client for Lambda's own APIs, without a time limit. The answer to a poll comes with the next invocation, and Lambda
// does not expect a poll to be abandoned and repeated.
func newLambdaClient() client { return newClient(nil) }

// Do sends a request and reads the complete response.
func (c *connectionClient) Do(request *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx := request.Context()
	wire, err := encodeRequest(request)
	if err != nil {
		return nil, err
	}
	if origin := request.URL.Scheme + "://" + request.URL.Host; c.origin != origin || time.Since(c.used) > idleTimeout {
		c.connection.Close()
		c.connection.Host, c.origin = request.URL.Host, origin
	}
	// When the context ends, reads and writes on the stream fail.
	unwatch := func() bool { return true }
	defer func() {
		if !unwatch() {
			c.connection.Close() // the context has ended or is ending the stream
		}
	}()
	watch := func() {
		unwatch()
		stream := c.stream
		_ = stream.SetDeadline(time.Time{}) // fails if the stream is closed, and then the request fails too
		unwatch = context.AfterFunc(ctx, func() { _ = stream.SetDeadline(time.Unix(1, 0)) })
	}
	if c.stream != nil {
		watch()
	}
	c.connection.Dial = func() (http1.Stream, error) {
		var err error
		if c.stream, err = c.dial(ctx, request); err != nil {
			return nil, err
		}
		watch()
		return c.stream, nil
	}
	answer, err := c.connection.Do(wire, nil)
	c.used = time.Now().Round(0) // the monotonic clock may stand still while the execution environment is frozen
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	header := http.Header{}
	for name, value := range answer.Header {
		header.Set(name, value)
	}
	return &http.Response{
		Status: strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status), StatusCode: answer.Status, Header: header,
		Body: io.NopCloser(bytes.NewReader(answer.Body)),
	}, nil
}

// CloseIdleConnections closes the connection, unless a request is under way on it.
func (c *connectionClient) CloseIdleConnections() {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	c.connection.Close()
}

func (c *connectionClient) dial(ctx context.Context, request *http.Request) (*netstream.Stream, error) {
	host, port := request.URL.Hostname(), request.URL.Port()
	switch request.URL.Scheme {
	case "https":
		return c.dialTLS(ctx, "tcp", net.JoinHostPort(host, cmp.Or(port, "443")))
	case "http":
		return netstream.Dial(ctx, "tcp", net.JoinHostPort(host, cmp.Or(port, "80")))
	}
	return nil, errors.New("the address begins with neither http nor https")
}

// encodeRequest refuses headers with line breaks and other control characters. As in net/http, a request with the header Idempotency-Key may be
// repeated, even if the header has no value.
func encodeRequest(request *http.Request) (http1.Request, error) {
	wire := http1.Request{Method: request.Method, Path: request.URL.RequestURI(), Again: request.Method == http.MethodGet}
	if user := request.URL.User; user != nil && request.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return wire, err
		}
		wire.Body = body
	}
	for name, values := range request.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
			continue // the client sets these itself
		case "Idempotency-Key":
			wire.Again = true
		}
		for _, value := range values {
			if !printable(name) || !printable(value) {
				return wire, errors.New("a header has a character that it may not have")
			}
			wire.Fields = append(wire.Fields, name, value)
		}
	}
	return wire, nil
}

func printable(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
