// Package http1 is a client of HTTP/1.1 for one server over one connection, a fraction of the size of net/http. It takes nothing that the
// server says on trust. What is said belongs to who uses it; there are no redirects, proxies, cookies or compression here.
//
// Source: RFC 9110, "HTTP Semantics", and RFC 9112, "HTTP/1.1".
package http1

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Connection is made with the first request, and again after the other side has closed it. It serves one request at a time.
type Connection struct {
	// Host is host:port, or the host alone, as the server is to see it.
	Host string
	// Dial connects.
	Dial func() (io.ReadWriteCloser, error)
	// MaxBody bounds the body of a response, in bytes.
	MaxBody int

	stream io.ReadWriteCloser
	in     *bufio.Reader
	out    []byte
}

// Request is what goes out. Fields has names and values in turn, and no line feeds in them.
type Request struct {
	Method, Path string
	Fields       []string
	Body         []byte
	// Again tells that it does no harm to send it again, over a new connection, where the old one turns out to be dead: where not one byte of
	// an answer comes.
	Again bool
}

// Response is what comes back.
type Response struct {
	Status int
	Header Header
	Body   []byte
	// old tells that it is in HTTP/1.0.
	old bool
	// close tells that there will be no other response on this connection.
	close bool
}

// Header has the fields of a response by name, in lower case.
type Header map[string]string

const (
	// maxHead bounds the lines before a body. The longest that Lambda sends is a client context of 3,583 bytes in base64.
	maxHead = 64 << 10
	// firstStep is how much memory a body gets at first, whatever the server says that will come.
	firstStep = 64 << 10
	// smallBody is what goes out in one piece with the head.
	smallBody = 32 << 10
)

// Do sends a request and returns its response, whose body is appended to the memory given.
func (c *Connection) Do(request Request, body []byte) (*Response, error) {
	if c.stream != nil && c.in.Buffered() > 0 {
		c.Close() // what came behind the last answer is not the answer to this request
	}
	reused := c.stream != nil
	answer, begun, err := c.try(request, body)
	if err != nil && reused && !begun && request.Again {
		// The other side may have closed the connection while it was idle.
		answer, _, err = c.try(request, body)
	}
	return answer, err
}

// try also reports whether an answer has begun.
func (c *Connection) try(request Request, body []byte) (answer *Response, begun bool, err error) {
	if c.stream == nil {
		stream, err := c.Dial()
		if err != nil {
			return nil, false, err
		}
		c.stream, c.in = stream, bufio.NewReader(stream)
	}
	if err = c.send(request); err == nil {
		_, none := c.in.Peek(1)
		begun = none == nil
		answer, err = readResponse(c.in, body, c.MaxBody)
	}
	if err != nil || answer.close {
		c.Close()
	}
	return answer, begun, err
}

// Close closes what is open. The next request connects again.
func (c *Connection) Close() {
	if c.stream != nil {
		_ = c.stream.Close() // nothing more is wanted of it
		c.stream = nil
	}
}

func (c *Connection) send(request Request) error {
	head := c.out[:0]
	head = append(head, request.Method...)
	head = append(head, ' ')
	head = append(head, request.Path...)
	head = append(head, " HTTP/1.1\r\nHost: "...)
	head = append(head, c.Host...)
	head = append(head, "\r\n"...)
	for i := 0; i+1 < len(request.Fields); i += 2 {
		head = append(head, request.Fields[i]...)
		head = append(head, ": "...)
		head = append(head, request.Fields[i+1]...)
		head = append(head, "\r\n"...)
	}
	if request.Method != "GET" {
		head = append(head, "Content-Length: "...)
		head = strconv.AppendInt(head, int64(len(request.Body)), 10)
		head = append(head, "\r\n"...)
	}
	head = append(head, "\r\n"...)
	rest := request.Body
	if len(rest) <= smallBody {
		head, rest = append(head, rest...), nil
	}
	c.out = head
	for _, part := range [][]byte{head, rest} {
		if len(part) == 0 {
			continue
		}
		if _, err := c.stream.Write(part); err != nil {
			return errors.New("send the request: " + err.Error())
		}
	}
	return nil
}

