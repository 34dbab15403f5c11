//go:build !linux

package lambdaruntime

import (
	"io"
	"net"
	"os"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/http1"
)

// stdout is where the log goes.
var stdout io.Writer = os.Stdout

// dial connects to host:port. Lambda runs Linux: this is for tests on other machines.
func dial(address string) (http1.Stream, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return stream{conn}, nil
}

// stream is a connection for one request.
type stream struct{ net.Conn }

// Quiet implements http1.Stream. Package net cannot tell without waiting, so each request gets a new connection.
func (stream) Quiet() bool { return false }
