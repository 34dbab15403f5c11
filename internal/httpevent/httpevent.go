// Package httpevent makes events of HTTP requests, and HTTP responses of what functions answer: payload format 2.0, which function URLs and
// HTTP APIs share (Lambda Developer Guide, "Invoking Lambda function URLs"; API Gateway Developer Guide, "Create AWS Lambda proxy integrations
// for HTTP APIs").
//
// What belongs here: that format in both directions, streamed responses included. What does not: addresses, and who may ask.
package httpevent

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golam-cli/golam/internal/local"
)

// maxBody is what a request may have, in bytes: that of an event. In base64 it may be too much all the same.
const maxBody = 6 << 20

// Invoke runs an event through a function, as [local.Lambda.Invoke] does.
type Invoke func(ctx context.Context, in local.Invocation) (local.Result, error)

// event is payload format 2.0.
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

const route = "$default"

// newEvent makes the event of a request whose path, as far as the function is concerned, is the given one. It reads the body.
func newEvent(r *http.Request, path string) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("the body broke off: %w", err)
	}
	if len(body) > maxBody {
		return nil, errTooLarge
	}
	now := time.Now().UTC()
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	prefix, _, _ := strings.Cut(host, ".")
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	e := event{
		Version: "2.0", RouteKey: route, RawPath: path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, QueryStringParameters: parameters(r.URL.RawQuery),
		RequestContext: requestContext{
			AccountID: "anonymous", APIID: prefix, DomainName: host, DomainPrefix: prefix, RouteKey: route, Stage: route,
			RequestID: requestID(r), Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: httpContext{Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent()},
		},
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			for _, value := range values {
				for cookie := range strings.SplitSeq(value, ";") {
					e.Cookies = append(e.Cookies, strings.TrimSpace(cookie))
				}
			}
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e.Headers["x-forwarded-for"], e.Headers["x-forwarded-proto"] = source, "http"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		e.Headers["x-forwarded-port"] = port
	}
	if isText(r.Header.Get("Content-Type"), body) {
		e.Body = string(body)
	} else if len(body) > 0 {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("make the event: %w", err)
	}
	return encoded, nil
}

var errTooLarge = errors.New("the body has more than 6 MiB")

func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Amzn-Requestid"); id != "" {
		return id
	}
	return fmt.Sprintf("%x", time.Now().UnixNano())
}

// parameters joins values of one name with commas.
func parameters(query string) map[string]string {
	values, _ := url.ParseQuery(query) // what can be read counts
	joined := map[string]string{}
	for name, all := range values {
		joined[name] = strings.Join(all, ",")
	}
	return joined
}

// isText tells whether AWS hands a body on as it is, and not in base64.
func isText(contentType string, body []byte) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !utf8.Valid(body) {
		return false
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") ||
		slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, kind)
}

// Serve answers a request with what a function makes of its event.
func Serve(w http.ResponseWriter, r *http.Request, path string, invoke Invoke) {
	payload, err := newEvent(r, path)
	switch {
	case errors.Is(err, errTooLarge):
		writeMessage(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil:
		writeMessage(w, http.StatusBadRequest, "Bad Request")
		return
	}
	// What is streamed crosses from the function's request to the caller's, which must not be written to once it is over.
	reader, writer := io.Pipe()
	defer func() { _ = reader.Close() }()
	started := make(chan string, 1) // the content type
	in := local.Invocation{Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	in.Stream = func(contentType string) io.Writer {
		started <- contentType
		return writer
	}
	type outcome struct {
		result local.Result
		err    error
	}
	ended := make(chan outcome, 1)
	go func() {
		result, err := invoke(r.Context(), in)
		ended <- outcome{result, err}
		_ = writer.Close()
	}()

	var o outcome
	select {
	case o = <-ended:
	case contentType := <-started:
		begun := stream(w, reader, contentType)
		_ = reader.Close() // if it is not at its end, the function writes into nothing
		o = <-ended
		if o.err == nil && o.result.FunctionError == "" && begun == nil {
			return
		}
		if begun == nil || !errors.Is(begun, errNoPrelude) {
			panic(http.ErrAbortHandler) // the response has begun, so all that is left is to break it off
		}
	}
	switch {
	case o.err != nil:
		refuse(w, o.err)
	case o.result.FunctionError != "":
		var failure struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(o.result.Payload, &failure)
		w.Header().Set("X-Golam-Error", headerText(failure.ErrorType+": "+failure.ErrorMessage))
		writeMessage(w, http.StatusBadGateway, "Internal Server Error")
	case o.result.Streamed:
		writeMessage(w, http.StatusBadGateway, "Internal Server Error") // it was no response in the form that it claimed
	default:
		writeResponse(w, o.result.Payload)
	}
}

// headerText makes text fit for a header: clients bear no headers of any size.
func headerText(text string) string {
	const most = 1 << 10
	text = text[:min(len(text), most)]
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, text)
}

// refuse answers for a function that has not run.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	if refusal, ok := errors.AsType[*local.RequestError](err); ok {
		status = refusal.StatusCode
	}
	writeMessage(w, status, err.Error())
}

