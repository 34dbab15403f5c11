// Package http1 is an HTTP/1.1 client for one server over one connection. It is a fraction of the size of net/http. It does not support redirects,
// proxies, cookies or compression. What a response means is up to the caller.
//
// The client does not trust the server, and it never mixes up responses as far as HTTP/1.1 allows. Responses do not name their requests, so a
// response belongs to a request only if nothing was left on the connection when the request was sent:
//
//   - If anything has arrived on a connection since its last use, or if it was closed, the next request opens a new one.
//   - A response that is malformed, too large or shorter than its length is an error and ends the connection. A response that announces the end of
//     the connection ends it too, as does one that announces a body although it can't have one.
//   - A request that a server could read as two requests, or whose response has no clear end, is refused.
//
// The protocol leaves two gaps. A response without a length ends with the connection, so a lost part goes unnoticed. And whatever the server sends
// on its own while a request is on its way looks like the response. In practice that is status 408, for a connection that was idle for too long. If
// the request may be sent twice and the connection was used before, the client sends it again over a new connection. Otherwise the caller gets the
// 408.
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

// Stream carries requests and responses.
type Stream interface {
	io.ReadWriteCloser
	// Quiet reports, without waiting, whether nothing has arrived since the last read and the other side has not closed the stream. After it
	// returns false, the stream is not read any more.
	Quiet() bool
}

// Connection connects when it sends the first request, and again when the connection has ended or can't be trusted any more. It serves one request
// at a time.
type Connection struct {
	// Host is the value of the header Host: host:port, or the host alone.
	Host string
	// Dial connects.
	Dial func() (Stream, error)
	// MaxBody limits the body of a response, in bytes.
	MaxBody int

	stream Stream
	in     *bufio.Reader
	out    []byte
}

// Request is a request. Fields alternates names and values of headers.
type Request struct {
	Method, Path string
	Fields       []string
	Body         []byte
	// Again is true if the request may be sent twice. The client repeats it over a new connection if the server closed the old one while it was
	// idle.
	Again bool
}

// Response is a response.
type Response struct {
	Status int
	Header Header
	Body   []byte
	// old is true if the response is in HTTP/1.0.
	old bool
	// close is true if the connection must not be used again.
	close bool
}

// Header maps the names of headers, in lower case, to their values.
type Header map[string]string

const (
	// maxHead limits the lines before a body. The longest that Lambda sends is a client context of 3,583 bytes in base64.
	maxHead = 64 << 10
	// firstStep is how much memory a body gets at first, however long the server says that it is.
	firstStep = 64 << 10
	// smallBody is the size of the largest body that is sent in one piece with the head.
	smallBody = 32 << 10
)

// requestTimeout is the status of a server that received no request in time. Source: RFC 9110, section 15.5.9.
const requestTimeout = 408

// Do sends a request and returns its response. It appends the body of the response to body.
func (c *Connection) Do(request Request, body []byte) (*Response, error) {
	if err := request.check(c.Host); err != nil {
		return nil, err
	}
	if c.stream != nil && (c.in.Buffered() > 0 || !c.stream.Quiet()) {
		c.Close() // what has arrived is not the response to this request
	}
	reused := c.stream != nil
	answer, unheard, err := c.try(request, body)
	if unheard && reused && request.Again {
		answer, _, err = c.try(request, body)
	}
	return answer, err
}

// try also reports whether the server seems not to have read the request: it sent nothing, or it sent status 408.
func (c *Connection) try(request Request, body []byte) (answer *Response, unheard bool, err error) {
	if c.stream == nil {
		stream, err := c.Dial()
		if err != nil {
			return nil, false, err
		}
		c.stream, c.in = stream, bufio.NewReader(stream)
	}
	defer func() {
		if err != nil || unheard || answer.close {
			c.Close()
		}
	}()
	if err := c.send(request); err != nil {
		return nil, true, err
	}
	if _, err := c.in.Peek(1); err != nil {
		return nil, true, cut(err)
	}
	answer = &Response{}
	if err := answer.read(c.in, body, c.MaxBody); err != nil {
		return nil, answer.Status == requestTimeout, err
	}
	return answer, answer.Status == requestTimeout, nil
}

