//go:build linux

package main

import (
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/golam-cli/golam/internal/authority"
)

// bus takes PutEvents over TLS and answers at once.
type bus struct {
	authority *authority.Authority
	server    *http.Server
	// env is what a function needs to find it, and to trust it.
	env []string
}

// systemRoots are where Linux systems keep their roots in one file.
var systemRoots = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}

func startBus(folder string) (*bus, error) {
	made, err := authority.New()
	if err != nil {
		return nil, err
	}
	certificate, err := made.Sign("localhost", time.Now().Add(time.Hour))
	if err != nil {
		return nil, err
	}
	var roots []byte
	for _, name := range systemRoots {
		if roots, err = os.ReadFile(name); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	bundle := filepath.Join(folder, "roots.pem")
	if err := os.WriteFile(bundle, append(roots, made.PEM()...), 0o600); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return nil, err
	}
	b := &bus{authority: made, server: &http.Server{
		Handler: http.HandlerFunc(answer), ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0),
	}}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	b.env = []string{"EVENT_BUS_NAME=bus", "AWS_ENDPOINT_URL_EVENTBRIDGE=https://localhost:" + port, "SSL_CERT_FILE=" + bundle}
	secure := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
	go func() { _ = b.server.Serve(secure) }() // until it is closed
	return b, nil
}

func (b *bus) close() { _ = b.server.Close() }

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" || r.Header.Get("Authorization") == "" {
		http.Error(w, "not PutEvents", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}]}`)
}
