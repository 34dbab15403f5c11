package local

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

func TestStream(t *testing.T) {
	tests := []struct {
		event                       string
		errorType, message, payload string
	}{
		{`"go"`, "", "", ""},
		{`"fail"`, "Sorry", "dry", ""},
		{`"hang"`, "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.00 seconds", ""},
		{`"exit"`, "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3", ""},
	}
	for _, tt := range tests {
		t.Run(tt.event, func(t *testing.T) {
			g := newGate(t)
			l := one(t, raw, "stream", g.holds, timeout(time.Second))
			reader, writer := io.Pipe()
			defer reader.Close()
			var contentType string
			result := make(chan Result, 1)
			go func() {
				result <- l.invokeWith(Invocation{Payload: []byte(tt.event), Report: true, Stream: func(kind string) io.Writer {
					contentType = kind
					return writer
				}})
				writer.Close()
			}()
			// The first chunk is here while the function still waits to write the second.
			first := make([]byte, len("first,"))
			if _, err := io.ReadFull(reader, first); err != nil || string(first) != "first," {
				t.Fatalf("got %q, %v", first, err)
			}
			g.open()
			rest, err := io.ReadAll(reader)
			// What a process wrote as it ended may be lost.
			second := []byte("second")
			whole := bytes.Equal(rest, second) || tt.event == `"exit"` && bytes.HasPrefix(second, rest)
			if err != nil || !whole || contentType != "text/x-raw" {
				t.Errorf("got %q of %s, %v", rest, contentType, err)
			}
			r := <-result
			if tt.errorType == "" {
				if r.FunctionError != "" || !r.Streamed || len(r.Payload) > 0 || r.Report.ErrorType != "" {
					t.Errorf("got %+v", r)
				}
				return
			}
			requireFailure(t, r, tt.errorType, strings.ReplaceAll(tt.message, "ID", r.RequestID))
		})
	}
}

// A function whose caller is gone streams on, into nothing.
func TestStreamWithoutReader(t *testing.T) {
	l := one(t, raw, "stream")
	for range 2 {
		r := l.invokeWith(Invocation{Payload: []byte(`1`), Report: true, Stream: func(string) io.Writer { return brokenWriter{} }})
		if r.FunctionError != "" || !r.Streamed {
			t.Errorf("got %+v", r)
		}
	}
	l.requireLog("stream: 202")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("the caller is gone") }

func TestInvokeWithResponseStream(t *testing.T) {
	l := start(t, Config{InvokeAddress: "127.0.0.1:0", Functions: []Function{
		{Name: "stream", Bootstrap: raw, Handler: "stream"}, {Name: "echo", Bootstrap: raw, Handler: "echo"},
	}})
	tests := []struct{ function, event, chunks, complete string }{
		{"stream", `1`, "first,second", `{}`},
		{"stream", `"fail"`, "first,second", `{"ErrorCode":"Unhandled","ErrorDetails":"{\"errorType\":\"Sorry\",\"errorMessage\":\"dry\"}"}`},
		{"echo", `{"n":1}`, `{"n":1}`, `{}`},
	}
	for _, tt := range tests {
		t.Run(tt.function+tt.event, func(t *testing.T) {
			res, body := l.call(call{path: "/2021-11-15/functions/" + tt.function + "/response-streaming-invocations", body: tt.event})
			if res.StatusCode != http.StatusOK {
				t.Fatalf("got %d %s", res.StatusCode, body)
			}
			if id := res.Header.Get(headerAmznRequestID); id == "" || !strings.Contains(l.log(), id) {
				t.Errorf("request id %q is not in the log", id)
			}
			var chunks strings.Builder
			var complete string
			decoder, messages := eventstream.NewDecoder(), strings.NewReader(body)
			for messages.Len() > 0 {
				message, err := decoder.Decode(messages, nil)
				if err != nil {
					t.Fatal(err)
				}
				if message.Headers.Get(":event-type").String() == "PayloadChunk" {
					chunks.Write(message.Payload)
				} else {
					complete = string(message.Payload)
				}
			}
			if chunks.String() != tt.chunks || complete != tt.complete {
				t.Errorf("got %q, %s", chunks.String(), complete)
			}
		})
	}
}

// A stream whose function cannot go on breaks off: nothing that is no message of the stream follows what has come.
func TestInvokeWithResponseStreamBreaksOff(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "stream", g.holds, timeout(time.Minute), func(c *Config, _ *Function) { c.InvokeAddress = "127.0.0.1:0" })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		l.InvokeURL()+"/2021-11-15/functions/fn/response-streaming-invocations", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := eventstream.NewDecoder().Decode(res.Body, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("it ends with %q as if all were well", rest)
	}
}
