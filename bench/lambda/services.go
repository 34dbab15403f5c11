package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golam-cli/golam/internal/authority"
)

// services stand in for what functions talk to: EventBridge behind TLS, and a collector. Each subject has its own, so that what arrives
// can be counted.
type services struct {
	authority   *authority.Authority
	certificate tls.Certificate
	trust       authority.Trust
	servers     []*http.Server
}

func startServices(folder string) (*services, error) {
	s := &services{}
	var err error
	if s.authority, err = authority.New(); err != nil {
		return nil, err
	}
	if s.certificate, err = s.authority.Sign("localhost", time.Now().Add(2*time.Hour-time.Minute)); err != nil {
		return nil, err
	}
	s.trust, err = s.authority.Trust(folder)
	return s, err
}

func (s *services) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
}

// service counts what a subject sends.
type service struct {
	what     string // that arrives
	url      string
	received atomic.Int64
}

func (s *service) reset() { s.received.Store(0) }

func (s *service) count() int { return int(s.received.Load()) }

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
	bus := &service{what: "events"}
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
	collector := &service{what: "requests with spans"}
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
