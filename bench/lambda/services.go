package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// services stand in for what functions talk to: EventBridge behind TLS, and a collector. Each subject has its own, so that what arrives
// can be counted.
type services struct {
	certificate tls.Certificate
	// authority is the root certificate in PEM; bundle the file of the system's roots with it.
	authority []byte
	bundle    string
	roots     int // certificates in the bundle
	servers   []*http.Server
}

// systemRoots are where Linux systems keep their roots in one file.
var systemRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
}

func startServices(folder string) (*services, error) {
	s := &services{bundle: filepath.Join(folder, "roots.pem")}
	if err := s.makeCertificates(); err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	var roots []byte
	for _, name := range systemRoots {
		found, err := os.ReadFile(name)
		if err == nil {
			roots = found
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	roots = append(roots, s.authority...)
	s.roots = bytes.Count(roots, []byte("BEGIN CERTIFICATE"))
	return s, os.WriteFile(s.bundle, roots, 0o600)
}

// makeCertificates makes a chain of three like that of AWS's endpoints: RSA of 2048 bits, a root that signs an intermediate authority.
func (s *services) makeCertificates() error {
	now := time.Now()
	template := func(serial int64, name string, authority bool) *x509.Certificate {
		usage := x509.KeyUsageDigitalSignature
		if authority {
			usage = x509.KeyUsageCertSign
		}
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
			IsCA: authority, BasicConstraintsValid: true, KeyUsage: usage,
		}
	}
	root, intermediate, leaf := template(1, "Benchmark Root", true), template(2, "Benchmark Authority", true), template(3, "localhost", false)
	leaf.DNSNames, leaf.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	parent, parentKey := root, (*rsa.PrivateKey)(nil)
	for _, certificate := range []*x509.Certificate{root, intermediate, leaf} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return err
		}
		if parentKey == nil {
			parentKey = key
		}
		der, err := x509.CreateCertificate(rand.Reader, certificate, parent, &key.PublicKey, parentKey)
		if err != nil {
			return err
		}
		if certificate == root {
			s.authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		} else {
			s.certificate.Certificate = append([][]byte{der}, s.certificate.Certificate...)
		}
		parent, parentKey, s.certificate.PrivateKey = certificate, key, key
	}
	return nil
}

func (s *services) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
}

// service counts what a subject sends. The nil service counts nothing.
type service struct {
	url      string
	received atomic.Int64
}

func (s *service) reset() {
	if s != nil {
		s.received.Store(0)
	}
}

func (s *service) count() int {
	if s == nil {
		return 0
	}
	return int(s.received.Load())
}

// serve serves a handler on a port of its own.
func (s *services) serve(handler http.Handler, secure bool) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return "", err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d", listener.Addr().(*net.TCPAddr).Port)
	if secure {
		url = fmt.Sprintf("https://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
		// AWS's endpoints of EventBridge speak HTTP/1.1.
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{s.certificate}, NextProtos: []string{"http/1.1"}})
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(listener) }()
	return url, nil
}

// bus takes PutEvents (Amazon EventBridge API Reference) over TLS.
func (s *services) bus() (*service, error) {
	bus := &service{}
	var err error
	bus.url, err = s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Entries []struct{ EventBusName, Detail string }
		}
		err := json.NewDecoder(r.Body).Decode(&request)
		if err != nil || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" || r.Header.Get("Authorization") == "" {
			http.Error(w, "not PutEvents", http.StatusBadRequest)
			return
		}
		type entry struct{ EventID string }
		answer := struct {
			FailedEntryCount int
			Entries          []entry
		}{}
		for _, e := range request.Entries {
			if e.EventBusName == busName && json.Valid([]byte(e.Detail)) {
				bus.received.Add(1)
			}
			answer.Entries = append(answer.Entries, entry{"11710aed-b79e-4468-a20b-bb3c0c3b4860"})
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(answer)
	}), true)
	return bus, err
}

const busName = "benchmark"

// collector takes spans as OTLP over HTTP (OpenTelemetry Protocol Specification). Whether as Protobuf or JSON, it only counts requests.
func (s *services) collector() (*service, error) {
	collector := &service{}
	var err error
	collector.url, err = s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil && n > 0 && r.URL.Path == "/v1/traces" {
			collector.received.Add(1)
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if r.Header.Get("Content-Type") == "application/json" {
			_, _ = io.WriteString(w, "{}")
		}
	}), false)
	return collector, err
}
