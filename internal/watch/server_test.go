package watch

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/testkit"
)

// A function that streams through aws-lambda-go's own wrapper of HTTP handlers, and one that answers as a whole.
var webFunctions = map[string]string{
	"cmd/hello/main.go": `package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambdaurl"
)

func main() {
	lambdaurl.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/x-streamed")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s\n", r.Method, r.URL, body)
		for until := r.URL.Query().Get("until"); until != ""; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(until); err == nil {
				break
			}
		}
		fmt.Fprintln(w, "end")
	}))
}
`,
	"cmd/whole/main.go": `package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, e events.APIGatewayV2HTTPRequest) (any, error) {
		switch e.RawPath {
		case "/fail":
			return nil, errors.New("no luck")
		case "/plain":
			return map[string]int{"n": 1}, nil
		case "/binary":
			return events.APIGatewayV2HTTPResponse{StatusCode: 201, Body: "AP8=", IsBase64Encoded: true,
				Headers: map[string]string{"content-type": "application/octet-stream"}, Cookies: []string{"a=1", "b=2"}}, nil
		}
		body, err := json.Marshal(e)
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: string(body)}, err
	})
}
`,
}

func TestHTTP(t *testing.T) {
	testkit.Slow(t)
	w := start(t, makeProject(t, webFunctions))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	do := func(method, path, body string, header ...string) (*http.Response, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, w.server.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			request.Header.Add(header[i], header[i+1])
			if header[i] == "Host" {
				request.Host = header[i+1]
			}
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(content)
	}

	t.Run("event", func(t *testing.T) {
		_, body := do("POST", "/lambda-url/whole/a%20b/c?x=1&x=2&y=%20", `{"k":"v"}`, "Content-Type", "application/json", "Cookie", "a=1; b=2", "X-Two", "1", "X-Two", "2")
		var event struct {
			Version, RawPath, RawQueryString, Body string
			Cookies                                []string
			Headers, QueryStringParameters         map[string]string
			IsBase64Encoded                        bool
			RequestContext                         struct {
				HTTP  struct{ Method, Path, SourceIP string }
				Stage string
			}
		}
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if event.Version != "2.0" || event.RawPath != "/a%20b/c" || event.RawQueryString != "x=1&x=2&y=%20" || event.Body != `{"k":"v"}` ||
			event.IsBase64Encoded || strings.Join(event.Cookies, "|") != "a=1|b=2" || event.Headers["x-two"] != "1,2" ||
			event.QueryStringParameters["x"] != "1,2" || event.QueryStringParameters["y"] != " " || event.RequestContext.HTTP.Method != "POST" ||
			event.RequestContext.HTTP.SourceIP != "127.0.0.1" || event.RequestContext.Stage != "$default" {
			t.Errorf("the event is %s", body)
		}
		if _, body = do("POST", "/lambda-url/whole/", "\x00\xff"); !strings.Contains(body, `"AP8="`) {
			t.Errorf("binary content arrives as %s", body)
		}
	})
	t.Run("host of its own", func(t *testing.T) {
		address, err := url.Parse(w.server.url)
		if err != nil {
			t.Fatal(err)
		}
		if response, body := do("GET", "/plain", "", "Host", "whole.localhost:"+address.Port()); response.StatusCode != 200 || body != `{"n":1}` ||
			response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %d %v %s", response.StatusCode, response.Header, body)
		}
	})
	t.Run("response", func(t *testing.T) {
		response, body := do("GET", "/lambda-url/whole/binary", "")
		if response.StatusCode != 201 || body != "\x00\xff" || response.Header.Get("Content-Type") != "application/octet-stream" ||
			len(response.Header.Values("Set-Cookie")) != 2 {
			t.Errorf("got %d %v %q", response.StatusCode, response.Header, body)
		}
		response, body = do("GET", "/lambda-url/whole/fail", "")
		if response.StatusCode != 502 || body != "{\"message\":\"Internal Server Error\"}\n" || response.Header.Get("X-Golam-Error") != "errorString: no luck" {
			t.Errorf("got %d %v %q", response.StatusCode, response.Header, body)
		}
	})
	t.Run("stream", func(t *testing.T) {
		sign := filepath.Join(t.TempDir(), "sign")
		response, err := client.Post(w.server.url+"/lambda-url/hello/a?until="+url.QueryEscape(sign), "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		reader := bufio.NewReader(response.Body)
		first, err := reader.ReadString('\n') // the function has not ended
		if err != nil || !strings.HasPrefix(first, "POST https://127.0.0.1/a?until=") || !strings.HasSuffix(first, " body\n") {
			t.Errorf("got %q, %v", first, err)
		}
		if response.StatusCode != http.StatusTeapot || response.Header.Get("Content-Type") != "text/x-streamed" || response.Header.Get("Set-Cookie") != "a=1" {
			t.Errorf("got %d %v", response.StatusCode, response.Header)
		}
		testkit.Write(t, sign, "")
		if rest, err := io.ReadAll(reader); err != nil || string(rest) != "end\n" {
			t.Errorf("got %q, %v", rest, err)
		}
	})
	t.Run("who may ask", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			header []string
			status int
		}{
			{"rebound name", []string{"Host", "evil.example"}, 403},
			{"IPv4 in IPv6", []string{"Host", "[::ffff:127.0.0.1]"}, 403},
			{"every address", []string{"Host", "0.0.0.0"}, 403},
			{"browser that says nothing of its page", []string{"User-Agent", "Mozilla/5.0"}, 403},
			{"page of another site", []string{"Origin", "https://evil.example"}, 403},
			{"page of an address elsewhere", []string{"Origin", "http://192.0.2.1"}, 403},
			{"form of another site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
			{"sandboxed page", []string{"Origin", "null"}, 403},
			{"page of this machine", []string{"Origin", "http://localhost:5173", "Sec-Fetch-Site", "same-site"}, 200},
			{"no page", nil, 200},
		} {
			if response, body := do("POST", "/lambda-url/whole/plain", "", tt.header...); response.StatusCode != tt.status {
				t.Errorf("%s: %d %s", tt.name, response.StatusCode, body)
			}
		}
		for _, tt := range []struct {
			name, mode, dest, user string
			status                 int
		}{
			{"image", "no-cors", "image", "", 403},
			{"fetch", "no-cors", "empty", "", 403},
			{"frame", "navigate", "iframe", "?1", 403},
			{"link", "navigate", "document", "?1", 200},
			{"navigation by script", "navigate", "document", "", 403},
		} {
			response, body := do("GET", "/lambda-url/whole/plain", "",
				"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", tt.mode, "Sec-Fetch-Dest", tt.dest, "Sec-Fetch-User", tt.user)
			if response.StatusCode != tt.status {
				t.Errorf("%s of another site: %d %s", tt.name, response.StatusCode, body)
			}
		}
	})
	t.Run("names and paths", func(t *testing.T) {
		for _, tt := range []struct{ method, path, host, body string }{
			{"GET", "/plain", "WHOLE.localhost", `{"n":1}`},
			{"GET", "/lambda-url/whole/a//b/../c", "", `"rawPath":"/a//b/../c"`},
			{"GET", "/lambda-url/whole", "", `"rawPath":"/"`},
			{"POST", "/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:whole/invocations", "", `"rawPath":""`},
		} {
			var header []string
			if tt.host != "" {
				header = []string{"Host", tt.host}
			}
			response, body := do(tt.method, tt.path, "{}", header...)
			if body = strings.ReplaceAll(body, `\"`, `"`); response.StatusCode != 200 || !strings.Contains(body, tt.body) {
				t.Errorf("%s: %d %s", tt.path, response.StatusCode, body)
			}
		}
	})
	t.Run("nothing there", func(t *testing.T) {
		for _, path := range []string{"/", "/lambda-url/nobody/", "/2015-03-31/functions/nobody/invocations"} {
			if response, body := do("POST", path, ""); response.StatusCode != 404 {
				t.Errorf("%s: %d %s", path, response.StatusCode, body)
			}
		}
	})
}

