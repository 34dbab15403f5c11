package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/golam-cli/golam/internal/local"
)

// conformanceCase is a row of the table.
type conformanceCase struct {
	name  string
	holds string // a sentence on what is held
	needs feature
	run   func(t *testing.T, s subject)
}

func cases() []conformanceCase {
	return []conformanceCase{
		{
			"address with a path", "`AWS_LAMBDA_RUNTIME_API` may be host:port/path, so several functions can share one port.",
			pathInAddress, addressWithPath,
		},
		{"deadline", "Each invocation has its own deadline, in milliseconds since the epoch.", "", deadline},
		{
			"202 answers", "The Runtime API answers responses and errors with 202, and the same process serves the next invocation.",
			"", acceptedAnswers,
		},
		{"client context", "It reaches the function as JSON, not base64, including characters beyond ASCII.", "", clientContext},
		{"Cognito identity", "The identity and the identity pool reach the function.", "", cognitoIdentity},
		{"invoked ARN", "The function sees the ARN that it was invoked with.", "", invokedARN},
		{
			"trace header", "The caller's trace header reaches the function and comes back unchanged. Without one, the function gets a new one.",
			"", traceHeader,
		},
		{"request id", "The function and its caller see the same request id, and a new one each time.", requestIDs, requestID},
		{"log", "The function's output appears in the log of its invocation and in the log tail that the caller requests.", "", logLines},
		{
			"returned error", "The caller gets a 200 with `X-Amz-Function-Error: Unhandled`, and the type and message from the runtime.",
			"", returnedError,
		},
		{
			"panic", "The caller gets a function error with type, message and, in Go, the stack. A process that exits is replaced.",
			"", panics,
		},
		{
			"init error", "A function that exits during init is started once more within the invocation; then the error is `Runtime.ExitError`.",
			"", initError,
		},
		{"6 MiB event", "An event of 6 MiB arrives whole; one byte more is refused with 413.", "", eventLimit},
		{
			"6 MiB response", "A response of 6 MiB and 100 bytes is passed on; one byte more is `Function.ResponseSizeTooLarge`.",
			"", responseLimit,
		},
		{"big payloads", "Four events and responses of 5 MiB at the same time arrive unmixed and unchanged.", "", bigPayloads},
		{"freezing", "A function that is frozen between invocations keeps working.", "", freezing},
		{
			"SIGTERM at shutdown", "A function that registered for shutdown gets SIGTERM, and time to talk to another server.",
			sigterm, sigtermAtShutdown,
		},
		{"SIGTERM on timeout", "So does a function whose invocation timed out.", sigterm, sigtermOnTimeout},
		{"no SIGTERM", "A function without an extension is killed immediately, as on Lambda.", "", noSIGTERM},
		{
			"streaming", "A response streams to InvokeWithResponseStream as messages of an event stream; Invoke refuses it with `Runtime.StreamingNotSupported`.",
			streaming, streams,
		},
		{"broken response", "A response that breaks off is a function error, with the reason from the trailers.", trailers, brokenResponse},
	}
}

func addressWithPath(t *testing.T, s subject) {
	l := s.start(t, "describe", func(c *local.Config, fn *local.Function) {
		c.SharedRuntimeAPI = true
		other := *fn
		other.Name = "other"
		c.Functions = append(c.Functions, other)
	})
	ports := map[string]bool{}
	for _, name := range []string{"fn", "other"} {
		for _, event := range []string{"1", "2"} {
			r, err := l.Invoke(t.Context(), name, local.Invocation{Payload: []byte(event)})
			if err != nil {
				t.Fatal(err)
			}
			d := describe(t, string(r.Payload))
			port, path, _ := strings.Cut(d.RuntimeAPI, "/")
			if path == "" || string(d.Event) != event || !strings.HasSuffix(d.InvokedARN, ":"+name) {
				t.Errorf("sent %s to %s at %s, got %s", event, name, d.RuntimeAPI, r.Payload)
			}
			ports[port] = true
		}
	}
	if len(ports) != 1 {
		t.Errorf("addresses %v", ports)
	}
}

