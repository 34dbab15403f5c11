package awsroots

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: t.Name()}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// serve starts an HTTPS server and returns its address and how often somebody has connected.
func (a authority) serve(t *testing.T, host string, until time.Time) (string, *atomic.Int32) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: until.Add(-time.Hour), NotAfter: until, DNSNames: []string{host}}
	encoded, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{encoded}, PrivateKey: a.key}}, MinVersion: tls.VersionTLS12}
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("localhost", port), &connections
}

func TestDialTLSContext(t *testing.T) {
	amazon, system, stranger := newAuthority(t), newAuthority(t), newAuthority(t)
	soon := time.Now().Add(time.Hour)
	tests := map[string]struct {
		authority   authority
		host        string
		until       time.Time
		connections int32
		fails       func(error) bool
	}{
		"Amazon's":         {authority: amazon, connections: 1},
		"the system's":     {authority: system, connections: 2},
		"nobody's":         {authority: stranger, connections: 2, fails: is[x509.UnknownAuthorityError]},
		"another host's":   {authority: amazon, host: "elsewhere.example", connections: 1, fails: is[x509.HostnameError]},
		"expired":          {authority: amazon, until: time.Now().Add(-time.Minute), connections: 1, fails: is[x509.CertificateInvalidError]},
		"expired, unknown": {authority: system, until: time.Now().Add(-time.Minute), connections: 1, fails: is[x509.CertificateInvalidError]},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.host == "" {
				test.host = "localhost"
			}
			if test.until.IsZero() {
				test.until = soon
			}
			address, connections := test.authority.serve(t, test.host, test.until)
			client := &http.Client{Transport: &http.Transport{DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return newDialer(amazon.pool(), system.pool()).DialTLSContext(ctx, network, address)
			}}}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			switch {
			case test.fails != nil:
				if err == nil || !test.fails(err) {
					t.Errorf("error %v", err)
				}
			case err != nil:
				t.Error(err)
			default:
				_ = response.Body.Close()
			}
			if got := connections.Load(); got != test.connections {
				t.Errorf("%d connections, want %d", got, test.connections)
			}
		})
	}
}

func is[E error](err error) bool {
	_, found := errors.AsType[E](err)
	return found
}

func TestAmazonRoots(t *testing.T) {
	roots := 0
	for block, rest := pem.Decode(amazon); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate.CheckSignatureFrom(certificate); err != nil {
			t.Errorf("%s is no root: %v", certificate.Subject, err)
		}
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: NewDialer().amazon.RootCAs}); err != nil {
			t.Errorf("%s is not trusted: %v", certificate.Subject, err)
		}
		roots++
	}
	if roots != 5 {
		t.Errorf("%d roots, want 5", roots)
	}
}
