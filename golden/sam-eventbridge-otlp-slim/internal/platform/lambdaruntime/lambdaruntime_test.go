package lambdaruntime

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// handlerFunc is a function as a Handler.
type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// post is what the function sends to Lambda.
type post struct {
	path, body string
	header     http.Header
}

// lambda is a Runtime API that hands out some events and then fails. It returns what is posted to it.
func lambda(t *testing.T, header http.Header, events ...string) *[]post {
	t.Helper()
	var posts []post
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if len(events) == 0 {
				http.Error(w, `{"errorType":"Done"}`, http.StatusForbidden)
				return
			}
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "id-"+strconv.Itoa(len(events)))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
			for name, values := range header {
				w.Header()[name] = values
			}
			_, _ = io.WriteString(w, events[0])
			events = events[1:]
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		posts = append(posts, post{r.URL.Path, string(body), r.Header})
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(server.URL, "http://"))
	return &posts
}

// serveAll serves the events of a Runtime API and expects the reason for the end to contain the text.
func serveAll(t *testing.T, handler handlerFunc, reason string) {
	t.Helper()
	api, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if err := api.run(handler); err == nil || !strings.Contains(err.Error(), reason) {
		t.Fatalf("ended with %v, want %q", err, reason)
	}
}

const done = "Lambda answers with status 403: \"{\\\"errorType\\\":\\\"Done\\\"}"

func TestInvocations(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	posts := lambda(t, nil, "1", `{"a":2}`, big)
	serveAll(t, func(_ context.Context, payload []byte) ([]byte, error) {
		return []byte("[" + string(payload) + "]"), nil
	}, done)
	var got []string
	for _, post := range *posts {
		got = append(got, post.path, post.body, post.header.Get("Content-Type"))
	}
	const path = "/2018-06-01/runtime/invocation/"
	want := []string{
		path + "id-3/response", "[1]", "application/json", path + "id-2/response", `[{"a":2}]`, "application/json",
		path + "id-1/response", "[" + big + "]", "application/json",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %.300q", got)
	}
}

func TestContext(t *testing.T) {
	lambda(t, http.Header{
		"Lambda-Runtime-Invoked-Function-Arn": {"arn:aws:lambda:eu-west-1:123456789012:function:f"},
		"Lambda-Runtime-Trace-Id":             {"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"},
		"Lambda-Runtime-Aws-Tenant-Id":        {"tenant"},
		"Lambda-Runtime-Cognito-Identity":     {`{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}`},
		"Lambda-Runtime-Client-Context": {`{"client":{"installation_id":"i","app_title":"t","app_version_code":"1","app_package_name":"p"},` +
			`"env":{"e":"1"},"custom":{"text":"\u00e9","object":{"a":1}}}`},
	}, "{}")
	var invocation context.Context
	serveAll(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		invocation = ctx
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) < 50*time.Second || time.Until(deadline) > time.Minute {
			t.Errorf("deadline %v", deadline)
		}
		if ctx.Err() != nil {
			t.Error("the context has ended already")
		}
		got, ok := FromContext(ctx)
		want := &LambdaContext{
			AwsRequestID: "id-1", InvokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:f", TenantID: "tenant",
			Identity: CognitoIdentity{CognitoIdentityID: "id", CognitoIdentityPoolID: "pool"},
			ClientContext: ClientContext{
				Client: ClientApplication{InstallationID: "i", AppTitle: "t", AppVersionCode: "1", AppPackageName: "p"},
				Env:    map[string]string{"e": "1"}, Custom: map[string]string{"text": "é", "object": `{"a":1}`},
			},
		}
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		for _, trace := range []any{ctx.Value("x-amzn-trace-id"), os.Getenv("_X_AMZN_TRACE_ID")} {
			if trace != "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1" {
				t.Errorf("trace %v", trace)
			}
		}
		return nil, nil
	}, done)
	if !errors.Is(invocation.Err(), context.Canceled) {
		t.Errorf("after the answer: %v", invocation.Err())
	}
	if _, ok := FromContext(t.Context()); ok {
		t.Error("there is an invocation where there is none")
	}
}

