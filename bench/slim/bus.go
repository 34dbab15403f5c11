//go:build linux

package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/golam-cli/golam/internal/authority"
)

// bus takes PutEvents over TLS, answers at once, and counts. The nil bus has counted nothing.
type bus struct {
	authority *authority.Authority
	server    *http.Server
	received  atomic.Int64
	// env is what a function needs to find it, and to trust it.
	env []string
}

func startBus(folder string) (*bus, error) {
	made, err := authority.New()
	if err != nil {
		return nil, err
	}
	certificate, err := made.Sign("localhost", time.Now().Add(time.Hour))
	if err != nil {
		return nil, err
	}
	trust, err := made.Trust(folder)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return nil, err
	}
	b := &bus{authority: made}
	b.server = &http.Server{Handler: http.HandlerFunc(b.answer), ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0)}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	b.env = []string{"EVENT_BUS_NAME=bus", "AWS_ENDPOINT_URL_EVENTBRIDGE=https://localhost:" + port}
	for name, value := range trust.Env {
		b.env = append(b.env, name+"="+value)
	}
	secure := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
	go func() { _ = b.server.Serve(secure) }() // until it is closed
	return b, nil
}

func (b *bus) close() { _ = b.server.Close() }

func (b *bus) count() int {
	if b == nil {
		return 0
	}
	return int(b.received.Load())
}

func (b *bus) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" || r.Header.Get("Authorization") == "" {
		http.Error(w, "not PutEvents", http.StatusBadRequest)
		return
	}
	b.received.Add(1)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}]}`)
}
