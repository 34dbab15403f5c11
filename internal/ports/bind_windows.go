package ports

import (
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
)

// bind sets no SO_REUSEADDR: on Windows it lets anybody take the port.
func (p *Port) bind(socket syscall.Handle) error {
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
