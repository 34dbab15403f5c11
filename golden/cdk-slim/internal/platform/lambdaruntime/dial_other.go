//go:build !linux

package lambdaruntime

import (
	"io"
	"net"
	"os"

	"example.com/cdk-slim/internal/platform/http1"
)

// stdout is standard output, the destination of the log.
var stdout io.Writer = os.Stdout

// dial connects to host:port. Lambda runs Linux. This file is for tests on other systems.
func dial(address string) (http1.Stream, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return stream{conn}, nil
}

// stream is a connection for one request.
type stream struct{ net.Conn }

// Quiet implements http1.Stream. Package net can't look without waiting, so each request gets a new connection.
func (stream) Quiet() bool { return false }