// readResponse reads one response. It takes nothing on trust: what is malformed, too long or cut off is an error.
func readResponse(in *bufio.Reader, body []byte, maxBody int) (*Response, error) {
	answer := &Response{}
	left := maxHead
	for answer.Status < 200 { // 100 Continue and the like come before
		var err error
		if err = answer.readStatus(in, &left); err != nil {
			return nil, err
		}
		if answer.Header, err = readHeader(in, &left); err != nil {
			return nil, err
		}
		answer.close = answer.old || closes(answer.Header["connection"])
	}
	if answer.Status == 204 || answer.Status == 304 {
		return answer, nil
	}
	length, hasLength := answer.Header["content-length"]
	coding, hasCoding := answer.Header["transfer-encoding"]
	var err error
	switch {
	case hasCoding && (hasLength || answer.old):
		return nil, errors.New("malformed response: a transfer encoding stands beside a length, or in HTTP/1.0")
	case hasCoding && !strings.EqualFold(coding, "chunked"):
		return nil, errors.New("malformed response: its transfer encoding is not chunked")
	case hasCoding:
		answer.Body, err = readChunks(in, body, maxBody)
	case hasLength:
		var n int
		if n, err = parseLength(length, 10); err == nil {
			answer.Body, err = readBody(in, body, n, maxBody)
		}
	case answer.close:
		answer.Body, err = readRest(in, body, maxBody)
	default:
		return nil, errors.New("malformed response: its body has no length")
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// readStatus reads the first line: HTTP/1.1 200 OK.
func (r *Response) readStatus(in *bufio.Reader, left *int) error {
	line, err := readLine(in, left)
	if err != nil {
		return err
	}
	rest, found := strings.CutPrefix(line, "HTTP/1.1 ")
	if !found {
		rest, r.old = strings.CutPrefix(line, "HTTP/1.0 ")
	}
	if !found && !r.old || len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return errors.New("malformed response: it does not begin with a status")
	}
	r.Status, err = parseLength(rest[:3], 10)
	if err != nil || r.Status < 100 || r.Status == 101 {
		return errors.New("malformed response: its status is no number, or one that nobody asked for")
	}
	return nil
}

// closes reads the field Connection, which is a list.
func closes(connection string) bool {
	for option := range strings.SplitSeq(connection, ",") {
		if strings.EqualFold(strings.Trim(option, " \t"), "close") {
			return true
		}
	}
	return false
}

// readHeader reads the fields up to and with the empty line after them. A field that matters is refused when it comes twice, but for
// Connection, a folded line always.
func readHeader(in *bufio.Reader, left *int) (Header, error) {
	fields := Header{}
	for {
		line, err := readLine(in, left)
		if err != nil || line == "" {
			return fields, err
		}
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" || strings.ContainsAny(name, " \t") {
			return nil, errors.New("malformed response: a line of its header is no field")
		}
		name = strings.ToLower(name)
		value = strings.Trim(value, " \t")
		switch before, again := fields[name]; {
		case again && name == "connection":
			value = before + "," + value
		case again && !harmless(name):
			return nil, errors.New("malformed response: it has two fields " + strconv.Quote(name))
		}
		fields[name] = value
	}
}

// harmless tells that nothing here reads the field.
func harmless(name string) bool {
	return !strings.HasPrefix(name, "lambda-") && name != "content-length" && name != "transfer-encoding"
}

// readLine reads a line without its end. Left is what remains of the bytes that lines may have.
func readLine(in *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return "", errors.New("malformed response: its header is too long")
		}
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", cut(err)
		}
	}
	text, found := strings.CutSuffix(string(line), "\r\n")
	if !found || strings.ContainsAny(text, "\r\x00") {
		return "", errors.New("malformed response: a line of it does not end as lines do")
	}
	return text, nil
}

// readChunks reads a body in chunks and what may come behind them.
func readChunks(in *bufio.Reader, body []byte, maxBody int) ([]byte, error) {
	left := maxHead // for all lines that are not part of the body
	for {
		line, err := readLine(in, &left)
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := parseLength(strings.TrimRight(size, " \t"), 16)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			_, err := readHeader(in, &left)
			return body, err
		}
		if body, err = readBody(in, body, n, maxBody); err != nil {
			return nil, err
		}
		if end, err := readLine(in, &left); err != nil || end != "" {
			return nil, errors.New("malformed response: a chunk is longer than it says")
		}
	}
}

// readBody appends n bytes to the body. It takes memory as they come.
func readBody(in *bufio.Reader, body []byte, n, maxBody int) ([]byte, error) {
	if n > maxBody-len(body) {
		return nil, errTooLarge(maxBody)
	}
	for n > 0 {
		start := len(body)
		step := min(n, max(firstStep, start, cap(body)-start))
		body = slices.Grow(body, step)[:start+step]
		if _, err := io.ReadFull(in, body[start:]); err != nil {
			return nil, cut(err)
		}
		n -= step
	}
	return body, nil
}

// readRest appends what comes until the server closes the connection.
func readRest(in *bufio.Reader, body []byte, maxBody int) ([]byte, error) {
	room := maxBody - len(body)
	rest, err := io.ReadAll(io.LimitReader(in, int64(room)+1))
	switch {
	case err != nil:
		return nil, cut(err)
	case len(rest) > room:
		return nil, errTooLarge(maxBody)
	}
	return append(body, rest...), nil
}

func errTooLarge(maxBody int) error {
	return errors.New("the response is too large: its body may have " + strconv.Itoa(maxBody) + " bytes")
}

// parseLength reads the digits of a length, and nothing but digits.
func parseLength(digits string, base int) (int, error) {
	if digits == "" || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return 0, errors.New("malformed response: a length is no number")
	}
	n, err := strconv.ParseInt(digits, base, 32)
	if err != nil {
		return 0, errors.New("malformed response: a length is no number, or too large")
	}
	return int(n), nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer ends early: the connection was closed before it was complete")
	}
	return errors.New("read the response: " + err.Error())
}
