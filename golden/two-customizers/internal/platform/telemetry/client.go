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

// newClient returns a client that connects with TLS by dialTLS, or as Go does if that is nil.
func newClient(dialTLS dialer) client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialTLSContext = dialTLS
	transport.IdleConnTimeout = idleTimeout
	// HTTP/2 would keep a connection on which nothing comes back, and each export would hang until its limit. HTTP/1 closes it.
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	return &http.Client{
		Transport: transport,
		// A redirect is a mistake in the address, and the credentials are meant for that one alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newLambdaClient returns a client for Lambda's own APIs. It has no proxy and no time limit: an event comes when there is an invocation, and
// a poll that is given up is never repeated in Lambda's eyes.
func newLambdaClient() client { return &http.Client{Transport: &http.Transport{}} }
