package local

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// gate holds up functions until it is opened.
type gate struct {
	url     string
	arrived chan struct{} // gets one for each that waits
	opened  chan struct{}
	open    func()
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 1000), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.opened:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		g.open()
		server.CloseClientConnections()
		server.Close()
	})
	g.url = server.URL
	return g
}

// holds makes a function wait at the gate.
func (g *gate) holds(_ *Config, f *Function) {
	f.Env = map[string]string{"GATE": g.url}
}
