//go:build !linux

package lambdaruntime

import (
	"io"
	"net"
	"os"
)

// stdout is where the log goes.
var stdout io.Writer = os.Stdout

// dial connects to host:port. Lambda runs Linux: this is for tests on other machines.
func dial(address string) (io.ReadWriteCloser, error) { return net.Dial("tcp", address) }
