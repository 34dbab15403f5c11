package local

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// invokeStreaming is the operation InvokeWithResponseStream (Lambda API Reference): chunks as they come, then the outcome, each as a
// message of an event stream. The response of a function that does not stream is one chunk.
func (s *invokeServer) invokeStreaming(w http.ResponseWriter, r *http.Request, name string) error {
	in, err := readInvocation(r)
	if err != nil {
		return err
	}
	switch r.Header.Get("X-Amz-Invocation-Type") {
	case "", "RequestResponse":
	default:
		return &RequestError{
			http.StatusBadRequest, "InvalidParameterValueException",
			"X-Amz-Invocation-Type is RequestResponse for a streamed response",
		}
	}
	in.id = newUUID() // a header, so it is needed before the result is there
	// Chunks cross from the function's request to the caller's, which must not be written to once it is over.
	reader, writer := io.Pipe()
	defer func() { _ = reader.Close() }()
	in.Stream = func(string) io.Writer { return writer }
	type outcome struct {
		result Result
		err    error
	}
	ended := make(chan outcome, 1)
	go func() {
		result, err := s.lambda.Invoke(r.Context(), name, in)
		ended <- outcome{result, err}
		_ = writer.Close()
	}()
	h := w.Header()
	begun := false
	begin := func() {
		begun = true
		h.Set(headerAmznRequestID, in.id)
		h.Set("Content-Type", "application/vnd.amazon.eventstream")
		h.Set("X-Amz-Executed-Version", version)
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := reader.Read(buf)
		if n > 0 {
			begin()
			if writeEvent(w, "PayloadChunk", "application/octet-stream", buf[:n]) != nil {
				return nil // the caller is gone
			}
		}
		if err != nil {
			break
		}
	}
	o := <-ended
	if o.err != nil && begun {
		panic(http.ErrAbortHandler) // the response has begun, so all that is left is to break it off
	}
	if o.err != nil {
		return o.err
	}
	begin()
	complete := struct {
		ErrorCode    string `json:",omitempty"`
		ErrorDetails string `json:",omitempty"`
		LogResult    string `json:",omitempty"`
	}{}
	if o.result.FunctionError != "" {
		complete.ErrorCode, complete.ErrorDetails = o.result.FunctionError, string(o.result.Payload)
	} else if !o.result.Streamed && writeEvent(w, "PayloadChunk", "application/octet-stream", o.result.Payload) != nil {
		return nil
	}
	if o.result.Report != nil {
		complete.LogResult = base64.StdEncoding.EncodeToString(o.result.Report.LogTail)
	}
	body, _ := json.Marshal(complete) // strings: no error
	_ = writeEvent(w, "InvokeComplete", "application/json", body)
	return nil
}

// writeEvent writes a message of an event stream and sends it off.
func writeEvent(w http.ResponseWriter, event, contentType string, payload []byte) error {
	message := eventstream.Message{Payload: payload}
	for _, header := range [][2]string{{":message-type", "event"}, {":event-type", event}, {":content-type", contentType}} {
		message.Headers.Set(header[0], eventstream.StringValue(header[1]))
	}
	var encoded bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&encoded, message); err != nil {
		return err
	}
	if _, err := w.Write(encoded.Bytes()); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
