package localhttp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// patience is how long a test waits for what is bound to happen.
const patience = time.Minute

// soon is a limit that the tests exceed.
const soon = 20 * time.Millisecond

func serve(t *testing.T, options Options) *Server {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveAt(t, listener, options)
}

func serveAt(t *testing.T, listener net.Listener, options Options) *Server {
	t.Helper()
	s := Serve(t.Context(), listener, options)
	t.Cleanup(s.Close)
	return s
}

// dial opens a connection and sends what there is to send.
func dial(t *testing.T, s *Server, text string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

func post(length int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", length)
}

func status(t *testing.T, conn net.Conn) int {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

func ends(t *testing.T, what string, conn net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Errorf("%s: the connection stays", what)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func ok(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	fmt.Fprint(w, len(content), err)
}

// However many bodies stay half sent, only the budget is held, small requests pass at once, and large ones in their turn.
func TestHalfSentBodies(t *testing.T) {
	const size, most, clients = 1 << 20, 4 << 20, 100
	budget := NewBudget(most)
	s := serve(t, Options{Handler: http.HandlerFunc(ok), Whole: size, Budget: budget, Stall: patience, BodyTime: patience})
	var sending sync.WaitGroup
	var open []net.Conn
	for range clients {
		conn := dial(t, s, post(size))
		open = append(open, conn)
		sending.Go(func() { _, _ = conn.Write(make([]byte, size-1)) }) // no more than the system buffers when nobody reads
	}
	held := func() int64 {
		budget.mu.Lock()
		defer budget.mu.Unlock()
		return most - budget.free
	}
	testkit.Eventually(t, "the budget is used up", func() bool {
		if held() > most+size {
			t.Fatalf("%d bytes are held", held())
		}
		budget.mu.Lock()
		defer budget.mu.Unlock()
		return budget.overdrawn != nil && len(budget.waiting) > 0
	})
	if got := status(t, dial(t, s, post(10)+"0123456789")); got != http.StatusOK {
		t.Errorf("a small request: status %d", got)
	}
	if held() > most+size {
		t.Errorf("%d bytes are held", held())
	}
	for _, conn := range open {
		_ = conn.Close()
	}
	sending.Wait()
	if got := status(t, dial(t, s, post(size)+strings.Repeat("x", size))); got != http.StatusOK {
		t.Errorf("a large request after them: status %d", got)
	}
	testkit.Eventually(t, "nothing is held", func() bool { return held() == 0 })
}

// What a request says of its length costs nothing.
func TestAnnouncedBodies(t *testing.T) {
	budget := NewBudget(1)
	s := serve(t, Options{Handler: http.HandlerFunc(ok), Whole: 6 << 20, Budget: budget, Stall: patience, BodyTime: patience})
	for range 50 {
		dial(t, s, post(6<<20))
	}
	if got := status(t, dial(t, s, post(1)+"x")); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	budget.mu.Lock()
	defer budget.mu.Unlock()
	if budget.free != 1 || len(budget.waiting) != 0 {
		t.Errorf("%d bytes are free, %d wait", budget.free, len(budget.waiting))
	}
}

// Readers that exceed the budget together still all come to an end.
func TestBudgetIsNoDeadlock(t *testing.T) {
	const size, clients = 300 << 10, 20
	s := serve(t, Options{Handler: http.HandlerFunc(ok), Whole: size, Budget: NewBudget(size)})
	results := make(chan int, clients)
	var conns []net.Conn
	for range clients {
		conns = append(conns, dial(t, s, post(size)))
	}
	for _, conn := range conns {
		go func() {
			_, _ = io.WriteString(conn, strings.Repeat("x", size))
			results <- status(t, conn)
		}()
	}
	for range clients {
		if got := <-results; got != http.StatusOK {
			t.Errorf("status %d", got)
		}
	}
}

func TestTimeLimits(t *testing.T) {
	handled := make(chan error, 1)
	ignoring := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	writing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 256<<20)) // more than any socket buffers
		handled <- err
	})
	t.Run("body that stops", func(t *testing.T) {
		s := serve(t, Options{Handler: http.HandlerFunc(ok), Whole: 100, Stall: soon})
		conn := dial(t, s, post(10)+"01234")
		if got := status(t, conn); got != http.StatusRequestTimeout {
			t.Errorf("status %d", got)
		}
		ends(t, "after the response", conn)
	})
	t.Run("body that trickles", func(t *testing.T) {
		s := serve(t, Options{Handler: http.HandlerFunc(ok), Whole: 1 << 30, Stall: patience, BodyTime: soon})
		conn := dial(t, s, post(1<<30))
		stop := make(chan struct{})
		var sending sync.WaitGroup
		sending.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := conn.Write([]byte("x")); err != nil {
						return
					}
				}
			}
		})
		ends(t, "a body that never ends", conn)
		close(stop)
		sending.Wait()
	})
	t.Run("body that the handler does not read", func(t *testing.T) {
		s := serve(t, Options{Handler: ignoring, Stall: soon})
		ends(t, "a body that does not come", dial(t, s, post(10)))
	})
	t.Run("body that the handler reads", func(t *testing.T) {
		s := serve(t, Options{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := ReadBody(r, 100)
			handled <- err
		}), Stall: soon})
		dial(t, s, post(10)+"01234")
		if err := <-handled; !isTimeout(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("idle connection", func(t *testing.T) {
		s := serve(t, Options{Handler: ignoring, Idle: soon})
		conn := dial(t, s, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		ends(t, "an idle connection", conn)
	})
	t.Run("response that nobody reads", func(t *testing.T) {
		s := serve(t, Options{Handler: writing, Stall: soon})
		dial(t, s, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if err := <-handled; !isTimeout(err) {
			t.Errorf("got %v", err)
		}
	})
}

// A handler may take longer than a body: the limits of a body end with it, and those of a request with its response.
func TestLimitsEnd(t *testing.T) {
	conns := make(chan *recordingConn, 1)
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn := (*recordingConn)(nil)
	s := serveAt(t, &recordingListener{listener, conns}, Options{Whole: 100, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn == nil {
			conn = <-conns
		}
		if read, write := conn.deadlines(); !read.IsZero() || !write.IsZero() {
			t.Errorf("while the handler runs, reading ends at %v, writing at %v", read, write)
		}
		ok(w, r)
	})})
	client := dial(t, s, "")
	for range 2 {
		if _, err := io.WriteString(client, post(3)+"abc"); err != nil {
			t.Fatal(err)
		}
		if got := status(t, client); got != http.StatusOK {
			t.Errorf("status %d", got)
		}
	}
}

