package httpevent

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/local"
)

// The members of events, by the names that AWS documents.
type restEvent struct {
	Resource, Path, HTTPMethod, Body                               string
	Headers, QueryStringParameters, PathParameters, StageVariables map[string]string
	MultiValueHeaders, MultiValueQueryStringParameters             map[string][]string
	IsBase64Encoded                                                bool
	RequestContext                                                 struct {
		Path, Stage, ResourcePath, HTTPMethod, Protocol, DomainName string
		Identity                                                    struct{ SourceIP, UserAgent string }
	}
}

type albEvent struct {
	HTTPMethod, Path, Body                             string
	Headers, QueryStringParameters                     map[string]string
	MultiValueHeaders, MultiValueQueryStringParameters map[string][]string
	IsBase64Encoded                                    bool
	RequestContext                                     struct {
		ELB struct{ TargetGroupArn string }
	}
}

// eventOf is what a function gets, and its fields.
func eventOf(t *testing.T, format Format, r *http.Request, path string, into any) map[string]json.RawMessage {
	t.Helper()
	var payload []byte
	recorder := httptest.NewRecorder()
	Serve(recorder, r, path, format, func(_ context.Context, in local.Invocation) (local.Result, error) {
		payload = in.Payload
		return local.Result{Payload: []byte(`{"statusCode":204}`)}, nil
	})
	if recorder.Code != http.StatusNoContent {
		t.Fatalf("status %d %s", recorder.Code, recorder.Body)
	}
	var fields map[string]json.RawMessage
	for _, value := range []any{into, &fields} {
		if err := json.Unmarshal(payload, value); err != nil {
			t.Fatal(err)
		}
	}
	return fields
}

func request(t *testing.T, method, target, body string, header ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestEventV1(t *testing.T) {
	var e restEvent
	eventOf(t, V1, request(t, "POST", "http://hello.localhost:9001/a%20b/c?x=1&x=2&y=%20z", "{}", "X-Two", "1", "X-Two", "2", "Cookie", "a=1", "User-Agent", "test"), "/a%20b/c", &e)
	same(t, "path", e.Path, "/a%20b/c")
	same(t, "resource", e.Resource, "/{proxy+}")
	same(t, "path parameters", e.PathParameters, map[string]string{"proxy": "a b/c"})
	same(t, "method", e.HTTPMethod, "POST")
	same(t, "parameters", e.QueryStringParameters, map[string]string{"x": "2", "y": " z"})
	same(t, "several parameters", e.MultiValueQueryStringParameters, map[string][]string{"x": {"1", "2"}, "y": {" z"}})
	same(t, "header", e.Headers["X-Two"], "2")
	same(t, "several headers", e.MultiValueHeaders["X-Two"], []string{"1", "2"})
	same(t, "cookie", e.MultiValueHeaders["Cookie"], []string{"a=1"})
	same(t, "host", e.Headers["Host"], "hello.localhost:9001")
	same(t, "forwarded", []string{e.Headers["X-Forwarded-For"], e.Headers["X-Forwarded-Proto"], e.Headers["X-Forwarded-Port"]}, []string{"192.0.2.1", "http", "9001"})
	same(t, "body", e.Body, "{}")
	same(t, "context", []string{
		e.RequestContext.Path, e.RequestContext.Stage, e.RequestContext.ResourcePath, e.RequestContext.HTTPMethod, e.RequestContext.Identity.SourceIP,
		e.RequestContext.Identity.UserAgent, e.RequestContext.Protocol, e.RequestContext.DomainName,
	}, []string{"/Prod/a%20b/c", "Prod", "/{proxy+}", "POST", "192.0.2.1", "test", "HTTP/1.1", "hello.localhost"})

	e = restEvent{}
	fields := eventOf(t, V1, request(t, "GET", "/", ""), "/", &e)
	same(t, "resource of /", e.Resource, "/")
	for _, name := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"} {
		if string(fields[name]) != "null" {
			t.Errorf("%s is %s, want null", name, fields[name])
		}
	}
	eventOf(t, V1, request(t, "POST", "/", "\x00\xff"), "/", &e)
	same(t, "binary body", []any{e.Body, e.IsBase64Encoded}, []any{"AP8=", true})
	eventOf(t, V1, request(t, "POST", "/", "a=1", "Content-Type", "application/x-www-form-urlencoded"), "/", &e)
	same(t, "form", []any{e.Body, e.IsBase64Encoded}, []any{"a=1", false})
}

