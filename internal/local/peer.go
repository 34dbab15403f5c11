package local

import (
	"net"
	"net/netip"
)

// The Runtime API hands out events and takes answers, so nobody but the function may speak to it. A port on this machine is open to its
// other users, and to the pages in a browser. On Linux the kernel tells whose process a connection comes from, so each execution
// environment takes connections of this user only. Elsewhere its address ends in a path that nobody can guess.

// ownPeers is a listener that closes the connections of other users.
type ownPeers struct {
	net.Listener
	user int
}

func (l ownPeers) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if user, known := peerUser(connection); known && user == l.user {
			return connection, nil
		}
		_ = connection.Close()
	}
}

// peerUser tells whose process is at the other end of a connection within this machine.
func peerUser(connection net.Conn) (user int, known bool) {
	here, err := netip.ParseAddrPort(connection.LocalAddr().String())
	if err != nil {
		return 0, false
	}
	there, err := netip.ParseAddrPort(connection.RemoteAddr().String())
	if err != nil {
		return 0, false
	}
	return socketUser(there, here)
}
