// Package awsroots opens TLS connections to AWS's services without reading the system's certificates first, which would take most of the
// time of a first call. What the connections are used for does not belong here.
package awsroots

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
)

// amazon holds the authorities that sign for AWS's services, with the day until which each is valid.
// Source: Amazon Trust Services Repository, "Root CAs".
//
//go:embed roots.pem
var amazon []byte

// Dialer opens TLS connections. It trusts Amazon's authorities and, for the day on which those change and for endpoints that are not
// AWS's, the system's.
type Dialer struct {
	amazon, system *tls.Config
}

// NewDialer returns a Dialer.
func NewDialer() *Dialer {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(amazon)
	return newDialer(pool, nil) // nil is what Go finds on the system, when it needs it
}

func newDialer(amazon, system *x509.CertPool) *Dialer {
	return &Dialer{
		amazon: &tls.Config{RootCAs: amazon, MinVersion: tls.VersionTLS12},
		system: &tls.Config{RootCAs: system, MinVersion: tls.VersionTLS12},
	}
}

// DialTLSContext connects and verifies, for http.Transport. If Amazon's authorities did not sign the certificate, it connects again and asks the
// system's. It refuses a certificate that is expired or another host's at once.
func (d *Dialer) DialTLSContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&tls.Dialer{Config: d.amazon}).DialContext(ctx, network, address)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return (&tls.Dialer{Config: d.system}).DialContext(ctx, network, address)
	}
	return conn, err
}
