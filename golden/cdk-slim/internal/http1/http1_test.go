package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const maxBody = 1 << 20

func TestReadResponse(t *testing.T) {
	const lambda = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\n"
	many, large := strings.Repeat("X-Other: x\r\n", 100), strings.Repeat("x", maxBody-len("kept"))
	for name, test := range map[string]struct {
		text, body string
		status     int
		close      bool
	}{
		"length":              {lambda + "Content-Length: 2\r\n\r\n{}", "{}", 200, false},
		"no body":             {lambda + "content-length:0\r\n\r\n", "", 200, false},
		"no reason":           {"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", "", 202, false},
		"no content":          {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, false},
		"chunks":              {lambda + "Transfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n01;x=\"y\"\r\n}\r\n0\r\n\r\n", "{}", 200, false},
		"chunks and trailers": {lambda + "Transfer-Encoding: chunked\r\n\r\na \r\n0123456789\r\n0\r\nX: y\r\n\r\n", "0123456789", 200, false},
		"continue":            {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + lambda + "Content-Length: 1\r\n\r\n1", "1", 200, false},
		"connection close":    {lambda + "Connection: close\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"HTTP/1.0":            {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"a list with close":   {lambda + "Connection: keep-alive , Close\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"two lists":           {lambda + "Connection: close\r\nConnection: x\r\nContent-Length: 1\r\n\r\n1", "1", 200, true},
		"a list without":      {lambda + "Connection: keep-alive, closed\r\nContent-Length: 1\r\n\r\n1", "1", 200, false},
		"until the end":       {lambda + "Connection: close\r\n\r\n{}", "{}", 200, true},
		"HTTP/1.0 to the end": {"HTTP/1.0 200 OK\r\n\r\n{}", "{}", 200, true},
		"nothing to the end":  {"HTTP/1.0 200 OK\r\n\r\n", "", 200, true},
		"as large as it gets": {lambda + "Content-Length: 1048572\r\n\r\n" + large, large, 200, false},
		"large, to the end":   {lambda + "Connection: close\r\n\r\n" + large, large, 200, true},
		"many fields":         {lambda + many + "Content-Length: 1\r\n\r\n1", "1", 200, false},
		"long field":          {lambda + "X: " + strings.Repeat("x", 50_000) + "\r\nContent-Length: 1\r\n\r\n1", "1", 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := readResponse(bufio.NewReader(strings.NewReader(test.text)), []byte("kept"), maxBody)
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
			if answer, err := readResponse(bufio.NewReader(strings.NewReader(text)), nil, maxBody); err == nil {
				t.Errorf("got %+v", answer)
			}
		})
	}
}

// TestBodyTakesMemoryAsItComes counts what is allocated for a body, whatever its length is said to be.
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
			_, _ = readResponse(bufio.NewReader(strings.NewReader(test.text)), nil, test.maxBody)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > test.most {
				t.Errorf("took %d bytes of memory", took)
			}
		})
	}
}

// end at the end of an answer makes a server close the connection behind it.
const end = "\x00"

// TestDo counts what is sent to a server that gives its answers in turn, over as many connections as it is asked for.
func TestDo(t *testing.T) {
	const one, two, late = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2", "HTTP/1.1 408 Request Timeout\r\n\r\n"
	for name, test := range map[string]struct {
		answers               []string
		again                 bool
		second                string // the body that the second request is answered with, empty for an error
		requests, connections int
	}{
		"kept":                        {[]string{one, two}, true, "2", 2, 1},
		"closed while idle":           {[]string{one + end, two}, true, "2", 3, 2},
		"dead":                        {[]string{one, end, two}, true, "2", 3, 2},
		"dead, and not to be sent":    {[]string{one, end, two}, false, "", 2, 1},
		"answered in part":            {[]string{one, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n2" + end, two}, true, "", 2, 1},
		"malformed":                   {[]string{one, "malformed\r\n", two}, true, "", 2, 1},
		"more behind the answer":      {[]string{one + late, two}, false, "2", 2, 2},
		"an answer behind the answer": {[]string{one + one, two}, true, "2", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			requests, connections := 0, 0
			client := Connection{Host: "host", MaxBody: 10, Dial: func() (io.ReadWriteCloser, error) {
				connections++
				return &server{answers: &test.answers, requests: &requests}, nil
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
		})
	}
}

// server is the other end of a connection.
type server struct {
	answers  *[]string
	requests *int
	pending  []byte
	closing  bool
}

func (s *server) Write(request []byte) (int, error) {
	*s.requests++
	if !s.closing && len(*s.answers) > 0 {
		text, last := strings.CutSuffix((*s.answers)[0], end)
		s.pending, s.closing = append(s.pending, text...), last
		*s.answers = (*s.answers)[1:]
	}
	return len(request), nil
}

func (s *server) Read(to []byte) (int, error) {
	n := copy(to, s.pending)
	if s.pending = s.pending[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *server) Close() error { return nil }

// FuzzReadResponse holds what is accepted to what net/http makes of it.
func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX: y\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nConnection: x, close\r\nConnection: y\r\n\r\nrest"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readResponse(bufio.NewReader(bytes.NewReader(text)), nil, maxBody)
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