func deadline(t *testing.T, s subject) {
	l := s.start(t, "describe")
	for range 2 {
		before := time.Now().Add(timeout).UnixMilli()
		got := describe(t, string(l.invoke("{}").Payload)).DeadlineMs
		after := time.Now().Add(timeout).UnixMilli()
		if got < before || got > after {
			t.Errorf("deadline %d, not from %d to %d", got, before, after)
		}
	}
}

func acceptedAnswers(t *testing.T, s subject) {
	l := s.start(t, "fail")
	var first local.Result
	for i, fail := range []bool{false, true, false, true, false} {
		r := l.invoke(strconv.FormatBool(fail))
		if i == 0 {
			first = r
		}
		if r.LogStream != first.LogStream || r.Cold != (i == 0) || r.Report.ErrorType != "" || (r.FunctionError != "") != fail {
			t.Errorf("invocation %d: %+v, report %+v", i, r, r.Report)
		}
	}
}

func clientContext(t *testing.T, s subject) {
	l := s.start(t, "describe")
	const text = "{\"custom\":\n{\"k\":\"vé\",\"clef\":\"\U0001D11E\",\"quoted\":\"a\\\\u00e9\"},\"client\":{\"installation_id\":\"i-1\"," +
		`"app_title":"t","app_version_name":"n","app_version_code":"1","app_package_name":"p"}}`
	_, body := l.post(invocations, "{}", "X-Amz-Client-Context", base64.StdEncoding.EncodeToString([]byte(text)))
	d := describe(t, body)
	if d.Custom["k"] != "vé" || d.Custom["clef"] != "\U0001D11E" || d.Custom["quoted"] != `a\u00e9` || d.InstallationID != "i-1" {
		t.Errorf("got %s", body)
	}
	if _, body = l.post(invocations, "{}"); len(describe(t, body).Custom) > 0 {
		t.Errorf("without one, got %s", body)
	}
}

func cognitoIdentity(t *testing.T, s subject) {
	l := s.start(t, "describe")
	for _, want := range []local.CognitoIdentity{{ID: "eu-central-1:id", PoolID: "eu-central-1:pool"}, {}} {
		d := describe(t, string(l.invokeWith(local.Invocation{Identity: want}).Payload))
		if d.IdentityID != want.ID || d.IdentityPoolID != want.PoolID {
			t.Errorf("got %+v, want %+v", d, want)
		}
	}
}

func invokedARN(t *testing.T, s subject) {
	l := s.start(t, "describe", func(c *local.Config, _ *local.Function) { c.Region, c.Account = "eu-central-1", "111122223333" })
	if got := describe(t, string(l.invoke("{}").Payload)).InvokedARN; got != "arn:aws:lambda:eu-central-1:111122223333:function:fn" {
		t.Errorf("got %s", got)
	}
}

func traceHeader(t *testing.T, s subject) {
	l := s.start(t, "describe")
	seen := map[string]bool{}
	for _, sent := range []string{"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "", ""} {
		res, body := l.post(invocations, "{}", "X-Amzn-Trace-Id", sent)
		got, back := describe(t, body).TraceID, res.Header.Get("X-Amzn-Trace-Id")
		if got != back || sent != "" && got != sent || !strings.HasPrefix(got, "Root=1-") || seen[got] {
			t.Errorf("sent %q, the function got %q, the caller %q", sent, got, back)
		}
		seen[got] = true
	}
}

func requestID(t *testing.T, s subject) {
	l := s.start(t, "describe")
	seen := map[string]bool{}
	for range 20 {
		res, body := l.post(invocations, "{}")
		got, back := describe(t, body).RequestID, res.Header.Get("X-Amzn-Requestid")
		if got != back || got == "" || seen[got] {
			t.Errorf("the function got %q, the caller %q", got, back)
		}
		seen[got] = true
	}
}

func logLines(t *testing.T, s subject) {
	l := s.start(t, "print")
	for _, text := range []string{"first line", "second line"} {
		r := l.invoke(strconv.Quote(text))
		tail := string(r.Report.LogTail)
		if !strings.HasPrefix(tail, "START RequestId: "+r.RequestID) || !strings.Contains(tail, "\n"+text+"\nEND RequestId: "+r.RequestID) {
			t.Errorf("%s has the log\n%s", text, tail)
		}
	}
}

