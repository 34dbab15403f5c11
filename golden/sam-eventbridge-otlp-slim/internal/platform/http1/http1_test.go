package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const maxBody = 1 << 20

// readResponse reads the first response in a stream of bytes.
func readResponse(in io.Reader, body []byte, maxBody int) (*Response, error) {
	answer := &Response{}
	err := answer.read(bufio.NewReader(in), body, maxBody)
	return answer, err
}

func TestReadResponse(t *testing.T) {
	const lambda = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\n"
	many, large := strings.Repeat("X-Other: x\r\n", 100), strings.Repeat("x", maxBody-len("kept"))
	for name, test := range map[string]struct {
		text, body string
		status     int
		close      bool
	}{
		"length":               {lambda + "Content-Length: 2\r\n\r\n{}", "{}", 200, false},
		"no body":              {lambda + "content-length:0\r\n\r\n", "", 200, false},
		"no reason":            {"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", "", 202, false},
		"no content":           {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, false},
		"no content, length":   {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "", 204, false},
		"content all the same": {"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}", "", 204, true},
		"chunks all the same":  {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", 204, true},
		"not modified":         {"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "", 304, true},
		"chunks":               {lambda + "Transfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n01;x=\"y\"\r\n}\r\n0\r\n\r\n", "{}", 200, false},
		"chunks and trailers":  {lambda + "Transfer-Encoding: chunked\r\n\r\na \r\n0123456789\r\n0\r\nX: y\r\n\r\n", "0123456789", 200, false},
		"continue":             {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + lambda + "Content-Length: 1\r\n\r\n1", "1", 200, false},
		"connection close":     {lambda + "Connection: close\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"HTTP/1.0":             {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"a list with close":    {lambda + "Connection: keep-alive , Close\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"two lists":            {lambda + "Connection: close\r\nConnection: x\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"a list without":       {lambda + "Connection: keep-alive, closed\r\nContent-Length: 1\r\n\r\n1", "1", 200, false},
		"until the end":        {lambda + "Connection: close\r\n\r\n{}", "{}", 200, true},
		"HTTP/1.0 to the end":  {"HTTP/1.0 200 OK\r\n\r\n{}", "{}", 200, true},
		"nothing to the end":   {"HTTP/1.0 200 OK\r\n\r\n", "", 200, true},
		"as large as it gets":  {lambda + "Content-Length: 1048572\r\n\r\n" + large, large, 200, false},
		"large, to the end":    {lambda + "Connection: close\r\n\r\n" + large, large, 200, true},
		"many fields":          {lambda + many + "Content-Length: 1\r\n\r\n1", "1", 200, false},
		"long field":           {lambda + "X: " + strings.Repeat("x", 50_000) + "\r\nContent-Length: 1\r\n\r\n1", "1", 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := readResponse(strings.NewReader(test.text), []byte("kept"), maxBody)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(string(answer.Body), "kept"); got != test.body || answer.Status != test.status || answer.close != test.close {
				t.Errorf("got %d, close %v: %s", answer.Status, answer.close, got)
			}
		})
	}
}

func TestReadResponseRefuses(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, text := range map[string]string{
		"nothing":                    "",
		"garbage":                    "\x00\x01\x02 garbage\r\n\r\n",
		"another protocol":           "SSH-2.0-OpenSSH_9.9\r\n\r\n",
		"HTTP/2":                     "HTTP/2.0 200 OK\r\n\r\n",
		"no status":                  "HTTP/1.1 OK\r\n\r\n",
		"status of four digits":      "HTTP/1.1 2000 OK\r\n\r\n",
		"status in hexadecimal":      "HTTP/1.1 2a0 OK\r\n\r\n",
		"switching protocols":        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"continue for ever":          strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 5000) + ok + "Content-Length: 0\r\n\r\n",
		"cut in the status":          "HTTP/1.1 20",
		"cut in the header":          ok + "Content-Le",
		"cut before the body":        ok + "Content-Length: 2\r\n\r\n",
		"cut in the body":            ok + "Content-Length: 2\r\n\r\n{",
		"bare line feeds":            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"a carriage return":          ok + "X: a\rb\r\nContent-Length: 0\r\n\r\n",
		"folded field":               ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"field without a colon":      ok + "Content-Length 0\r\n\r\n",
		"field without a name":       ok + ": 0\r\nContent-Length: 0\r\n\r\n",
		"space before the colon":     ok + "Content-Length : 0\r\n\r\n",
		"two lengths":                ok + "Content-Length: 0\r\nContent-Length: 1\r\n\r\n1",
		"two request ids":            ok + "Lambda-Runtime-Aws-Request-Id: a\r\nlambda-runtime-aws-request-id: b\r\nContent-Length: 0\r\n\r\n",
		"length and chunks":          ok + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks in HTTP/1.0":         "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"no length":                  ok + "\r\n{}",
		"negative length":            ok + "Content-Length: -1\r\n\r\n",
		"length with a sign":         ok + "Content-Length: +1\r\n\r\n1",
		"length in hexadecimal":      ok + "Content-Length: 0x1\r\n\r\n1",
		"two numbers":                ok + "Content-Length: 1, 1\r\n\r\n1",
		"length beyond all numbers":  ok + "Content-Length: 99999999999999999999\r\n\r\n",
		"length beyond the limit":    ok + "Content-Length: 1048577\r\n\r\n" + strings.Repeat("x", maxBody+1),
		"rest beyond the limit":      ok + "Connection: close\r\n\r\n" + strings.Repeat("x", maxBody+1),
		"unknown coding":             ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunk without a size":       ok + "Transfer-Encoding: chunked\r\n\r\n\r\n",
		"chunk with a sign":          ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
		"chunk of another size":      ok + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
		"chunk that is cut":          ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
		"last chunk that is cut":     ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n",
		"chunks beyond the limit":    ok + "Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n100000\r\n" + strings.Repeat("x", maxBody) + "\r\n0\r\n\r\n",
		"header beyond all headers":  ok + strings.Repeat("X: x\r\n", 20_000) + "\r\n",
		"line beyond all lines":      ok + "X: " + strings.Repeat("x", 70_000) + "\r\n\r\n",
		"trailers beyond all":        ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: x\r\n", 20_000) + "\r\n",
		"chunk extension beyond all": ok + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 70_000) + "\r\n1\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if answer, err := readResponse(strings.NewReader(text), nil, maxBody); err == nil {
				t.Errorf("got %+v", answer)
			}
		})
	}
}