// Close closes the connection. The next request connects again.
func (c *Connection) Close() {
	if c.stream != nil {
		_ = c.stream.Close() // it is not read any more
		c.stream = nil
	}
}

// check refuses requests that a server could read as other or several requests, and methods whose responses have a body of another length.
func (r *Request) check(host string) error {
	if r.Method == "HEAD" || r.Method == "CONNECT" {
		return errors.New("http1 cannot send " + r.Method)
	}
	if strings.ContainsAny(r.Method+r.Path+host, " \r\n\x00") {
		return errors.New("the method, the path or the host of the request has a space or a line break")
	}
	for i, text := range r.Fields {
		if strings.ContainsAny(text, "\r\n\x00") {
			return errors.New("a header of the request has a line break")
		}
		if i%2 == 0 && (strings.EqualFold(text, "Content-Length") || strings.EqualFold(text, "Transfer-Encoding")) {
			return errors.New("http1 itself sets the header " + text)
		}
	}
	return nil
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
	if request.Method != "GET" || len(request.Body) > 0 {
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

// read reads one response. After an error only the status is valid, if it is set.
func (r *Response) read(in *bufio.Reader, body []byte, maxBody int) error {
	left := maxHead
	for r.Status < 200 { // informational responses, such as 100 Continue, come before
		err := r.readStatus(in, &left)
		if err != nil {
			return err
		}
		if r.Header, err = readHeader(in, &left); err != nil {
			return err
		}
		r.close = r.old || closes(r.Header["connection"])
	}
	length, hasLength := r.Header["content-length"]
	coding, hasCoding := r.Header["transfer-encoding"]
	if r.Status == 204 || r.Status == 304 { // these have no body
		r.close = r.close || hasCoding || hasLength && length != "0"
		return nil
	}
	var err error
	switch {
	case hasCoding && (hasLength || r.old):
		return errors.New("malformed response: it has a transfer encoding and a length, or a transfer encoding in HTTP/1.0")
	case hasCoding && !strings.EqualFold(coding, "chunked"):
		return errors.New("malformed response: its transfer encoding is not chunked")
	case hasCoding:
		r.Body, err = readChunks(in, body, maxBody)
	case hasLength:
		var n int
		if n, err = parseLength(length, 10); err == nil {
			r.Body, err = readBody(in, body, n, maxBody)
		}
	case r.close:
		r.Body, err = readRest(in, body, maxBody)
	default:
		return errors.New("malformed response: its body has no length")
	}
	return err
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
	status, err := parseLength(rest[:3], 10)
	if err != nil || status < 100 || status == 101 { // no request asks for another protocol
		return errors.New("malformed response: its status is not a number, or announces another protocol")
	}
	r.Status = status
	return nil
}

// closes reports whether the header Connection, which is a list, contains close.
func closes(connection string) bool {
	for option := range strings.SplitSeq(connection, ",") {
		if strings.EqualFold(strings.Trim(option, " \t"), "close") {
			return true
		}
	}
	return false
}

// readHeader reads the headers and the empty line after them. It refuses folded lines. It also refuses a second header with the same name if this
// package or a Lambda runtime reads that header, except for Connection.
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

// harmless reports whether neither this package nor a Lambda runtime reads the header.
func harmless(name string) bool {
	return !strings.HasPrefix(name, "lambda-") && name != "content-length" && name != "transfer-encoding"
}

// readLine reads a line and removes its end. left is how many bytes the remaining lines may have.
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

// readChunks reads a body in chunks, and the headers that may follow it.
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

// readBody appends n bytes to the body. It allocates memory as they arrive.
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

// readRest appends everything until the server closes the connection.
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

// parseLength parses a length. Unlike strconv, it accepts only digits.
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
