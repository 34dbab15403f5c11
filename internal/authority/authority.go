// Package authority makes certificate authorities and certificates of their own for tests and benchmarks of TLS on the loopback. Nothing
// that golam does for users belongs here.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Authority signs certificates. It is valid for a day.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// New returns an authority that nobody knows yet.
func New() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "golam's own"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &Authority{certificate: template, key: key}
	encoded, err := a.sign(template)
	if err != nil {
		return nil, err
	}
	if a.certificate, err = x509.ParseCertificate(encoded); err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	return a, nil
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// Sign returns a server's certificate for a host, valid for two hours until the time given, which may have passed.
func (a *Authority) Sign(host string, until time.Time) (tls.Certificate, error) {
	encoded, err := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: until.Add(-2 * time.Hour), NotAfter: until, DNSNames: []string{host},
	})
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: a.key}, nil
}

func (a *Authority) sign(template *x509.Certificate) ([]byte, error) {
	encoded, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return encoded, nil
}
