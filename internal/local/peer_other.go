//go:build !linux

package local

import "net/netip"

// canTellPeers is false: there is no portable way to know the owner of a TCP socket.
func canTellPeers() bool { return false }

func socketUser(netip.AddrPort, netip.AddrPort) (user int, known bool) { return 0, false }
