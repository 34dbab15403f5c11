// Package httpevent makes events of HTTP requests, and HTTP responses of what functions answer, in three formats: 2.0, which function URLs and
// HTTP APIs share (Lambda Developer Guide, "Invoking Lambda function URLs"; API Gateway Developer Guide, "Create AWS Lambda proxy integrations
// for HTTP APIs"), 1.0 of REST APIs (API Gateway Developer Guide, "Lambda proxy integrations in API Gateway"), and that of load balancers
// (Elastic Load Balancing, "Use Lambda functions as targets of an Application Load Balancer").
//
// What belongs here: these formats in both directions, streamed responses included. What does not: addresses, who may ask, and which function
// has which format.
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
	"github.com/golam-cli/golam/internal/quotas"
)

// Invoke runs an event through a function, as [local.Lambda.Invoke] does.
type Invoke func(ctx context.Context, in local.Invocation) (local.Result, error)

// Format is that of events and answers.
type Format string

// The formats, by the names that golam.yaml has for them.
const (
	V1  Format = "1.0" // of REST APIs
	V2  Format = "2.0" // of HTTP APIs and function URLs
	ALB Format = "alb" // of load balancers
)

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
func newEvent(r *http.Request, path string, format Format) ([]byte, error) {
	limit := quotas.MaxPayload // of an event; in base64, the body may still be too large
	if format == ALB {
		limit = maxALB
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("the body broke off: %w", err)
	}
	if len(body) > limit {
		return nil, errTooLarge
	}
	var made any
	switch format {
	case V1:
		made = newEventV1(r, path, body)
	case ALB:
		made = newEventALB(r, path, body)
	default:
		made = newEventV2(r, path, body)
	}
	encoded, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("make the event: %w", err)
	}
	return encoded, nil
}

// origin is where a request comes from and goes to.
type origin struct {
	now                  time.Time
	host, prefix, source string
	port                 string // that the request names, or ""
}

func originOf(r *http.Request) origin {
	o := origin{now: time.Now().UTC(), host: r.Host, source: r.RemoteAddr}
	if name, port, err := net.SplitHostPort(r.Host); err == nil {
		o.host, o.port = name, port
	}
	o.prefix, _, _ = strings.Cut(o.host, ".")
	if source, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		o.source = source
	}
	return o
}

// timeFormat is that of the requestTime of API Gateway.
const timeFormat = "02/Jan/2006:15:04:05 -0700"

func newEventV2(r *http.Request, path string, body []byte) event {
	o := originOf(r)
	e := event{
		Version: "2.0", RouteKey: route, RawPath: path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, QueryStringParameters: parameters(r.URL.RawQuery),
		RequestContext: requestContext{
			AccountID: "anonymous", APIID: o.prefix, DomainName: o.host, DomainPrefix: o.prefix, RouteKey: route, Stage: route,
			RequestID: requestID(r), Time: o.now.Format(timeFormat), TimeEpoch: o.now.UnixMilli(),
			HTTP: httpContext{Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: o.source, UserAgent: r.UserAgent()},
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
	e.Headers["x-forwarded-for"], e.Headers["x-forwarded-proto"] = o.source, "http"
	if o.port != "" {
		e.Headers["x-forwarded-port"] = o.port
	}
	if isText(r.Header.Get("Content-Type"), body) {
		e.Body = string(body)
	} else if len(body) > 0 {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

var errTooLarge = errors.New("the body is too large")

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

// isText reports whether AWS hands a body on as it is, and not in base64.
func isText(contentType string, body []byte) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !utf8.Valid(body) {
		return false
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") ||
		slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, kind)
}

// Serve answers a request with what a function makes of its event.
func Serve(w http.ResponseWriter, r *http.Request, path string, format Format, invoke Invoke) {
	payload, err := newEvent(r, path, format)
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
		Refuse(w, o.err)
	case o.result.FunctionError != "":
		var failure struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(o.result.Payload, &failure)
		writeFailure(w, format, failure.ErrorType+": "+failure.ErrorMessage)
	case o.result.Streamed:
		writeFailure(w, format, errNoPrelude.Error())
	case format == V1:
		writeResponseV1(w, o.result.Payload)
	case format == ALB:
		writeResponseALB(w, o.result.Payload)
	default:
		writeResponse(w, o.result.Payload)
	}
}

// writeFailure answers for a function that failed, or whose answer is not of the format. AWS does not say why; golam does in a header.
func writeFailure(w http.ResponseWriter, format Format, reason string) {
	w.Header().Set("X-Golam-Error", headerText(reason))
	switch format {
	case V1:
		writeMessage(w, http.StatusBadGateway, "Internal server error")
	case ALB:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		const text = "502 Bad Gateway"
		_, _ = io.WriteString(w, "<html>\r\n<head><title>"+text+"</title></head>\r\n<body>\r\n<center><h1>"+text+"</h1></center>\r\n</body>\r\n</html>\r\n")
	default:
		writeMessage(w, http.StatusBadGateway, "Internal Server Error")
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

// Refuse answers for a function that has not run.
func Refuse(w http.ResponseWriter, err error) {
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
		if value, there := headerValue(a.Headers[name]); there && !serversOwn(name) {
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

// headerValue is false for null. A number stays as it is written.
func headerValue(raw json.RawMessage) (value string, there bool) {
	if json.Unmarshal(raw, &value) == nil {
		return value, string(raw) != "null"
	}
	return string(raw), true
}

// serversOwn reports whether a header is the business of the server, and not of functions.
func serversOwn(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "Connection":
		return true
	}
	return false
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
		writeFailure(w, V2, "the response is not of payload format 2.0: "+err.Error())
		return
	}
	body := []byte(answer.Body)
	var text string
	if err := json.Unmarshal(answer.Body, &text); err == nil {
		body = []byte(text)
		if answer.IsBase64Encoded {
			if body, err = base64.StdEncoding.DecodeString(text); err != nil {
				writeFailure(w, V2, "the body is not in base64")
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
