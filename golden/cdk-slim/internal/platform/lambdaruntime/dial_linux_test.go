package lambdaruntime

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for address, want := range map[string]syscall.Sockaddr{
		"127.0.0.1:9001":          &syscall.SockaddrInet4{Port: 9001, Addr: [4]byte{127, 0, 0, 1}},
		"localhost:1":             &syscall.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}},
		"169.254.100.1:65535":     &syscall.SockaddrInet4{Port: 65535, Addr: [4]byte{169, 254, 100, 1}},
		"[::1]:9001":              &syscall.SockaddrInet6{Port: 9001, Addr: [16]byte{15: 1}},
		"[2001:db8::1:0:0:1]:9":   &syscall.SockaddrInet6{Port: 9, Addr: [16]byte{0x20, 0x01, 0x0d, 0xb8, 9: 1, 15: 1}},
		"[1:2:3:4:5:6:7:fFfF]:80": &syscall.SockaddrInet6{Port: 80, Addr: [16]byte{1: 1, 3: 2, 5: 3, 7: 4, 9: 5, 11: 6, 13: 7, 14: 0xff, 15: 0xff}},
	} {
		got, _, err := parseAddress(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		switch want := want.(type) {
		case *syscall.SockaddrInet4:
			if got, ok := got.(*syscall.SockaddrInet4); !ok || got.Port != want.Port || got.Addr != want.Addr {
				t.Errorf("%s: got %+v", address, got)
			}
		case *syscall.SockaddrInet6:
			if got, ok := got.(*syscall.SockaddrInet6); !ok || got.Port != want.Port || got.Addr != want.Addr {
				t.Errorf("%s: got %+v", address, got)
			}
		}
	}
	for _, address := range []string{
		"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:x", "127.0.0:1", "127.0.0.1.1:1", "127.0.0.256:1",
		"127.0.0.01:1", "+127.0.0.1:1", "127..0.1:1", "example.com:1", "::1:1", "[::1:1", "[]:1", "[:]:1", "[:::]:1", "[1::2::3]:1", "[1:2:3:4:5:6:7]:1",
		"[1:2:3:4:5:6:7:8:9]:1", "[::12345]:1", "[::g]:1", "[1:2:3:4::5:6:7:8]:1", "[:1]:1",
	} {
		if got, _, err := parseAddress(address); err == nil {
			t.Errorf("%s: got %+v", address, got)
		}
	}
}

// FuzzParseIP compares the parsers with net/netip.
func FuzzParseIP(f *testing.F) {
	for _, text := range []string{"127.0.0.1", "::", "1::", "::1", "1:2::3", "fe80::1%eth0", "::ffff:1.2.3.4"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := netip.ParseAddr(text)
		if ip, ok := parseIPv4(text); ok != (err == nil && want.Is4()) || ok && netip.AddrFrom4(ip) != want {
			t.Errorf("%q is %v, %v as IPv4, and %v, %v to netip", text, ip, ok, want, err)
		}
		if ip, ok := parseIPv6(text); ok && (err != nil || netip.AddrFrom16(ip) != want) {
			t.Errorf("%q is %v as IPv6, and %v, %v to netip", text, ip, want, err)
		}
	})
}

// TestQuiet asks sockets on which nothing, something or the end has arrived.
func TestQuiet(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	for name, disturb := range map[string]func(*net.TCPConn) error{
		"a byte":  func(conn *net.TCPConn) error { _, err := io.WriteString(conn, "x"); return err },
		"an end":  func(conn *net.TCPConn) error { return conn.CloseWrite() },
		"a reset": func(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := dial(listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stream.Close() }()
			conn, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if !stream.Quiet() {
				t.Error("not quiet at first")
			}
			if err := disturb(conn.(*net.TCPConn)); err != nil {
				t.Fatal(err)
			}
			for stream.Quiet() { // until it has arrived
				runtime.Gosched()
			}
		})
	}
}