// TestBodyTakesMemoryAsItComes measures the memory for a body that is shorter than its length says.
func TestBodyTakesMemoryAsItComes(t *testing.T) {
	chunks := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 100_000) + "0\r\n\r\n"
	for name, test := range map[string]struct {
		text    string
		maxBody int
		most    uint64
	}{
		"a length that is not kept": {"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx", 1 << 30, 1 << 20},
		"chunks of one byte":        {chunks, 1 << 20, 16 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = readResponse(strings.NewReader(test.text), nil, test.maxBody)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > test.most {
				t.Errorf("took %d bytes of memory", took)
			}
		})
	}
}

// end makes a server close the connection, even if the answer continues.
const end = "\x00"

// TestDo counts requests and connections to a server that gives its answers in turn.
func TestDo(t *testing.T) {
	const (
		one     = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
		two     = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
		late    = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 1\r\n\r\nL"
		endless = "HTTP/1.1 408 Request Timeout\r\n\r\n"
	)
	for name, test := range map[string]struct {
		answers               []string
		again                 bool
		second                string // the body that the second request is answered with, empty for an error
		requests, connections int
	}{
		"kept":                            {[]string{one, two}, true, "2", 2, 1},
		"closed while idle":               {[]string{one + end, two}, false, "2", 2, 2},
		"dead":                            {[]string{one, end, two}, true, "2", 3, 2},
		"dead, and not to be sent again":  {[]string{one, end, two}, false, "", 2, 1},
		"answered in part":                {[]string{one, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n2" + end, two}, true, "", 2, 1},
		"malformed":                       {[]string{one, "malformed\r\n", two}, true, "", 2, 1},
		"408 while idle":                  {[]string{one + late, two}, false, "2", 2, 2},
		"408 without a length while idle": {[]string{one + endless, two}, false, "2", 2, 2},
		"an answer while idle":            {[]string{one + one, two}, true, "2", 2, 2},
		"one byte while idle":             {[]string{one + "H", two}, true, "2", 2, 2},
		"an empty line while idle":        {[]string{one + "\r\n", two}, true, "2", 2, 2},
		"a body that is too long":         {[]string{one + "23", two}, true, "2", 2, 2},
		"408 instead of an answer":        {[]string{one, late, two}, true, "2", 3, 2},
		"408 without a length":            {[]string{one, endless + end, two}, true, "2", 3, 2},
		"408, and not to be sent again":   {[]string{one, late, two}, false, "L", 2, 1},
		"408 again":                       {[]string{one, late, late, two}, true, "L", 3, 2},
		"closed behind the answer":        {[]string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1" + one, two}, true, "2", 2, 2},
		"until the end":                   {[]string{"HTTP/1.0 200 OK\r\n\r\n1" + end, two}, true, "2", 2, 2},
		"early hints while idle":          {[]string{one + "HTTP/1.1 103 Early Hints\r\n\r\n", two}, true, "2", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			requests, connections := 0, 0
			for _, whole := range []bool{true, false} {
				answers := slices.Clone(test.answers)
				requests, connections = 0, 0
				client := Connection{Host: "host", MaxBody: 10, Dial: func() (Stream, error) {
					connections++
					return &server{whole: whole, answer: func(*http.Request) string {
						requests++
						if len(answers) == 0 {
							return ""
						}
						next := answers[0]
						answers = answers[1:]
						return next
					}}, nil
				}}
				request := Request{Method: "POST", Path: "/", Body: []byte("body"), Again: test.again}
				if answer, err := client.Do(request, nil); err != nil || string(answer.Body) != "1" {
					t.Fatalf("got %+v, %v", answer, err)
				}
				got := ""
				if answer, err := client.Do(request, nil); err == nil {
					got = string(answer.Body)
				}
				if got != test.second || requests != test.requests || connections != test.connections {
					t.Errorf("got %q with %d requests over %d connections, want %+v", got, requests, connections, test)
				}
			}
		})
	}
}

// TestDoOnFreshConnection takes 408 for an answer if the connection is new, so that a server which always says so is asked once.
func TestDoOnFreshConnection(t *testing.T) {
	requests := 0
	client := Connection{Host: "host", Dial: func() (Stream, error) {
		return &server{answer: func(*http.Request) string {
			requests++
			return "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
		}}, nil
	}}
	for want := 1; want <= 2; want++ {
		if answer, err := client.Do(Request{Method: "GET", Path: "/", Again: true}, nil); err != nil || answer.Status != 408 || requests != want {
			t.Fatalf("got %+v, %v with %d requests", answer, err, requests)
		}
	}
}

// server is the other end of a connection. It reads requests and answers each, and closes the connection at end.
type server struct {
	answer func(*http.Request) string
	whole  bool // whether a read returns all that there is, or one byte
	in     []byte
	out    []byte
	closed bool
}

func (s *server) Write(text []byte) (int, error) {
	s.in = append(s.in, text...)
	for {
		in := bufio.NewReader(bytes.NewReader(s.in))
		request, err := http.ReadRequest(in)
		if err != nil {
			return len(text), nil // the rest is to come
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return len(text), nil
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		rest, err := io.ReadAll(in)
		if err != nil {
			return 0, err
		}
		s.in = rest
		if !s.closed {
			text, _, last := strings.Cut(s.answer(request), end)
			s.out, s.closed = append(s.out, text...), last
		}
	}
}

func (s *server) Read(to []byte) (int, error) {
	if !s.whole {
		to = to[:min(len(to), 1)]
	}
	n := copy(to, s.out)
	s.out = s.out[n:]
	switch {
	case n > 0:
		return n, nil
	case s.closed:
		return 0, io.EOF
	}
	return 0, errors.New("no answer in time")
}

func (s *server) Quiet() bool { return len(s.out) == 0 && !s.closed }

func (s *server) Close() error { return nil }

// TestHostileServers sends requests to servers that break the protocol in every way that fits into their answers, at random. Whatever they do,
// an answer that is taken is the one to its request, and a request that must not be sent again reaches a server at most once.
func TestHostileServers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	unasked := func() string {
		return []string{
			"", "", "", "H", "\r\n", "0\r\n\r\n", end,
			"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother", "HTTP/1.1 408 Request Timeout\r\n\r\n" + end, "HTTP/1.1 100 Continue\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nother\r\n", "HTTP/1.0 200 OK\r\n\r\nother",
		}[random.IntN(12)]
	}
	answerTo := func(id string) string {
		length, longer, shorter := len(id), len(id)+1+random.IntN(60), random.IntN(len(id))
		early := []string{"", "", "", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n"}[random.IntN(5)]
		ok := early + "HTTP/1.1 200 OK\r\n"
		sized := func(status string, length int) string {
			return fmt.Sprintf("%s\r\nContent-Length: %d\r\n", status, length)
		}
		switch random.IntN(20) {
		case 0:
			return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", ok, length, id)
		case 1:
			return ok + "Connection: close\r\n\r\n" + id + end
		case 2:
			return sized(early+"HTTP/1.1 200 OK\r\nConnection: close", length) + "\r\n" + id
		case 3:
			return sized("HTTP/1.1 204 No Content", length) + "\r\n" + id
		case 4:
			return sized("HTTP/1.1 304 Not Modified", length) + "\r\n"
		case 5:
			return sized(early+"HTTP/1.1 200 OK", longer) + "\r\n" + id + end
		case 6:
			return sized("HTTP/1.1 500 Internal Server Error", shorter) + "\r\n" + id
		case 7:
			return sized("HTTP/1.1 408 Request Timeout", length) + "\r\n" + id
		case 8:
			return "HTTP/1.1 408 Request Timeout\r\n\r\n" + end
		case 9:
			return sized(sized(early+"HTTP/1.1 200 OK", length)+"X: x", longer) + "\r\n" + id
		case 10:
			return sized(early+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", length) + "\r\n0\r\n\r\n" + id
		case 11:
			return end
		case 12:
			return ""
		case 13:
			return ok[:random.IntN(len(ok))] + end
		default:
			return sized(early+"HTTP/1.1 200 OK", length) + "\r\n" + id
		}
	}
	taken, connections := 0, 0
	received := map[string]int{}
	client := Connection{Host: "host", MaxBody: 1000, Dial: func() (Stream, error) {
		connections++
		return &server{whole: random.IntN(2) == 0, answer: func(request *http.Request) string {
			id := strings.TrimPrefix(request.URL.Path, "/")
			received[id]++
			if answer := answerTo(id); answer != "" {
				return answer + unasked()
			}
			return "" // no answer in time
		}}, nil
	}}
	const rounds = 5_000
	for i := range rounds {
		request := Request{Method: "GET", Path: fmt.Sprintf("/%dth", i), Again: i%2 == 0}
		if i%3 == 0 {
			request.Method, request.Body = "POST", bytes.Repeat([]byte("x"), random.IntN(3*smallBody))
		}
		answer, err := client.Do(request, nil)
		if id := request.Path[1:]; received[id] > 2 || received[id] > 1 && !request.Again {
			t.Fatalf("%s reached a server %d times", id, received[id])
		} else if err == nil && answer.Status == 200 {
			if taken++; string(answer.Body) != id {
				t.Fatalf("%s is answered with %q", id, answer.Body)
			}
		}
	}
	if taken < rounds/3 || connections > rounds {
		t.Errorf("%d of %d requests are answered, over %d connections", taken, rounds, connections)
	}
}

// TestDoRefuses finds requests that a server could take for several, or that have an answer without a body though it has a length.
func TestDoRefuses(t *testing.T) {
	client := Connection{Host: "host", Dial: func() (Stream, error) { return nil, errors.New("it connects") }}
	for name, request := range map[string]Request{
		"HEAD":                    {Method: "HEAD", Path: "/"},
		"CONNECT":                 {Method: "CONNECT", Path: "host:1"},
		"two lines as the method": {Method: "GET / HTTP/1.1\r\n\r\nGET", Path: "/"},
		"two lines as the path":   {Method: "GET", Path: "/ HTTP/1.1\r\n\r\nGET /"},
		"a space in the path":     {Method: "GET", Path: "/ HTTP/1.1"},
		"two lines in a name":     {Method: "GET", Path: "/", Fields: []string{"X: x\r\n\r\nGET", "x"}},
		"two lines in a value":    {Method: "GET", Path: "/", Fields: []string{"X", "x\n\nGET / HTTP/1.1"}},
		"a length":                {Method: "POST", Path: "/", Fields: []string{"content-length", "0"}},
		"a transfer encoding":     {Method: "POST", Path: "/", Fields: []string{"Transfer-encoding", "chunked"}},
	} {
		if _, err := client.Do(request, nil); err == nil || err.Error() == "it connects" {
			t.Errorf("%s: error %v", name, err)
		}
	}
	client.Host = "host\r\nX: x"
	if _, err := client.Do(Request{Method: "GET", Path: "/"}, nil); err == nil || err.Error() == "it connects" {
		t.Errorf("two lines as the host: error %v", err)
	}
}

// TestBodyOfGet sends the length of a body with GET too. Without it, a server would read the body as the next request.
func TestBodyOfGet(t *testing.T) {
	got := ""
	client := Connection{Host: "host", Dial: func() (Stream, error) {
		return &server{answer: func(request *http.Request) string {
			body, _ := io.ReadAll(request.Body)
			got = string(body)
			return "HTTP/1.1 204 No Content\r\n\r\n"
		}}, nil
	}}
	if _, err := client.Do(Request{Method: "GET", Path: "/", Body: []byte("body")}, nil); err != nil || got != "body" {
		t.Errorf("got %q, %v", got, err)
	}
}

// FuzzReadResponse compares accepted responses with those that net/http reads.
func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nConnection: x, close\r\nConnection: y\r\n\r\nrest"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readResponse(bytes.NewReader(text), nil, maxBody)
		if err != nil {
			return
		}
		in := bufio.NewReader(bytes.NewReader(text))
		for {
			want, err := http.ReadResponse(in, nil)
			if err != nil {
				return // it is stricter about some fields that nothing here reads
			}
			body, err := io.ReadAll(want.Body)
			_ = want.Body.Close()
			if err != nil {
				return
			}
			if want.StatusCode < 200 {
				continue
			}
			if got.Status != want.StatusCode || !slices.Equal(got.Body, body) {
				t.Errorf("got %d %q, net/http reads %d %q", got.Status, got.Body, want.StatusCode, body)
			}
			if id := want.Header.Get("Lambda-Runtime-Aws-Request-Id"); got.Header["lambda-runtime-aws-request-id"] != id {
				t.Errorf("got the request id %q, net/http reads %q", got.Header["lambda-runtime-aws-request-id"], id)
			}
			return
		}
	})
}
