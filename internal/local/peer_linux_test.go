package local

import (
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAnotherUser asks the Runtime API of a function for its event as another user, which only root can play.
func TestAnotherUser(t *testing.T) {
	if !canTellPeers() {
		t.Fatal("the kernel of this machine does not tell whose a connection is: only a path keeps others away")
	}
	l := one(t, official, "describe", func(_ *Config, f *Function) { f.Timeout = time.Minute })
	address := netip.MustParseAddrPort(apiOf(t, l.invoke("{}").Payload))
	users := map[int]bool{os.Geteuid(): true} // and whether they get an answer
	if os.Geteuid() == 0 {
		users[65534] = false
	}
	for user, taken := range users {
		got := askAs(t, user, address, "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if strings.HasPrefix(got, "HTTP/1.1 404") != taken || taken != (got != "") {
			t.Errorf("user %d gets %q", user, got)
		}
	}
}

// askAs sends a text from a socket of another user and reads what comes back.
func askAs(t *testing.T, user int, address netip.AddrPort, text string) string {
	t.Helper()
	socket := socketOf(t, user)
	defer func() { _ = unix.Close(socket) }()
	if err := unix.Connect(socket, &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(socket, []byte(text)); err != nil {
		return "" // it is closed already
	}
	var answer []byte
	for buffer := make([]byte, 1024); ; {
		n, err := unix.Read(socket, buffer)
		if n <= 0 || err != nil {
			return string(answer)
		}
		answer = append(answer, buffer[:n]...)
	}
}

// socketOf makes a socket on a thread that acts as the user for as long.
func socketOf(t *testing.T, user int) int {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Syscall(unix.SYS_SETFSUID, uintptr(user), 0, 0)
	defer unix.Syscall(unix.SYS_SETFSUID, uintptr(os.Geteuid()), 0, 0)
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return socket
}