type recordingListener struct {
	net.Listener
	conns chan *recordingConn
}

func (l *recordingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	recording := &recordingConn{Conn: conn}
	l.conns <- recording
	return recording, nil
}

type recordingConn struct {
	net.Conn

	mu          sync.Mutex
	read, write time.Time
}

func (c *recordingConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = at
	return c.Conn.SetReadDeadline(at)
}

func (c *recordingConn) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write = at
	return c.Conn.SetWriteDeadline(at)
}

func (c *recordingConn) deadlines() (read, write time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read, c.write
}

// Beyond the bound the connection that has been idle the longest goes, and never one with a request.
func TestConnections(t *testing.T) {
	c := newConnections(3)
	conns := make([]*closing, 7)
	for i := range conns {
		conns[i] = &closing{}
	}
	closed := func(want ...int) {
		t.Helper()
		for i, conn := range conns {
			if conn.closed != slices.Contains(want, i) {
				t.Errorf("connection %d closed: %t", i, conn.closed)
			}
		}
	}
	c.changed(conns[0], http.StateNew)
	c.changed(conns[0], http.StateActive)
	c.changed(conns[1], http.StateNew)
	c.changed(conns[2], http.StateNew)
	c.changed(conns[1], http.StateActive)
	c.changed(conns[1], http.StateIdle)
	closed()
	c.changed(conns[3], http.StateNew)
	closed(2)
	c.changed(conns[2], http.StateClosed)
	c.changed(conns[3], http.StateActive)
	c.changed(conns[4], http.StateNew)
	closed(2, 1)
	c.changed(conns[1], http.StateClosed)
	c.changed(conns[4], http.StateActive)
	c.changed(conns[5], http.StateNew) // all others have requests
	closed(2, 1, 5)
	c.changed(conns[5], http.StateClosed)
	c.changed(conns[0], http.StateIdle)
	c.changed(conns[0], http.StateClosed)
	c.changed(conns[6], http.StateNew)
	closed(2, 1, 5)
	for _, i := range []int{3, 4, 6} {
		c.changed(conns[i], http.StateClosed)
	}
	if len(c.open) != 0 || c.idle.Len() != 0 {
		t.Errorf("%d connections are left, %d idle", len(c.open), c.idle.Len())
	}
}

type closing struct {
	net.Conn
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestReadBody(t *testing.T) {
	const most = 200 << 10
	results := make(chan error, 1)
	var read []byte
	s := serve(t, Options{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var err error
		read, err = ReadBody(r, most)
		results <- err
	})})
	for _, tt := range []struct {
		name    string
		size    int
		chunked bool
		err     error
	}{
		{"empty", 0, false, nil},
		{"small", 10, false, nil},
		{"large", most, false, nil},
		{"large, length unknown", most, true, nil},
		{"too large", most + 1, false, ErrTooLarge},
		{"too large, length unknown", most + 1, true, ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			content := strings.Repeat("ab", tt.size)[:tt.size]
			var reader io.Reader = strings.NewReader(content)
			if tt.chunked {
				reader = io.MultiReader(reader)
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, reader)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if err := <-results; !errors.Is(err, tt.err) || err == nil && string(read) != content {
				t.Errorf("got %d bytes, %v", len(read), err)
			}
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestBaseURL(t *testing.T) {
	for listens, want := range map[string]string{
		"127.0.0.1:1": "http://127.0.0.1:1", "[::1]:2": "http://[::1]:2", "0.0.0.0:3": "http://127.0.0.1:3", "[::]:4": "http://127.0.0.1:4",
		"192.0.2.7:5": "http://192.0.2.7:5",
	} {
		address, err := net.ResolveTCPAddr("tcp", listens)
		if err != nil {
			t.Fatal(err)
		}
		if got := baseURL(address); got != want {
			t.Errorf("%s: %s, want %s", listens, got, want)
		}
	}
}