func TestInvocationThatCannotBeRead(t *testing.T) {
	for name, header := range map[string]http.Header{
		"deadline":       {"Lambda-Runtime-Deadline-Ms": {"soon"}},
		"identity":       {"Lambda-Runtime-Cognito-Identity": {"{"}},
		"client context": {"Lambda-Runtime-Client-Context": {"e30="}},
	} {
		t.Run(name, func(t *testing.T) {
			posts := lambda(t, header, "1", "2")
			serveAll(t, func(context.Context, []byte) ([]byte, error) { panic("it is called") }, done)
			if len(*posts) != 2 || !strings.HasSuffix((*posts)[1].path, "/id-1/error") {
				t.Errorf("posted %+v", *posts)
			}
		})
	}
}

type quotaError struct{ text string }

func (e *quotaError) Error() string { return e.text }

// report is an error as Lambda receives it.
type report struct {
	ErrorMessage, ErrorType string
	StackTrace              []struct {
		Path  string
		Line  int
		Label string
	}
}

func TestErrors(t *testing.T) {
	posts := lambda(t, nil, "1", "2")
	serveAll(t, func(_ context.Context, payload []byte) ([]byte, error) {
		if string(payload) == "2" {
			return []byte("fine"), nil
		}
		return []byte("ignored"), &quotaError{"no \"quota\"\r\nleft"}
	}, done)
	if len(*posts) != 2 {
		t.Fatalf("posted %+v", *posts)
	}
	failed := (*posts)[0]
	if want := `{"errorMessage":"no \"quota\"\u000d\nleft","errorType":"quotaError"}`; failed.path != "/2018-06-01/runtime/invocation/id-2/error" || failed.body != want {
		t.Errorf("got %+v", failed)
	}
	if got := failed.header.Get("Lambda-Runtime-Function-Error-Type"); got != "quotaError" {
		t.Errorf("error type %q", got)
	}
	var cause struct {
		Exceptions []struct{ Type, Message string }
		Paths      []string
	}
	if err := json.Unmarshal([]byte(failed.header.Get("Lambda-Runtime-Function-XRay-Error-Cause")), &cause); err != nil {
		t.Fatal(err)
	}
	if len(cause.Exceptions) != 1 || cause.Exceptions[0].Type != "quotaError" || cause.Exceptions[0].Message != "no \"quota\"\r\nleft" {
		t.Errorf("cause for X-Ray: %+v", cause)
	}
	if (*posts)[1].body != "fine" {
		t.Errorf("after it: %+v", (*posts)[1])
	}
}

func TestPanics(t *testing.T) {
	for name, test := range map[string]struct {
		panics        func()
		kind, message string
	}{
		"text":      {func() { panic("out of cheese") }, "string", "out of cheese"},
		"error":     {func() { panic(&quotaError{"no quota"}) }, "quotaError", "no quota"},
		"number":    {func() { panic(42) }, "int", "42"},
		"stringer":  {func() { panic(time.Second) }, "Duration", "1s"},
		"something": {func() { panic([]int{1}) }, "", "a value of type []int"},
		"nil pointer": {func() {
			var missing *quotaError
			_ = missing.text[0] // which the runtime notices, some frames below
		}, "errorString", "runtime error: invalid memory address or nil pointer dereference"},
		"index": {
			func() { _ = strings.Split("a,b", ",")[len(t.Name())] }, "boundsError",
			"runtime error: index out of range [10] with length 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			posts := lambda(t, nil, "1", "2")
			serveAll(t, func(context.Context, []byte) ([]byte, error) {
				test.panics()
				return nil, nil
			}, "the handler panicked: "+test.message)
			if len(*posts) != 1 {
				t.Fatalf("posted %+v", *posts)
			}
			var got report
			if err := json.Unmarshal([]byte((*posts)[0].body), &got); err != nil {
				t.Fatal(err)
			}
			if got.ErrorType != test.kind || got.ErrorMessage != test.message {
				t.Errorf("got %+v", got)
			}
			if len(got.StackTrace) == 0 || !strings.Contains(got.StackTrace[0].Label, "TestPanics") || got.StackTrace[0].Line == 0 {
				t.Errorf("the stack does not begin where it panicked: %+v", got.StackTrace)
			}
		})
	}
}

func TestInitError(t *testing.T) {
	posts := lambda(t, nil)
	api, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if err := api.reportInit(failureOf(errors.New("no table"))); err != nil {
		t.Fatal(err)
	}
	got := (*posts)[0]
	if got.path != "/2018-06-01/runtime/init/error" || got.body != `{"errorMessage":"no table","errorType":"errorString"}` {
		t.Errorf("got %+v", got)
	}
}

