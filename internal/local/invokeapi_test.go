package local

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/testkit"
)

// api is the Invoke API of a Lambda with some functions.
func api(t *testing.T) *testLambda {
	t.Helper()
	return start(t, Config{InvokeAddress: "127.0.0.1:0", Functions: []Function{
		{Name: "describe", Bootstrap: official, Handler: "describe"},
		{Name: "echo", Bootstrap: official, Handler: "echo"},
		{Name: "fail", Bootstrap: official, Handler: "fail"},
		{Name: "hang", Bootstrap: raw, Handler: "hang", Timeout: 100 * time.Millisecond},
	}})
}

type call struct {
	method, path, body string
	header             map[string]string
	host               string
}

func (l *testLambda) call(c call) (*http.Response, string) {
	l.t.Helper()
	setDefault(&c.method, http.MethodPost)
	req, err := http.NewRequestWithContext(l.t.Context(), c.method, l.InvokeURL()+c.path, strings.NewReader(c.body))
	if err != nil {
		l.t.Fatal(err)
	}
	for key, value := range c.header {
		req.Header.Set(key, value)
	}
	if c.host != "" {
		req.Host = c.host
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return res, string(body)
}

func invocations(function string) string {
	return "/2015-03-31/functions/" + url.PathEscape(function) + "/invocations"
}

func TestInvokeAPI(t *testing.T) {
	l := api(t)
	res, body := l.call(call{path: invocations("echo"), body: `{"n":1}`})
	if res.StatusCode != 200 || body != `{"n":1}` {
		t.Fatalf("got %d %s", res.StatusCode, body)
	}
	if res.Header.Get("X-Amz-Executed-Version") != "$LATEST" || len(res.Header.Get("X-Amzn-Requestid")) != 36 {
		t.Errorf("header %v", res.Header)
	}
	for _, absent := range []string{"X-Amz-Function-Error", "X-Amz-Log-Result"} {
		if res.Header.Get(absent) != "" {
			t.Errorf("%s: %s", absent, res.Header.Get(absent))
		}
	}
	for _, name := range []string{
		"echo:$LATEST", l.arn("echo"), l.arn("echo") + ":$LATEST", "123456789012:function:echo", "function:echo",
	} {
		if res, body := l.call(call{path: invocations(name), body: "2"}); res.StatusCode != 200 || body != "2" {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
	if res, _ := l.call(call{path: invocations("echo") + "?Qualifier=$LATEST"}); res.StatusCode != 200 {
		t.Errorf("qualifier $LATEST: %d", res.StatusCode)
	}
}

func TestInvokeAPIFunctionError(t *testing.T) {
	l := api(t)
	res, body := l.call(call{path: invocations("fail"), header: map[string]string{"X-Amz-Log-Type": "Tail"}})
	if res.StatusCode != 200 || res.Header.Get("X-Amz-Function-Error") != "Unhandled" ||
		body != `{"errorMessage":"no luck","errorType":"errorString"}` {
		t.Errorf("got %d %v %s", res.StatusCode, res.Header, body)
	}
	tail, err := base64.StdEncoding.DecodeString(res.Header.Get("X-Amz-Log-Result"))
	if err != nil {
		t.Fatal(err)
	}
	id := res.Header.Get("X-Amzn-Requestid")
	if !regexp.MustCompile("(?s)^START RequestId: " + id + ".*no luck.*REPORT RequestId: " + id).Match(tail) {
		t.Errorf("log %s", tail)
	}
	res, body = l.call(call{path: invocations("hang")})
	if res.StatusCode != 200 || res.Header.Get("X-Amz-Function-Error") != "Unhandled" || !strings.Contains(body, "Sandbox.Timedout") {
		t.Errorf("got %d %v %s", res.StatusCode, res.Header, body)
	}
}

func TestInvokeAPIContext(t *testing.T) {
	l := api(t)
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
	res, body := l.call(call{path: invocations("describe"), header: map[string]string{
		"X-Amz-Client-Context": base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`)),
		"X-Amzn-Trace-Id":      trace,
	}})
	var got struct {
		Event   json.RawMessage
		TraceID string
		Context struct {
			ClientContext struct{ Custom map[string]string }
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if got.TraceID != trace || res.Header.Get("X-Amzn-Trace-Id") != trace ||
		got.Context.ClientContext.Custom["k"] != "v" || string(got.Event) != "{}" {
		t.Errorf("got %+v", got)
	}
}

func TestInvokeAPIEventAndDryRun(t *testing.T) {
	l := api(t)
	res, body := l.call(call{path: invocations("echo"), header: map[string]string{"X-Amz-Invocation-Type": "DryRun"}})
	if res.StatusCode != 204 || body != "" {
		t.Errorf("dry run: %d %s", res.StatusCode, body)
	}
	if log := l.log(); log != "" {
		t.Errorf("a dry run ran:\n%s", log)
	}
	res, body = l.call(call{path: invocations("echo"), header: map[string]string{"X-Amz-Invocation-Type": "Event"}})
	if res.StatusCode != 202 || body != "" {
		t.Errorf("event: %d %s", res.StatusCode, body)
	}
	l.requireLog("REPORT RequestId: " + res.Header.Get("X-Amzn-Requestid"))
}

func TestInvokeAPIEventHasNoClientContext(t *testing.T) {
	ended := make(chan Result, 1)
	l := one(t, official, "describe", func(c *Config, _ *Function) {
		c.InvokeAddress = "127.0.0.1:0"
		c.Ended = func(_ string, result Result, _ error) { ended <- result }
	})
	res, body := l.call(call{path: invocations("fn"), header: map[string]string{
		"X-Amz-Invocation-Type": "Event", "X-Amz-Client-Context": base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`)),
	}})
	if res.StatusCode != 202 {
		t.Fatalf("got %d %s", res.StatusCode, body)
	}
	if r := <-ended; r.FunctionError != "" || strings.Contains(string(r.Payload), `"k":"v"`) {
		t.Errorf("got %+v %s", r, r.Payload)
	}
}

// Events wait for an environment where others are refused.
func TestInvokeAPIEventsQueue(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds, concurrency(1), func(c *Config, _ *Function) { c.InvokeAddress = "localhost:0" })
	const events = 5
	for range events {
		res, body := l.call(call{path: invocations("fn"), header: map[string]string{"X-Amz-Invocation-Type": "Event"}})
		if res.StatusCode != 202 {
			t.Fatalf("event: %d %s", res.StatusCode, body)
		}
	}
	<-g.arrived
	res, body := l.call(call{path: invocations("fn")})
	if res.StatusCode != 429 || res.Header.Get("X-Amzn-Errortype") != "TooManyRequestsException" ||
		body != `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`+"\n" {
		t.Errorf("got %d %v %s", res.StatusCode, res.Header, body)
	}
	g.open()
	testkit.Eventually(t, "all events are served", func() bool { return strings.Count(l.log(), "REPORT") == events })
}

