//go:build unix

package netstream

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/http1"
)

var _ http1.Stream = (*Stream)(nil)

// peer is the other end of a stream.
type peer struct {
	net.Conn      // with TLS, if there is TLS
	below    *tcp // without
}

// tcp is a TCP connection that can gather what is written, to send it in one packet.
type tcp struct {
	*net.TCPConn
	gather bool
	packet []byte
}

func (c *tcp) Write(text []byte) (int, error) {
	if c.packet = append(c.packet, text...); c.gather {
		return len(text), nil
	}
	_, err := c.TCPConn.Write(c.packet)
	c.packet = nil
	return len(text), err
}

// connect returns both ends of a connection. With TLS, the handshake is over on both.
func connect(t *testing.T, secure bool) (*Stream, peer) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())

	type result struct {
		peer peer
		err  error
	}
	accepted := make(chan result, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			accepted <- result{err: err}
			return
		}
		below := &tcp{TCPConn: conn.(*net.TCPConn)}
		if !secure {
			accepted <- result{peer: peer{below, below}}
			return
		}
		encrypted := tls.Server(below, &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS13})
		accepted <- result{peer{encrypted, below}, encrypted.HandshakeContext(t.Context())}
	}()
	var stream *Stream
	if secure {
		stream, err = DialTLS(t.Context(), "tcp", listener.Addr().String(), &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})
	} else {
		stream, err = Dial(t.Context(), "tcp", listener.Addr().String())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	other := <-accepted
	if other.err != nil {
		t.Fatal(other.err)
	}
	t.Cleanup(func() { _ = other.peer.below.Close() })
	return stream, other.peer
}

func (p peer) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, stream *Stream, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(stream, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// TestQuiet asks streams on which something has happened, and uses those that are quiet. The session tickets of TLS 1.3, which a server
// sends by itself after the handshake, are no reason to give up a connection.
func TestQuiet(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name := "TCP"
		if secure {
			name = "TLS"
		}
		t.Run(name, func(t *testing.T) {
			stream, other := connect(t, secure)
			for i, text := range []string{"", "one", "two"} {
				other.send(t, text)
				receive(t, stream, text)
				if err := stream.SetDeadline(time.Unix(1, 0)); err != nil { // as of the request before
					t.Fatal(err)
				}
				for range 2 {
					if !stream.Quiet() {
						t.Fatalf("not quiet after %d answers", i)
					}
				}
				if err := stream.SetDeadline(time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.WriteString(stream, "three"); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 5)
			if _, err := io.ReadFull(other, got); err != nil || string(got) != "three" {
				t.Fatalf("the other side got %q, %v", got, err)
			}

			for _, disturb := range map[string]func(peer) error{
				"a byte":               func(p peer) error { _, err := p.Write([]byte("x")); return err },
				"an end":               func(p peer) error { return p.Close() },
				"an end without TLS's": func(p peer) error { return p.below.Close() },
				"a reset": func(p peer) error {
					if err := p.below.SetLinger(0); err != nil {
						return err
					}
					return p.below.Close()
				},
			} {
				stream, other := connect(t, secure)
				other.send(t, "one")
				receive(t, stream, "one")
				if err := disturb(other); err != nil {
					t.Fatal(err)
				}
				for stream.Quiet() { // until it has arrived
					runtime.Gosched()
				}
			}
		})
	}
}

// TestQuietLooksIntoTLS sends an answer and more in one packet: the rest has left the socket with the answer.
func TestQuietLooksIntoTLS(t *testing.T) {
	stream, other := connect(t, true)
	other.below.gather = true
	other.send(t, "one")
	other.send(t, "two")
	other.below.gather = false
	other.send(t, "three")
	receive(t, stream, "one")
	if stream.Quiet() {
		t.Error("quiet, with an answer in the buffer")
	}
}

func TestDialTLSVerifies(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	address := server.Listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		address string
		roots   *x509.CertPool
		fits    bool
	}{
		"good":         {address, roots, true},
		"untrusted":    {address, x509.NewCertPool(), false},
		"another name": {"localhost:" + port, roots, false},
		"not a port":   {"127.0.0.1", roots, false},
	} {
		stream, err := DialTLS(t.Context(), "tcp", test.address, &tls.Config{RootCAs: test.roots, MinVersion: tls.VersionTLS12})
		if (err == nil) != test.fits {
			t.Errorf("%s: error %v", name, err)
		}
		if err == nil {
			_ = stream.Close()
		}
	}
}
