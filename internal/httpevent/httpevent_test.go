package httpevent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/quotas"
)

// answer serves a request with a function that answers with a payload.
func answer(t *testing.T, payload string) *http.Response {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	Serve(recorder, request, "/", V2, func(context.Context, local.Invocation) (local.Result, error) {
		return local.Result{Payload: []byte(payload)}, nil
	})
	return recorder.Result()
}

func TestResponse(t *testing.T) {
	for _, tt := range []struct {
		payload     string
		status      int
		contentType string
		body        string
	}{
		{`{"statusCode":404,"body":"gone","headers":{"Content-Type":"text/plain"}}`, 404, "text/plain", "gone"},
		{`{"statusCode":200}`, 200, "application/json", ""},
		{`{"statusCode":200,"body":{"n":1}}`, 200, "application/json", `{"n":1}`},
		{`{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, 200, "application/json", "\x00\xff"},
		{`{"statusCode":200,"headers":{"x-number":1,"content-length":"99"},"body":"x"}`, 200, "application/json", "x"},
		{`{"n":1}`, 200, "application/json", `{"n":1}`},
		{`"text"`, 200, "application/json", `"text"`},
		{`null`, 200, "application/json", `null`},
		{`{"statusCode":99}`, 502, "application/json", ""},
		{`{"statusCode":"ok"}`, 502, "application/json", "{\"message\":\"Internal Server Error\"}\n"},
		{`{"statusCode":200,"body":"%","isBase64Encoded":true}`, 502, "application/json", "{\"message\":\"Internal Server Error\"}\n"},
	} {
		response := answer(t, tt.payload)
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != tt.status || response.Header.Get("Content-Type") != tt.contentType || string(body) != tt.body {
			t.Errorf("%s: %d %v %q, %v", tt.payload, response.StatusCode, response.Header, body, err)
		}
	}
}

func TestResponseHeaders(t *testing.T) {
	header := answer(t, `{"statusCode":200,"headers":{"x-text":"a\"b","x-large":1000000,"x-exact":9007199254740993,"x-true":true,"x-null":null}}`).Header
	for name, want := range map[string]string{"X-Text": `a"b`, "X-Large": "1000000", "X-Exact": "9007199254740993", "X-True": "true"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if header.Values("X-Null") != nil {
		t.Errorf("null became %q", header.Values("X-Null"))
	}
}

// The message of a failure is of any size, and a header is not.
func TestLongFailure(t *testing.T) {
	recorder, _ := streamed(t, integration, "", local.Result{
		FunctionError: "Unhandled", Payload: []byte(`{"errorType":"E","errorMessage":"` + strings.Repeat("é", 1<<20) + `"}`),
	})
	if got := recorder.Header().Get("X-Golam-Error"); !strings.HasPrefix(got, "E: ") || len(got) > 1<<10 {
		t.Errorf("a header of %d bytes", len(got))
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		err    error
		body   io.Reader
		status int
	}{
		{&local.RequestError{StatusCode: 429, Type: "TooManyRequestsException"}, http.NoBody, 429},
		{local.ErrClosed, http.NoBody, 503},
		{nil, bytes.NewReader(make([]byte, quotas.MaxPayload+1)), 413},
		{nil, brokenBody{}, 400},
	} {
		recorder := httptest.NewRecorder()
		Serve(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", tt.body), "/", V2,
			func(context.Context, local.Invocation) (local.Result, error) { return local.Result{}, tt.err })
		if recorder.Code != tt.status {
			t.Errorf("%v: %d %s", tt.err, recorder.Code, recorder.Body)
		}
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("broken off") }

// stream serves a request with a function that streams.
func streamed(t *testing.T, contentType, body string, result local.Result) (recorder *httptest.ResponseRecorder, aborted bool) {
	t.Helper()
	defer func() { aborted = recover() != nil }()
	recorder = httptest.NewRecorder()
	Serve(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody), "/", V2,
		func(_ context.Context, in local.Invocation) (local.Result, error) {
			_, _ = io.Copy(in.Stream(contentType), strings.NewReader(body))
			result.Streamed = true
			return result, nil
		})
	return recorder, false
}

func TestStreamed(t *testing.T) {
	end := strings.Repeat("\x00", 8)
	failed := local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"E","errorMessage":"m"}`)}
	for _, tt := range []struct {
		name, contentType, body string
		result                  local.Result
		status                  int
		want                    string
		aborted                 bool
	}{
		{"prelude", integration, `{"statusCode":201,"headers":{"x":"y"}}` + end + "body", local.Result{}, 201, "body", false},
		{"prelude alone", integration, `{}` + end, local.Result{}, 200, "", false},
		{"no prelude", integration, "body", local.Result{}, 502, "{\"message\":\"Internal Server Error\"}\n", false},
		{"prelude that is none", integration, "x" + end, local.Result{}, 502, "{\"message\":\"Internal Server Error\"}\n", false},
		{"endless prelude", integration, strings.Repeat("x", 2*maxPrelude), local.Result{}, 502, "{\"message\":\"Internal Server Error\"}\n", false},
		{"bare", "text/plain", "body", local.Result{}, 200, "body", false},
		{"fails after it began", "text/plain", "body", failed, 200, "body", true},
		{"fails before it began", integration, "", failed, 502, "{\"message\":\"Internal Server Error\"}\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recorder, aborted := streamed(t, tt.contentType, tt.body, tt.result)
			if recorder.Code != tt.status || recorder.Body.String() != tt.want || aborted != tt.aborted {
				t.Errorf("got %d %q, aborted %v", recorder.Code, recorder.Body, aborted)
			}
		})
	}
}

func FuzzResponse(f *testing.F) {
	f.Add(`{"statusCode":200,"headers":{"a":"b"},"cookies":["c"],"body":"d","isBase64Encoded":false}`)
	f.Add(`{"statusCode":200,"headers":{"a\n":null},"body":[1]}`)
	f.Fuzz(func(t *testing.T, payload string) { answer(t, payload).Body.Close() })
}

func FuzzStream(f *testing.F) {
	f.Add(`{"statusCode":200}`+strings.Repeat("\x00", 8)+"x", true)
	f.Add("x", false)
	f.Fuzz(func(t *testing.T, body string, prelude bool) {
		kind := "x"
		if prelude {
			kind = integration
		}
		streamed(t, kind, body, local.Result{})
	})
}
