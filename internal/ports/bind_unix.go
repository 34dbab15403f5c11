//go:build unix

package ports

import (
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
)

func (p *Port) bind(socket int) error {
	// With the option on both sockets, Linux lets a listener share the port if it asks for that very port. Listeners of Go have it.
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return os.NewSyscallError("bind", err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	bound, isIPv4 := name.(*syscall.SockaddrInet4)
	if !isIPv4 {
		return errors.New("the socket has no IPv4 address")
	}
	p.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(bound.Port))
	return nil
}