func returnedError(t *testing.T, s subject) {
	l := s.start(t, "fail")
	res, body := l.post(invocations, "true")
	requireFunctionError(t, res.Header.Get("X-Amz-Function-Error"), body, "QuotaError", "no quota left")
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	res, body = l.post(invocations, "false")
	if res.Header.Get("X-Amz-Function-Error") != "" || body != `"fine"` {
		t.Errorf("after it: %v %s", res.Header, body)
	}
}

func panics(t *testing.T, s subject) {
	l := s.start(t, "panic")
	res, body := l.post(invocations, "true")
	got := requireFunctionError(t, res.Header.Get("X-Amz-Function-Error"), body, s.panicType, s.panicMessage)
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	if hasStackTrace := len(got.StackTrace) > 0; hasStackTrace != s.hasStackTrace {
		t.Errorf("payload %s", body)
	}
	for _, frame := range got.StackTrace {
		if frame.Path == "" || frame.Line == 0 || frame.Label == "" {
			t.Errorf("frame %+v", frame)
		}
	}

	r := l.invoke("true")
	requireFunctionError(t, r.FunctionError, string(r.Payload), s.panicType, s.panicMessage)
	if exited := r.Report.ErrorType == "Runtime.ExitError"; exited != s.exits {
		t.Errorf("the invoke phase ended with %q", r.Report.ErrorType)
	}
	next := l.invoke("false")
	requirePayload(t, next, `"fine"`)
	if replaced := next.Cold && next.LogStream != r.LogStream; replaced != s.exits {
		t.Errorf("after it: %+v", next)
	}
}

func initError(t *testing.T, s subject) {
	l := s.start(t, "init-error")
	for range 2 {
		r := l.invoke("{}")
		requireFunctionError(t, r.FunctionError, string(r.Payload), "Runtime.ExitError",
			"RequestId: "+r.RequestID+" Error: Runtime exited with error: exit status 1")
	}
	log := l.log()
	for _, want := range []string{"no table\n", "Phase: init\tStatus: error", "Phase: invoke\tStatus: error"} {
		if strings.Count(log, want) < 2 {
			t.Errorf("the log lacks %q", want)
		}
	}
}

// jsonString is a JSON string of so many bytes, its quotes among them.
func jsonString(bytes int) string { return `"` + strings.Repeat("x", bytes-len(`""`)) + `"` }

func eventLimit(t *testing.T, s subject) {
	const limit = 6 << 20
	l := s.start(t, "size")
	if res, body := l.post(invocations, jsonString(limit)); res.StatusCode != http.StatusOK || body != strconv.Itoa(limit) {
		t.Errorf("at the limit: %d %.200s", res.StatusCode, body)
	}
	res, body := l.post(invocations, jsonString(limit+1))
	if res.StatusCode != http.StatusRequestEntityTooLarge || res.Header.Get("X-Amzn-Errortype") != "RequestEntityTooLargeException" {
		t.Errorf("beyond it: %d %v %.200s", res.StatusCode, res.Header, body)
	}
}

func responseLimit(t *testing.T, s subject) {
	const limit = 6<<20 + 100
	l := s.start(t, "answer-of-size")
	requirePayload(t, l.invoke(strconv.Itoa(limit)), jsonString(limit))
	r := l.invoke(strconv.Itoa(limit + 1))
	requireFunctionError(t, r.FunctionError, string(r.Payload), "Function.ResponseSizeTooLarge",
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", limit))
	if exited := r.Report.ErrorType == "Runtime.ExitError"; exited != s.exits {
		t.Errorf("the invoke phase ended with %q", r.Report.ErrorType)
	}
	requirePayload(t, l.invoke("10"), jsonString(10))
}

func bigPayloads(t *testing.T, s subject) {
	l := s.start(t, "echo")
	var all sync.WaitGroup
	for client := range 4 {
		all.Go(func() {
			for round := range 2 {
				event := strings.Repeat(fmt.Sprintf(`["%d.%d é",{"n":9007199254740993}],`, client, round), 5<<20/40)
				event = "[" + strings.TrimSuffix(event, ",") + "]"
				if _, body := l.post(invocations, event); body != event {
					t.Errorf("client %d sent %d bytes and got %d others: %.80s", client, len(event), len(body), body)
				}
			}
		})
	}
	all.Wait()
}

func freezing(t *testing.T, s subject) {
	l := s.start(t, "echo", func(_ *local.Config, fn *local.Function) { fn.Freeze = true })
	for i := range 10 {
		r := l.invoke(strconv.Itoa(i))
		requirePayload(t, r, strconv.Itoa(i))
		if r.Cold != (i == 0) {
			t.Errorf("invocation %d: %+v", i, r)
		}
	}
}

// goodbyes is a server that counts how often a function says goodbye.
type goodbyes struct {
	*httptest.Server
	said chan struct{}
}

func newGoodbyes(t *testing.T) *goodbyes {
	t.Helper()
	g := &goodbyes{said: make(chan struct{}, 10)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { g.said <- struct{}{} }))
	t.Cleanup(g.Close)
	return g
}