func TestConcurrencyIsRefused(t *testing.T) {
	posts := lambda(t, nil, "1")
	t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", "10")
	serveAll(t, func(context.Context, []byte) ([]byte, error) { panic("it is called") }, "this runtime serves one invocation at a time")
	if len(*posts) != 1 || (*posts)[0].path != "/2018-06-01/runtime/init/error" || strings.Contains((*posts)[0].body, "concurrency") {
		t.Errorf("posted %+v", *posts)
	}
}

func TestAddress(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for address, want := range map[string]string{
		"127.0.0.1:" + port:               "/2018-06-01/runtime/invocation/next",
		"localhost:" + port + "/function": "/function/2018-06-01/runtime/invocation/next",
		"127.0.0.1:" + port + "/a/b/":     "/a/b/2018-06-01/runtime/invocation/next",
	} {
		t.Setenv("AWS_LAMBDA_RUNTIME_API", address)
		serveAll(t, nil, "status 403")
		if asked != want {
			t.Errorf("%s: asked for %s, want %s", address, asked, want)
		}
	}
	for _, address := range []string{"", "127.0.0.1:1\r\nX: y", "127.0.0.1:1/a b", "127.0.0.1:1/é"} {
		t.Setenv("AWS_LAMBDA_RUNTIME_API", address)
		if _, err := connect(); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

func TestSIGTERM(t *testing.T) {
	asked := make(chan string, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Lambda-Extension-Name") + r.Header.Get("Lambda-Extension-Identifier") + string(body)
		w.Header().Set("Lambda-Extension-Identifier", "identifier")
	}))
	defer server.Close()
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(server.URL, "http://"))
	if err := EnableSIGTERM(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`POST /2020-01-01/extension/register lambdaruntime{"events":[]}`, "GET /2020-01-01/extension/event/next identifier",
	} {
		if got := <-asked; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
}

// hangUp at the end of a text makes a script close the connection after it.
const hangUp = "\x00"

// script is a Runtime API that plays back texts, one for each request.
func script(t *testing.T, texts ...string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	t.Setenv("AWS_LAMBDA_RUNTIME_API", listener.Addr().String())
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 64<<10)
			for len(texts) > 0 {
				if n, err := connection.Read(buffer); err != nil || n == 0 {
					break
				}
				text, last := strings.CutSuffix(texts[0], hangUp)
				texts = texts[1:]
				for i := range len(text) { // byte by byte, as slowly as it gets
					if _, err := io.WriteString(connection, text[i:i+1]); err != nil {
						break
					}
				}
				if last {
					break
				}
			}
			_ = connection.Close()
		}
	}()
}

func TestHostileServer(t *testing.T) {
	const (
		event     = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\n"
		one       = event + "Content-Length: 1\r\n\r\n1"
		accepted  = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
		goodbye   = "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
		forbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nend"
	)
	for name, test := range map[string]struct {
		texts  []string
		served int
		reason string
	}{
		"slow bytes":                 {[]string{one, accepted, one, accepted, forbidden}, 2, `status 403: "end"`},
		"connection close":           {[]string{one, goodbye, one, goodbye, forbidden}, 2, "status 403"},
		"closed while idle":          {[]string{one, accepted + hangUp, one, accepted, forbidden}, 2, "status 403"},
		"closed for good":            {[]string{one, accepted, hangUp, hangUp}, 1, "the connection was closed"},
		"closed before the answer":   {[]string{one, hangUp}, 1, "the connection was closed"},
		"cut event":                  {[]string{event + "Content-Length: 9\r\n\r\n1" + hangUp}, 0, "the connection was closed"},
		"garbage":                    {[]string{"garbage\r\n\r\n", "garbage\r\n\r\n"}, 0, "malformed response"},
		"garbage after an answer":    {[]string{one, "garbage\r\n\r\n"}, 1, "malformed response"},
		"no request id":              {[]string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"}, 0, "no request id"},
		"a request id with a path":   {[]string{"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: ../x\r\nContent-Length: 1\r\n\r\n1"}, 0, "no request id"},
		"an answer that is too late": {[]string{one, "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"}, 1, `response: Lambda answers with status 400: "{}"`},
		"an answer that is too long": {[]string{one, "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n"}, 1, "status 413"},
	} {
		t.Run(name, func(t *testing.T) {
			script(t, test.texts...)
			served := 0
			serveAll(t, func(_ context.Context, payload []byte) ([]byte, error) {
				served++
				return payload, nil
			}, test.reason)
			if served != test.served {
				t.Errorf("served %d events, want %d", served, test.served)
			}
		})
	}
}
