//go:build !unix

package netstream

import "net"

// readNow can't read without waiting on this system, so a stream is never quiet and each request gets a new connection. Lambda runs Linux. This
// file is for tests on other systems.
func readNow(*net.TCPConn, []byte) (int, error) { return 0, net.ErrClosed }