// expects makes a function say goodbye here when it is terminated.
func (g *goodbyes) expects(_ *local.Config, fn *local.Function) {
	fn.Env = map[string]string{"GOODBYE": g.URL}
}

func sigtermAtShutdown(t *testing.T, s subject) {
	for _, freeze := range []bool{false, true} {
		g := newGoodbyes(t)
		l := s.start(t, "sigterm", g.expects, func(_ *local.Config, fn *local.Function) { fn.Freeze = freeze })
		requirePayload(t, l.invoke("1"), "1")
		l.close()
		if len(g.said) != 1 || !strings.Contains(l.log(), "cleaned up\n") {
			t.Errorf("frozen %v: %d goodbyes, log:\n%s", freeze, len(g.said), l.log())
		}
	}
}

func sigtermOnTimeout(t *testing.T, s subject) {
	g := newGoodbyes(t)
	l := s.start(t, "sigterm-hang", g.expects, func(_ *local.Config, fn *local.Function) { fn.Timeout = time.Second })
	r := l.invoke("1")
	requireFunctionError(t, r.FunctionError, string(r.Payload), "Sandbox.Timedout",
		"RequestId: "+r.RequestID+" Error: Task timed out after 1.00 seconds")
	if len(g.said) != 1 || !strings.Contains(string(r.Report.LogTail), "cleaned up\n") {
		t.Errorf("%d goodbyes, log:\n%s", len(g.said), r.Report.LogTail)
	}
}

func noSIGTERM(t *testing.T, s subject) {
	g := newGoodbyes(t)
	l := s.start(t, "sigterm-unregistered", g.expects)
	requirePayload(t, l.invoke("1"), "1")
	l.close()
	if len(g.said) > 0 {
		t.Error("it got a SIGTERM")
	}
}

func streams(t *testing.T, s subject) {
	l := s.start(t, "stream")
	for range 2 {
		r := l.invoke("{}")
		requireFunctionError(t, r.FunctionError, string(r.Payload), "Runtime.StreamingNotSupported",
			"the function streams its response: invoke it through a function URL or with InvokeWithResponseStream")
		res, body := l.post(streamingInvocations, "{}")
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" {
			t.Fatalf("streaming invocation: %d %v %s", res.StatusCode, res.Header, body)
		}
		var payload, kinds strings.Builder
		decoder, messages := eventstream.NewDecoder(), strings.NewReader(body)
		for messages.Len() > 0 {
			message, err := decoder.Decode(messages, nil)
			if err != nil {
				t.Fatal(err)
			}
			kind := message.Headers.Get(":event-type").String()
			if kind == "PayloadChunk" {
				payload.Write(message.Payload)
			} else {
				fmt.Fprintf(&kinds, "%s %s", kind, message.Payload)
			}
		}
		// Both runtimes put status and headers before the body.
		prelude, rest, found := strings.Cut(payload.String(), strings.Repeat("\x00", 8))
		if !found || !json.Valid([]byte(prelude)) || rest != "hello" || kinds.String() != "InvokeComplete {}" {
			t.Errorf("payload %q, then %s", payload.String(), &kinds)
		}
	}
}

func brokenResponse(t *testing.T, s subject) {
	l := s.start(t, "broken-stream")
	for range 2 {
		r := l.invoke("{}")
		requireFunctionError(t, r.FunctionError, string(r.Payload), "errorString", "the source dried up")
		if r.Report.ErrorType != "" {
			t.Errorf("report %+v", r.Report)
		}
	}
}
