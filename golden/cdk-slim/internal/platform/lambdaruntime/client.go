package lambdaruntime

import (
	"errors"
	"strconv"
	"strings"

	"example.com/cdk-slim/internal/platform/http1"
)

// client calls the Runtime API and the Extensions API, which have the same address.
type client struct {
	connection *http1.Connection
	// path is the path in the address. It is empty on Lambda.
	path string
	// payload is the memory of the last event. The next event uses it again.
	payload []byte
}

// maxEvent is the size of the largest event that is read, in bytes. Lambda's events have 6 MB at most.
const maxEvent = 16 << 20

// connect returns a client for the address that Lambda sets. The client connects when it sends its first request.
func connect() (*client, error) {
	address := environment("AWS_LAMBDA_RUNTIME_API", "")
	if address == "" {
		return nil, errors.New("AWS_LAMBDA_RUNTIME_API is not set: run this on Lambda, or under a program that stands in for it, such as golam invoke")
	}
	host, path, found := strings.Cut(address, "/")
	if found {
		path = "/" + strings.TrimSuffix(path, "/")
	}
	if err := checkAddress(address); err != nil {
		return nil, errors.New("AWS_LAMBDA_RUNTIME_API: " + err.Error())
	}
	connection := &http1.Connection{Host: host, MaxBody: maxEvent, Dial: func() (http1.Stream, error) { return dial(host) }}
	return &client{connection: connection, path: path}, nil
}

// checkAddress refuses characters that could change the meaning of a request.
func checkAddress(address string) error {
	for _, c := range []byte(address) {
		if c <= ' ' || c > '~' {
			return errors.New("it has a space or something that is not ASCII in it")
		}
	}
	return nil
}

// invocation is an event with Lambda's headers.
type invocation struct {
	id      string
	header  http1.Header
	payload []byte
}

const runtimePath = "/2018-06-01/runtime/"

// next waits for the next invocation without a limit. Lambda freezes the process meanwhile.
func (c *client) next() (*invocation, error) {
	answer, err := c.connection.Do(http1.Request{Method: "GET", Path: c.path + runtimePath + "invocation/next", Again: true}, c.payload[:0])
	if err != nil {
		return nil, errors.New("next invocation: " + err.Error())
	}
	if answer.Status != 200 {
		return nil, errors.New("next invocation: " + refusal(answer))
	}
	id := answer.Header["lambda-runtime-aws-request-id"]
	if !validID(id) {
		return nil, errors.New("next invocation: it has no request id, or one that cannot stand in a path")
	}
	c.payload = answer.Body
	return &invocation{id: id, header: answer.Header, payload: answer.Body}, nil
}

func validID(id string) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return id != ""
}

// respond posts the handler's answer.
func (c *client) respond(id string, answer []byte) error {
	return c.post("invocation/"+id+"/response", answer, nil)
}

// report posts the reason why an invocation failed.
func (c *client) report(id string, failed *failure) error {
	return c.post("invocation/"+id+"/error", failed.encode(), failed.fields())
}

// reportInit posts the reason why the function can't start.
func (c *client) reportInit(failed *failure) error {
	return c.post("init/error", failed.encode(), failed.fields())
}

func (c *client) post(path string, body []byte, fields []string) error {
	fields = append(fields, "Content-Type", "application/json")
	answer, err := c.connection.Do(http1.Request{Method: "POST", Path: c.path + runtimePath + path, Fields: fields, Body: body}, nil)
	if err != nil {
		return errors.New("post " + path + ": " + err.Error())
	}
	if answer.Status != 202 {
		return errors.New("post " + path + ": " + refusal(answer))
	}
	return nil
}

// EnableSIGTERM makes Lambda send SIGTERM half a second before it kills the process. Call it before Start, and handle the signal with
// signal.Notify.
//
// Lambda sends SIGTERM to functions that have an extension. This function registers an extension for no events.
// Source: AWS Lambda Developer Guide, "Using the Lambda Extensions API to create extensions".
func EnableSIGTERM() error {
	extension, err := connect()
	if err != nil {
		return err
	}
	answer, err := extension.connection.Do(http1.Request{
		Method: "POST", Path: extension.path + "/2020-01-01/extension/register",
		Fields: []string{"Lambda-Extension-Name", "lambdaruntime"}, Body: []byte(`{"events":[]}`),
	}, nil)
	if err != nil {
		return errors.New("register extension: " + err.Error())
	}
	if answer.Status != 200 {
		return errors.New("register extension: " + refusal(answer))
	}
	id := answer.Header["lambda-extension-identifier"]
	go func() {
		_, _ = extension.connection.Do(http1.Request{ // Lambda never answers this request
			Method: "GET", Path: extension.path + "/2020-01-01/extension/event/next", Fields: []string{"Lambda-Extension-Identifier", id},
		}, nil)
	}()
	return nil
}

// refusal describes an unexpected answer.
func refusal(answer *http1.Response) string {
	const enough = 200
	return "Lambda answers with status " + strconv.Itoa(answer.Status) + ": " + strconv.Quote(string(answer.Body[:min(len(answer.Body), enough)]))
}
