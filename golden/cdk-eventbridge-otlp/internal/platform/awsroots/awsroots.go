// Package awsroots opens TLS connections to AWS services without reading the system's certificates first, which would take most of the time of
// the first call. How the connections are used does not belong here.
package awsroots

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
)

// amazon has the certificate authorities of AWS services, each with the day on which it expires.
// Source: Amazon Trust Services Repository, "Root CAs".
//
//go:embed roots.pem
var amazon []byte

// Dialer opens TLS connections. It trusts Amazon's certificate authorities first. It also trusts the system's, because Amazon's may change one day
// and an endpoint may not be AWS's.
type Dialer struct {
	amazon, system *tls.Config
}

// NewDialer returns a Dialer.
func NewDialer() *Dialer {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(amazon)
	return newDialer(pool, nil) // nil makes Go read the system's authorities when it needs them
}

func newDialer(amazon, system *x509.CertPool) *Dialer {
	return &Dialer{
		amazon: &tls.Config{RootCAs: amazon, MinVersion: tls.VersionTLS12},
		system: &tls.Config{RootCAs: system, MinVersion: tls.VersionTLS12},
	}
}

// DialTLSContext connects and verifies the certificate, for http.Transport. If none of Amazon's authorities signed it, it connects again and
// trusts the system's authorities. It refuses a certificate at once that is expired or belongs to another host.
func (d *Dialer) DialTLSContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&tls.Dialer{Config: d.amazon}).DialContext(ctx, network, address)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return (&tls.Dialer{Config: d.system}).DialContext(ctx, network, address)
	}
	return conn, err
}
