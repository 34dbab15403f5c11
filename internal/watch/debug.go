package watch

import (
	"fmt"
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
	host, first, err := parseAddress("--debug-address", address, DefaultDebugAddress)
	if err == nil && first == 0 {
		err = badAddress("--debug-address", address, DefaultDebugAddress) // the others follow it
	}
	if err != nil {
		return debugPorts{}, err
	}
	return debugPorts{host: host, first: first, mu: &sync.Mutex{}, ports: map[string]int{}}, nil
}

// parseAddress reads host:port, which is of this machine without a host. An empty one is the usual one.
func parseAddress(flag, address, usual string) (host string, port int, err error) {
	if address == "" {
		address = usual
	}
	host, text, err := net.SplitHostPort(address)
	number, notNumber := strconv.ParseUint(text, 10, 16)
	if err != nil || notNumber != nil {
		return "", 0, badAddress(flag, address, usual)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return host, int(number), nil
}

func badAddress(flag, address, usual string) error {
	return fmt.Errorf("%s %q: use host:port, such as %s", flag, address, usual)
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
