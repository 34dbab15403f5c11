// Package ports reserves TCP ports for tests and judges. A port that a listener has just given up may belong to another process a moment
// later; a reserved one may not.
package ports

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// Port is a port of 127.0.0.1 that a socket is bound to without listening, so that connections to it are refused. The system gives the
// port to nobody who asks for a free one.
type Port struct {
	// Address is the host and the port, as in "127.0.0.1:40000".
	Address string
	close   func() error
}

// Reserve reserves a free port.
func Reserve() (*Port, error) {
	syscall.ForkLock.RLock() // so that no child inherits the socket
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("reserve a port: %w", os.NewSyscallError("socket", err))
	}
	port := &Port{close: sync.OnceValue(func() error { return syscall.Close(socket) })}
	if err := port.bind(socket); err != nil {
		_ = port.Close()
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	return port, nil
}

// Close gives the port back.
func (p *Port) Close() error { return p.close() }

// HandOver lets another process, or another part of this one, listen on the port by naming it. On Linux the port stays reserved, so nobody
// else gets it before or after that. Elsewhere there is no such thing, and the reservation ends here.
func (p *Port) HandOver() error {
	if runtime.GOOS == "linux" {
		return nil
	}
	return p.Close()
}