// A function gets requests in the format that its handler takes, and golam says which one that is.
func TestPayload(t *testing.T) {
	testkit.Slow(t)
	handler := func(request, response string) string {
		return strings.NewReplacer("REQUEST", request, "RESPONSE", response).Replace(`package main

import (
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(r events.REQUEST) (events.RESPONSE, error) {
		return events.RESPONSE{
			StatusCode:        200,
			MultiValueHeaders: map[string][]string{"Set-Cookie": {"a=1", "b=2"}, "X-Kind": {"old"}},
			Body:              fmt.Sprintf("%s %s %v %v", r.HTTPMethod, r.Path, r.QueryStringParameters, r.MultiValueQueryStringParameters),
		}, nil
	})
}
`)
	}
	rest := handler("APIGatewayProxyRequest", "APIGatewayProxyResponse")
	w := start(t, makeProject(t, map[string]string{
		"cmd/hello/main.go":    "",
		"cmd/rest/main.go":     rest,
		"cmd/balancer/main.go": handler("ALBTargetGroupRequest", "ALBTargetGroupResponse"),
		"cmd/url/main.go": `package main

import (
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(r events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
		return events.LambdaFunctionURLResponse{
			StatusCode: 200, Cookies: []string{"a=1", "b=2"}, Headers: map[string]string{"X-Kind": "old"}, Body: r.RequestContext.HTTP.Method + " " + r.RawPath,
		}, nil
	})
}
`,
	}))
	w.settle()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func(function, path string) (*http.Response, string) {
		t.Helper()
		response, err := client.Get(w.server.url + "/lambda-url/" + function + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	for _, tt := range []struct{ function, format, body string }{
		{"rest", "1.0", "GET /a/b map[x:2] map[x:[1 2]]"},
		{"balancer", "alb", "GET /a/b map[x:2] map[x:[1 2]]"},
		{"url", "2.0", "GET /a/b"},
	} {
		response, body := get(tt.function, "/a/b?x=1&x=2")
		if response.StatusCode != 200 || body != tt.body || response.Header.Get("X-Kind") != "old" ||
			strings.Join(response.Header.Values("Set-Cookie"), "|") != "a=1|b=2" {
			t.Errorf("%s: %d %v %s", tt.function, response.StatusCode, response.Header, body)
		}
		built := w.sees("the first build", func(e Event) bool { return e.Type == EventBuilt })
		for _, f := range built.Functions {
			if f.Name == tt.function && f.Payload.Format != tt.format {
				t.Errorf("%+v", f)
			}
		}
	}
	w.sees("what rest gets", func(e Event) bool {
		return e.Note == "rest gets HTTP requests as from a REST API (payload 1.0): its handler takes events.APIGatewayProxyRequest"
	})
	w.sees("what balancer gets", func(e Event) bool {
		return e.Note == "balancer gets HTTP requests as from a load balancer: its handler takes events.ALBTargetGroupRequest"
	})

	// The project may say otherwise, and change its mind.
	w.write("golam.yaml", "functions:\n  - name: rest\n    payload: \"2.0\"\n")
	w.settle()
	w.sees("what golam.yaml says", func(e Event) bool {
		return e.Note == "rest gets HTTP requests as from an HTTP API or a function URL (payload 2.0): golam.yaml says so"
	})
	if _, body := get("rest", "/a"); !strings.HasPrefix(body, "  map[]") {
		t.Errorf("with payload 2.0 a function of a REST API answers %q", body)
	}
	w.write("golam.yaml", "functions:\n  - name: rest\n")
	w.write("cmd/rest/main.go", strings.ReplaceAll(rest, "old", "new"))
	w.settle()
	if response, body := get("rest", "/a"); body != "GET /a map[] map[]" || response.Header.Get("X-Kind") != "new" {
		t.Errorf("as before: %q", body)
	}
}

// TestPayloadOfTheSameBuild: golam may build the newest source before it has read the newest golam.yaml. Then the format changes later.
func TestPayloadOfTheSameBuild(t *testing.T) {
	s := &Session{
		server: &server{}, events: make(chan Event, 10), envFiles: map[string]envFile{},
		state: map[string]functionState{"f": {
			Function: running.Function{Name: "f", Serving: true}, bootstrap: "build", serves: build.Payload{Format: build.PayloadV2},
		}},
	}
	format := func(f build.Current) string {
		t.Helper()
		f.Function, f.Bootstrap = build.Function{Name: "f"}, "build"
		if err := s.swap([]build.Current{f}, false, map[string]string{}, &Build{}); err != nil {
			t.Fatal(err)
		}
		return s.state["f"].serves.Format
	}
	v1 := build.Payload{Format: build.PayloadV1, Reason: "golam.yaml says so", Configured: true}
	if got := format(build.Current{Payload: v1, Stale: true}); got != build.PayloadV2 {
		t.Errorf("while a newer source is not built, the format is %s", got)
	}
	if got := format(build.Current{Payload: v1, Err: errors.New("a mistake")}); got != build.PayloadV2 {
		t.Errorf("while a newer source is broken, the format is %s", got)
	}
	if got := format(build.Current{Payload: v1}); got != build.PayloadV1 {
		t.Errorf("of the newest source, the format is %s", got)
	}
}
