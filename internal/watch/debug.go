package watch

import (
	"net"
	"strconv"
	"sync"
)

// debugPorts gives each function an address for its debugger, the same one as long as the session lasts.
type debugPorts struct {
	host  string
	first int

	mu    *sync.Mutex
	ports map[string]int
}

func newDebugPorts(address string) (debugPorts, error) {
	if address == "" {
		address = DefaultDebugAddress
	}
	host, port, err := net.SplitHostPort(address)
	first, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || notNumber != nil || first == 0 {
		return debugPorts{}, misuse("--debug-address %q: use host:port, such as %s", address, DefaultDebugAddress)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return debugPorts{host: host, first: int(first), mu: &sync.Mutex{}, ports: map[string]int{}}, nil
}

// of gives "" if there is no debugger.
func (p debugPorts) of(function string) string {
	if p.ports == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	port, known := p.ports[function]
	if !known {
		port = p.first + len(p.ports)
		p.ports[function] = port
	}
	return net.JoinHostPort(p.host, strconv.Itoa(port))
}
