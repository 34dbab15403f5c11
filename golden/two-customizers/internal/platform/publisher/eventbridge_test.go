package publisher

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endpoint serves EventBridge with a handler and points the environment at it.
func endpoint(t *testing.T, handler http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", server.URL)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	t.Setenv("AWS_SESSION_TOKEN", "session")
}

func TestPutEventsRequest(t *testing.T) {
	var header http.Header
	var body []byte
	endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"FailedEntryCount":1,"Entries":[{"EventId":"1"},{"ErrorCode":"InternalFailure","ErrorMessage":"sorry"}]}`)
	})
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	codes, err := newEventBridge(defaultTimeout).put(t.Context(), []entry{
		{busName: "tokens", source: "demo", detailType: "Done.v1", detail: `{"a":1}`, traceHeader: "Root=1", time: at}, {busName: "tokens", detail: `{"a":2}`, time: at},
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(codes, ",") != ",InternalFailure" {
		t.Errorf("codes %q", codes)
	}
	if got := header.Get("X-Amz-Target"); got != "AWSEvents.PutEvents" {
		t.Errorf("target %q", got)
	}
	if got := header.Get("X-Amz-Security-Token"); got != "session" {
		t.Errorf("session token %q", got)
	}
	if got := header.Get("Authorization"); !strings.HasPrefix(got, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(got, "/eu-west-1/events/aws4_request") {
		t.Errorf("authorization %q", got)
	}
	var sent struct {
		Entries []struct {
			EventBusName, Source, DetailType, Detail, TraceHeader string
			Time                                                  float64
		}
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	if len(sent.Entries) != 2 {
		t.Fatalf("sent %s", body)
	}
	if got := sent.Entries[0]; got.EventBusName != "tokens" || got.Source != "demo" || got.DetailType != "Done.v1" ||
		got.Detail != `{"a":1}` || got.TraceHeader != "Root=1" || got.Time != float64(at.Unix()) {
		t.Errorf("sent %+v", got)
	}
}

// refusing returns an address that refuses connections until the test ends: its socket is bound but does not listen.
func refusing(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strconv.Itoa(address.(*syscall.SockaddrInet4).Port)
}

func TestPutEventsFails(t *testing.T) {
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		handler         http.HandlerFunc
		variable, value string // in the environment
		retryable       bool
	}{
		"500":         {handler: status(500, `{"__type":"InternalException"}`), retryable: true},
		"503":         {handler: status(503, ``), retryable: true},
		"408":         {handler: status(408, `{"__type":"RequestTimeoutException"}`), retryable: true},
		"throttled":   {handler: status(429, `{"__type":"ThrottlingException"}`), retryable: true},
		"denied":      {handler: status(400, `{"__type":"AccessDeniedException"}`)},
		"no such bus": {handler: status(400, `{"__type":"ResourceNotFoundException"}`)},
		"expired":     {handler: status(400, `{"__type":"ExpiredTokenException"}`)},
		"no JSON":     {handler: status(200, `<html>`)},
		"half JSON":   {handler: status(200, `{"FailedEntryCount":0,"Entr`)},
		"redirect": {handler: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
		"cut off": {retryable: true, handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entr`)
		}},
		"hangs up": {retryable: true, handler: func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}},
		"nobody listens": {retryable: true, handler: status(200, ``), variable: "AWS_ENDPOINT_URL_EVENTBRIDGE", value: "http://" + refusing(t)},
		"no credentials": {handler: status(200, ``), variable: "AWS_ACCESS_KEY_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint(t, test.handler)
			if test.variable != "" {
				t.Setenv(test.variable, test.value)
			}
			bus := newEventBridge(defaultTimeout)
			codes, err := bus.put(t.Context(), []entry{{busName: "tokens", detail: `{}`, time: time.Now()}})
			if err == nil {
				t.Fatalf("no error, but %q", codes)
			}
			if got := bus.retryable(err); got != test.retryable {
				t.Errorf("retryable %v, want %v: %v", got, test.retryable, err)
			}
		})
	}
}
