package local

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// diagRequest and diagMessage are inet_diag_req_v2 and inet_diag_msg of the kernel's linux/inet_diag.h, diagID is inet_diag_sockid.
type diagRequest struct {
	header                   unix.NlMsghdr
	family, protocol, ext, _ uint8
	states                   uint32
	id                       diagID
}

type diagID struct {
	sourcePort, destinationPort [2]byte
	source, destination         [16]byte
	device                      uint32
	cookie                      [2]uint32
}

type diagMessage struct {
	family, state, timer, retransmissions uint8
	id                                    diagID
	expires, received, sent, user, inode  uint32
}

// canTellPeers reports whether the kernel answers questions about connections, which sandboxes may forbid.
func canTellPeers() bool {
	nowhere := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	_, err := askKernel(nowhere, nowhere)
	return errors.Is(err, unix.ENOENT)
}

// socketUser gives the owner of the TCP socket that is bound to one address of this machine and connected to another.
func socketUser(bound, connected netip.AddrPort) (user int, known bool) {
	message, err := askKernel(bound, connected)
	if err != nil {
		return 0, false
	}
	return int(message.user), true
}

// askKernel asks the kernel about one socket. The error is ENOENT if there is none.
func askKernel(bound, connected netip.AddrPort) (diagMessage, error) {
	request := diagRequest{
		family: unix.AF_INET, protocol: unix.IPPROTO_TCP, states: ^uint32(0),
		id: diagID{cookie: [2]uint32{^uint32(0), ^uint32(0)}},
	}
	// An IPv4 address within IPv6 is found as IPv4.
	from, to := bound.Addr().Unmap(), connected.Addr().Unmap()
	if from.Is4() {
		copy(request.id.source[:], from.AsSlice())
		copy(request.id.destination[:], to.AsSlice())
	} else {
		request.family = unix.AF_INET6
		request.id.source, request.id.destination = from.As16(), to.As16()
	}
	binary.BigEndian.PutUint16(request.id.sourcePort[:], bound.Port())
	binary.BigEndian.PutUint16(request.id.destinationPort[:], connected.Port())
	request.header = unix.NlMsghdr{
		Len: uint32(unsafe.Sizeof(request)), Type: unix.SOCK_DIAG_BY_FAMILY, Flags: unix.NLM_F_REQUEST, Seq: 1,
	}

	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return diagMessage{}, err
	}
	defer func() { _ = unix.Close(socket) }()
	// The kernel answers at once. Something that only looks like it may not.
	if err := unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return diagMessage{}, err
	}
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	if err := unix.Sendto(socket, unsafe.Slice((*byte)(unsafe.Pointer(&request)), unsafe.Sizeof(request)), 0, kernel); err != nil {
		return diagMessage{}, err
	}
	var reply [4096]byte
	n, err := receive(socket, reply[:])
	if err != nil {
		return diagMessage{}, err
	}
	messages, err := syscall.ParseNetlinkMessage(reply[:n])
	if err != nil {
		return diagMessage{}, err
	}
	for _, message := range messages {
		var found diagMessage
		switch {
		case message.Header.Type == unix.SOCK_DIAG_BY_FAMILY && len(message.Data) >= int(unsafe.Sizeof(found)):
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&found)), unsafe.Sizeof(found)), message.Data)
			return found, nil
		case message.Header.Type == unix.NLMSG_ERROR && len(message.Data) >= 4:
			return diagMessage{}, syscall.Errno(-int32(binary.NativeEndian.Uint32(message.Data)))
		}
	}
	return diagMessage{}, unix.EPROTO
}

func receive(socket int, reply []byte) (n int, err error) {
	for {
		if n, _, err = unix.Recvfrom(socket, reply, 0); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
