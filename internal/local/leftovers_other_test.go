//go:build !linux

package local

import (
	"net"
	"syscall"
	"testing"
)

const canFindDetached = false

// listensAt can only ask whether anybody listens there.
func listensAt(_ *testing.T, address string) bool {
	listener, err := net.Listen("tcp", address)
	if err == nil {
		listener.Close()
	}
	return err != nil
}

func hit(*testing.T, string, syscall.Signal, func(int) int) {}
