package main

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		os.Exit(start(nil, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// Nothing is lost, no answer goes to the wrong client, and the server is afterwards what it was before.
func TestLoad(t *testing.T) {
	duration := time.Second / 3
	if testing.Short() {
		duration /= 3
	}
	s, err := startServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	results, err := measure(t.Context(), s, duration)
	if err != nil {
		t.Error(err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	printTable(t.Output(), results)
	for _, r := range results {
		if r.lost > 0 || r.crossed > 0 || r.invocations < r.clients {
			t.Errorf("%d clients: %d invocations, %d lost, %d crossed: %v", r.clients, r.invocations, r.lost, r.crossed, r.failure)
		}
		if r.after.Files > r.before.Files {
			t.Errorf("%d clients: %d open files before, %d after", r.clients, r.before.Files, r.after.Files)
		}
		const noise = 16 << 20 // threads and other things that stay, whatever the load
		if r.after.Resident > r.before.Resident+noise {
			t.Errorf("%d clients: %d bytes of memory before, %d after", r.clients, r.before.Resident, r.after.Resident)
		}
	}
}