func writeMessage(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// response is what a function answers in this format, and the prelude of a streamed one.
type response struct {
	StatusCode      int                        `json:"statusCode"`
	Headers         map[string]json.RawMessage `json:"headers"`
	Cookies         []string                   `json:"cookies"`
	Body            json.RawMessage            `json:"body"`
	IsBase64Encoded bool                       `json:"isBase64Encoded"`
}

// writeHead writes status and headers. A status that is none of HTTP becomes a 502, as for AWS.
func (a response) writeHead(w http.ResponseWriter) {
	h := w.Header()
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		value := string(a.Headers[name]) // a number stays as it is written
		if value == "null" {
			continue
		}
		var text string
		if json.Unmarshal(a.Headers[name], &text) == nil {
			value = text
		}
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Transfer-Encoding", "Connection": // the server's own business
		default:
			h.Set(name, value)
		}
	}
	for _, cookie := range a.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	status := a.StatusCode
	const first, last = 200, 599
	if status < first || status > last {
		status = http.StatusBadGateway
	}
	w.WriteHeader(status)
}

// writeResponse writes an answer that has been given as a whole. One without a status code is itself the body, as JSON.
func writeResponse(w http.ResponseWriter, payload []byte) {
	var answer response
	var probe map[string]json.RawMessage
	if json.Unmarshal(payload, &probe) != nil || probe["statusCode"] == nil {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(payload)
		return
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		w.Header().Set("X-Golam-Error", headerText("the response is not of payload format 2.0: "+err.Error()))
		writeMessage(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	body := []byte(answer.Body)
	var text string
	if err := json.Unmarshal(answer.Body, &text); err == nil {
		body = []byte(text)
		if answer.IsBase64Encoded {
			if body, err = base64.StdEncoding.DecodeString(text); err != nil {
				w.Header().Set("X-Golam-Error", "the body is not in base64")
				writeMessage(w, http.StatusBadGateway, "Internal Server Error")
				return
			}
		}
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	answer.writeHead(w)
	_, _ = w.Write(body)
}

// integration is the content type of a streamed response that begins with status and headers.
const integration = "application/vnd.awslambda.http-integration-response"

const maxPrelude = 256 << 10 // bytes

var errNoPrelude = errors.New("the response does not begin with status and headers")

// stream passes a response on as it comes. It returns errNoPrelude if nothing has been written.
func stream(w http.ResponseWriter, reader io.Reader, contentType string) error {
	flusher := http.NewResponseController(w)
	buffer := make([]byte, 64<<10)
	if contentType == integration {
		rest, err := readPrelude(w, reader, buffer)
		if err != nil {
			return err
		}
		if _, err := w.Write(rest); err != nil {
			return err
		}
	} else {
		if contentType == "" {
			contentType = "application/octet-stream"
		}
		w.Header().Set("Content-Type", contentType)
	}
	for {
		if err := flusher.Flush(); err != nil {
			return err
		}
		n, err := reader.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readPrelude writes status and headers, and returns what has been read of the body. Eight NUL bytes end the prelude.
func readPrelude(w http.ResponseWriter, reader io.Reader, buffer []byte) (rest []byte, err error) {
	end := make([]byte, 8) //nolint:mnd // see above
	var head []byte
	for {
		n, err := reader.Read(buffer)
		head = append(head, buffer[:n]...)
		if at := bytes.Index(head, end); at >= 0 {
			var prelude response
			if json.Unmarshal(head[:at], &prelude) != nil {
				return nil, errNoPrelude
			}
			if prelude.StatusCode == 0 {
				prelude.StatusCode = http.StatusOK
			}
			prelude.writeHead(w)
			return head[at+len(end):], nil
		}
		if err != nil || len(head) > maxPrelude {
			return nil, errNoPrelude
		}
	}
}
