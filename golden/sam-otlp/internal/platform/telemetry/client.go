package telemetry

import (
	"context"
	"net"
	"net/http"
)

// client sends requests.
type client = *http.Client

// dialer opens a connection with TLS.
type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// newClient returns a client that opens TLS connections with dialTLS, or with Go's default if dialTLS is nil.
func newClient(dialTLS dialer) client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialTLSContext = dialTLS
	transport.IdleConnTimeout = idleTimeout
	// HTTP/1 closes a connection after a timeout. HTTP/2 would keep using a dead connection, and each export would take until its limit.
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	return &http.Client{
		Transport: transport,
		// A redirect means that the address is wrong, and the credentials must not go elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newLambdaClient returns a client for Lambda's own APIs, without a proxy and without a time limit. The answer to a poll comes with the next
// invocation, and Lambda does not expect a poll to be abandoned and repeated.
func newLambdaClient() client { return &http.Client{Transport: &http.Transport{}} }