// Events that still wait are lost when the Lambda is closed, and no more are taken.
func TestInvokeAPICloseWithQueue(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds, concurrency(1), timeout(time.Minute), func(c *Config, _ *Function) { c.InvokeAddress = ":0" })
	if !strings.HasPrefix(l.InvokeURL(), "http://127.0.0.1:") {
		t.Errorf("without a host it listens at %s", l.InvokeURL())
	}
	for range 3 {
		if _, err := l.invokeEvent("fn", Invocation{}); err != nil {
			t.Fatal(err)
		}
	}
	<-g.arrived
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := strings.Count(l.log(), "START"); n != 1 {
		t.Errorf("%d invocations started", n)
	}
	if _, err := l.invokeEvent("fn", Invocation{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestInvokeAPIErrors(t *testing.T) {
	l := api(t)
	tests := []struct {
		name   string
		call   call
		status int
		code   string
		body   string
	}{
		{
			"unknown function",
			call{path: invocations("nobody")},
			404, "ResourceNotFoundException",
			`{"Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody","Type":"User"}`,
		},
		{"unknown version", call{path: invocations("echo:7")}, 404, "ResourceNotFoundException", "function:echo:7"},
		{"unknown alias", call{path: invocations("echo") + "?Qualifier=live"}, 404, "ResourceNotFoundException", "function:echo:live"},
		{"no name", call{path: invocations("a b")}, 400, "InvalidParameterValueException", ""},
		{
			"not JSON",
			call{path: invocations("echo"), body: "{"},
			400, "InvalidRequestContentException",
			`{"Type":"User","message":"Could not parse request body into json"}`,
		},
		{
			"not JSON, dry run",
			call{path: invocations("echo"), body: "{", header: map[string]string{"X-Amz-Invocation-Type": "DryRun"}},
			400, "InvalidRequestContentException", "",
		},
		{
			"too large",
			call{path: invocations("echo"), body: `"` + strings.Repeat("x", quotas.MaxPayload) + `"`},
			413, "RequestEntityTooLargeException",
			`{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`,
		},
		{
			"too large, asynchronous",
			call{path: invocations("echo"), body: `"` + strings.Repeat("x", maxAsync) + `"`, header: map[string]string{"X-Amz-Invocation-Type": "Event"}},
			413, "RequestEntityTooLargeException", "smaller than 1048576 bytes",
		},
		{
			"invocation type",
			call{path: invocations("echo"), header: map[string]string{"X-Amz-Invocation-Type": "Maybe"}},
			400, "InvalidParameterValueException", "",
		},
		{
			"client context not base64",
			call{path: invocations("echo"), header: map[string]string{"X-Amz-Client-Context": "{}"}},
			400, "InvalidRequestContentException", "valid Base64-encoded JSON",
		},
		{
			"client context too long",
			call{path: invocations("echo"), header: map[string]string{"X-Amz-Client-Context": strings.Repeat("e30K", 1000)}},
			400, "InvalidRequestContentException", "valid Base64-encoded JSON",
		},
		{
			"streamed event",
			call{path: "/2021-11-15/functions/echo/response-streaming-invocations", header: map[string]string{"X-Amz-Invocation-Type": "Event"}},
			400, "InvalidParameterValueException", "RequestResponse",
		},
		{
			"streaming, unknown function",
			call{path: "/2021-11-15/functions/nobody/response-streaming-invocations"},
			404, "ResourceNotFoundException", "Function not found",
		},
		{"unknown operation", call{method: http.MethodGet, path: "/2015-03-31/functions/"}, 404, "UnknownOperationException", ""},
		{"rebound name", call{path: invocations("echo"), host: "evil.example:80"}, 403, "AccessDeniedException", "use " + l.InvokeURL()},
		{"another address", call{path: invocations("echo"), host: "192.168.1.5:9000"}, 403, "AccessDeniedException", "use " + l.InvokeURL()},
		{"IPv4 in IPv6", call{path: invocations("echo"), host: "[::ffff:127.0.0.1]:80"}, 403, "AccessDeniedException", "use " + l.InvokeURL()},
		{"form in a browser", call{path: invocations("echo"), header: map[string]string{"Origin": "https://evil.example"}}, 403, "AccessDeniedException", "another site"},
		{"script in a browser", call{path: invocations("echo"), header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, 403, "AccessDeniedException", "another site"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, body := l.call(tt.call)
			if res.StatusCode != tt.status || res.Header.Get("X-Amzn-Errortype") != tt.code || !strings.Contains(body, tt.body) {
				t.Errorf("got %d %q %s", res.StatusCode, res.Header.Get("X-Amzn-Errortype"), body)
			}
		})
	}
	for _, host := range []string{"localhost:9000", "LOCALHOST", "127.0.0.1", "[::1]:80"} {
		if res, body := l.call(call{path: invocations("echo"), host: host}); res.StatusCode != 200 {
			t.Errorf("host %s: %d %s", host, res.StatusCode, body)
		}
	}
}
