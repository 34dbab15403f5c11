package ports

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"
)

// TestReservedPortRefuses wants connections to be refused although listeners come and go, and none of these listeners to get the port.
func TestReservedPortRefuses(t *testing.T) {
	port, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	for range 500 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		if listener.Addr().String() == port.Address {
			t.Fatal("another listener has got the port")
		}
	}
	if conn, err := net.Dial("tcp", port.Address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connected: %v, %v", conn, err)
	}
}

// TestHandOver listens on a reserved port by its name, twice.
func TestHandOver(t *testing.T) {
	port, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := port.HandOver(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		listener, err := net.Listen("tcp", port.Address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", port.Address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := net.Listen("tcp", port.Address); err == nil {
			t.Error("two listeners share the port")
		}
		_ = conn.Close()
		_ = listener.Close()
	}
	if conn, err := net.Dial("tcp", port.Address); runtime.GOOS == "linux" && !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connected: %v, %v", conn, err)
	}
}