func TestEventALB(t *testing.T) {
	var e albEvent
	eventOf(t, ALB, request(t, "PUT", "/a%20b?x=1&x=%20&y", "{}", "X-Two", "1", "X-Two", "2", "Content-Type", "application/json"), "/a%20b", &e)
	same(t, "path", e.Path, "/a%20b")
	same(t, "method", e.HTTPMethod, "PUT")
	same(t, "parameters", e.QueryStringParameters, map[string]string{"x": "%20", "y": ""})
	same(t, "several parameters", e.MultiValueQueryStringParameters, map[string][]string{"x": {"1", "%20"}, "y": {""}})
	same(t, "header", e.Headers["x-two"], "2")
	same(t, "several headers", e.MultiValueHeaders["x-two"], []string{"1", "2"})
	same(t, "body", []any{e.Body, e.IsBase64Encoded}, []any{"{}", false})
	if !strings.HasPrefix(e.RequestContext.ELB.TargetGroupArn, "arn:aws:elasticloadbalancing:") {
		t.Errorf("target group %q", e.RequestContext.ELB.TargetGroupArn)
	}
	eventOf(t, ALB, request(t, "POST", "/", "a=1", "Content-Type", "application/x-www-form-urlencoded"), "/", &e)
	same(t, "form", []any{e.Body, e.IsBase64Encoded}, []any{"YT0x", true})
	eventOf(t, ALB, request(t, "POST", "/", "{}", "Content-Type", "application/json", "Content-Encoding", "br"), "/", &e)
	same(t, "encoded body", []any{e.Body, e.IsBase64Encoded}, []any{"e30=", true})

	recorder := httptest.NewRecorder()
	Serve(recorder, request(t, "POST", "/", strings.Repeat("x", maxALB+1)), "/", ALB, nil)
	same(t, "status of a large request", recorder.Code, http.StatusRequestEntityTooLarge)
}

func TestProxyResponse(t *testing.T) {
	const failed = "{\"message\":\"Internal server error\"}\n"
	for _, tt := range []struct {
		format      Format
		payload     string
		status      int
		contentType string
		cookies     []string
		body        string
	}{
		{V1, `{"statusCode":201,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"],"content-type":["text/plain"]},"body":"x"}`, 201, "text/plain", []string{"a=1", "b=2"}, "x"},
		{V1, `{"statusCode":200,"headers":{"set-cookie":"c=3"},"multiValueHeaders":{"Set-Cookie":["a=1"]}}`, 200, "application/json", []string{"a=1"}, ""},
		{V1, `{"statusCode":200,"headers":{"Set-Cookie":"c=3","content-length":"99"},"multiValueHeaders":null,"body":"AP8=","isBase64Encoded":true}`, 200, "application/json", []string{"c=3"}, "\x00\xff"},
		{V1, `{}`, 200, "application/json", nil, ""},
		{V1, `{"statusCode":200,"body":{"n":1}}`, 502, "application/json", nil, failed},
		{V1, `{"statusCode":200,"cookies":["a=1"]}`, 502, "application/json", nil, failed},
		{V1, `{"n":1}`, 502, "application/json", nil, failed},
		{V1, `"text"`, 502, "application/json", nil, failed},
		{V1, `{"statusCode":99}`, 502, "application/json", nil, failed},
		{V1, `{"statusCode":200,"body":"%","isBase64Encoded":true}`, 502, "application/json", nil, failed},
		{ALB, `{"statusCode":200,"statusDescription":"200 OK","headers":{"Content-Type":"text/plain"},"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"x"}`, 200, "text/plain", []string{"a=1", "b=2"}, "x"},
		{ALB, `{"statusCode":200,"body":"<html>"}`, 200, "", nil, "<html>"},
		{ALB, `{"body":"x"}`, 502, "text/html", nil, "502 Bad Gateway"},
		{ALB, `"text"`, 502, "text/html", nil, "502 Bad Gateway"},
		{ALB, `{"statusCode":200,"body":"` + strings.Repeat("x", maxALB) + `"}`, 502, "text/html", nil, "502 Bad Gateway"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			Serve(w, r, "/", tt.format, func(context.Context, local.Invocation) (local.Result, error) {
				return local.Result{Payload: []byte(tt.payload)}, nil
			})
		}))
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		server.Close()
		name := tt.payload[:min(len(tt.payload), 80)]
		if err != nil || response.StatusCode != tt.status || response.Header.Get("Content-Type") != tt.contentType ||
			!slices.Equal(response.Header.Values("Set-Cookie"), tt.cookies) || string(body) != tt.body && !strings.Contains(string(body), "<h1>"+tt.body+"</h1>") {
			t.Errorf("%s %s: %d %v %q, %v", tt.format, name, response.StatusCode, response.Header, body, err)
		}
		if (response.Header.Get("X-Golam-Error") != "") != (tt.status == 502) {
			t.Errorf("%s %s: reason %q", tt.format, name, response.Header.Get("X-Golam-Error"))
		}
	}
}

func TestProxyFailure(t *testing.T) {
	for format, want := range map[Format]string{V1: `{"message":"Internal server error"}`, V2: `{"message":"Internal Server Error"}`, ALB: "<h1>502 Bad Gateway</h1>"} {
		recorder := httptest.NewRecorder()
		Serve(recorder, request(t, "GET", "/", ""), "/", format, func(context.Context, local.Invocation) (local.Result, error) {
			return local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"T","errorMessage":"m"}`)}, nil
		})
		if recorder.Code != 502 || !strings.Contains(recorder.Body.String(), want) || recorder.Header().Get("X-Golam-Error") != "T: m" {
			t.Errorf("%s: %d %s", format, recorder.Code, recorder.Body)
		}
	}
}
