//go:build unix

package netstream

import (
	"io"
	"net"
	"syscall"
)

// readNow reads what has arrived. It bypasses the deadlines of package net, which would end the read before it looks.
func readNow(conn *net.TCPConn, to []byte) (n int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	closed := raw.Control(func(fd uintptr) {
		for {
			n, err = syscall.Read(int(fd), to)
			if err != syscall.EINTR { //nolint:errorlint // system calls return bare numbers
				return
			}
		}
	})
	switch {
	case closed != nil:
		return 0, closed
	case err == syscall.EAGAIN: //nolint:errorlint // likewise
		return 0, errNothing
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
