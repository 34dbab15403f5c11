// Package netstream opens connections for package http1, with or without TLS. Unlike a net.Conn, its streams can report without waiting whether the
// other side has sent something or closed the connection.
package netstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
)

// Stream is a connection. It implements http1.Stream.
type Stream struct {
	net.Conn
	// socket is the TCP connection. With TLS, Conn uses it.
	socket *socket
}

// Dial connects without TLS.
func Dial(ctx context.Context, network, address string) (*Stream, error) {
	socket, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &Stream{socket, socket}, nil
}

// DialTLS connects with TLS and verifies the certificate, like tls.Dialer.
func DialTLS(ctx context.Context, network, address string, config *tls.Config) (*Stream, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	socket, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.ServerName = host
	secure := tls.Client(socket, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = socket.Close() // the error of the handshake says more
		return nil, err
	}
	return &Stream{secure, socket}, nil
}

// Quiet implements http1.Stream. It reads and ignores messages of TLS itself, such as session tickets.
func (s *Stream) Quiet() bool {
	s.socket.impatient = true
	n, err := s.Read(make([]byte, 1))
	s.socket.impatient = false
	return n == 0 && errors.Is(err, errNothing)
}

// errNothing is the error of an impatient read when nothing has arrived. It is a timeout, because TLS connections survive timeouts.
var errNothing = os.ErrDeadlineExceeded

// socket is a TCP connection.
type socket struct {
	*net.TCPConn
	// impatient makes Read return at once.
	impatient bool
}

func dial(ctx context.Context, network, address string) (*socket, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(errors.New("not a TCP network: "+network), conn.Close())
	}
	return &socket{TCPConn: tcp}, nil
}

// Read implements io.Reader.
func (s *socket) Read(to []byte) (int, error) {
	if s.impatient {
		return readNow(s.TCPConn, to)
	}
	return s.TCPConn.Read(to)
}
