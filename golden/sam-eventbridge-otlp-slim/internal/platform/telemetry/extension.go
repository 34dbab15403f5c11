package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	extensionPath = "/2020-01-01/extension/"
	// extensionName must differ from the names of the function's other extensions.
	extensionName = "telemetry"
	// registrationLimit is how long the init phase waits for the registration.
	registrationLimit = time.Second
	// pollPause is the pause after a poll that failed.
	pollPause = 100 * time.Millisecond
)

// extension is an internal extension, which is part of the function's process. Lambda freezes the process only after the extension has asked
// for its next event, so the extension can send spans after the answer.
// Source: Lambda Developer Guide, "Using the Lambda Extensions API to create extensions".
type extension struct {
	url    string
	client client
	logger Logger
	flush  func(deadline time.Time)
	// active is true while Lambda waits for the extension after each answer.
	active atomic.Bool
	// answered has the request id of an invocation whose answer has been posted.
	answered chan string
}

func newExtension(api string, logger Logger, flush func(deadline time.Time)) *extension {
	return &extension{
		url:      "http://" + api + extensionPath,
		client:   newLambdaClient(),
		logger:   logger,
		flush:    flush,
		answered: make(chan string, 1),
	}
}

// start registers the extension. If the registration takes longer than the limit, it goes on in the background: Lambda waits forever for a
// registered extension that does not ask for events.
func (e *extension) start(limit time.Duration) {
	registered := make(chan struct{})
	go func() {
		id, err := e.register()
		if err != nil {
			e.logger.InfoContext(context.Background(), "telemetry is sent before the answer", "reason", err.Error())
			close(registered)
			return
		}
		e.active.Store(true)
		close(registered)
		e.serve(id)
	}()
	select {
	case <-registered:
	case <-time.After(limit):
	}
}

func (e *extension) register() (id string, err error) {
	// An internal extension gets no SHUTDOWN events.
	request, err := e.request(http.MethodPost, "register", `{"events":["INVOKE"]}`)
	if err != nil {
		return "", err
	}
	request.Header.Set("Lambda-Extension-Name", extensionName)
	header, _, err := e.do(request)
	if err != nil {
		return "", fmt.Errorf("the extension is not registered: %w", err)
	}
	if id = header.Get("Lambda-Extension-Identifier"); id == "" {
		return "", errors.New("the extension is not registered: there is no identifier")
	}
	return id, nil
}

// serve flushes after each answer and never returns. If an extension stops asking for events, every invocation times out.
func (e *extension) serve(id string) {
	for {
		deadline, requestID, err := e.next(id)
		if e.active.Swap(err == nil) && err != nil {
			e.logger.WarnContext(context.Background(), "telemetry is sent before the answer", "reason", err.Error())
		}
		if err != nil {
			time.Sleep(pollPause)
			continue
		}
		e.await(requestID, deadline)
		e.flush(deadline)
	}
}

// next waits for an invocation.
func (e *extension) next(id string) (deadline time.Time, requestID string, err error) {
	request, err := e.request(http.MethodGet, "event/next", "")
	if err != nil {
		return time.Time{}, "", err
	}
	request.Header.Set("Lambda-Extension-Identifier", id)
	_, body, err := e.do(request)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("the extension gets no event: %w", err)
	}
	var event struct {
		DeadlineMs int64  `json:"deadlineMs"`
		RequestID  string `json:"requestId"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return time.Time{}, "", fmt.Errorf("the extension's event: %w", err)
	}
	return time.UnixMilli(event.DeadlineMs), event.RequestID, nil
}

// posted reports that the answer to an invocation has been posted.
func (e *extension) posted(requestID string) {
	for {
		select {
		case e.answered <- requestID:
			return
		default:
		}
		select {
		case <-e.answered: // of an earlier invocation, for which await is not waiting
		default:
		}
	}
}

// await waits for the answer to an invocation, but leaves enough time before the deadline to send the spans.
func (e *extension) await(requestID string, deadline time.Time) {
	// One margin for the flush, and the one that the flush keeps itself.
	timer := time.NewTimer(time.Until(deadline) - 2*margin)
	defer timer.Stop()
	for {
		select {
		case answered := <-e.answered:
			if answered == requestID {
				return
			}
		case <-timer.C:
			return
		}
	}
}

func (e *extension) request(method, path, body string) (*http.Request, error) {
	return http.NewRequestWithContext(context.Background(), method, e.url+path, strings.NewReader(body))
}

// do sends a request. Any status but 200 is an error.
func (e *extension) do(request *http.Request) (http.Header, []byte, error) {
	response, err := e.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("Lambda answers %s", response.Status) //nolint:staticcheck // a name
	}
	return response.Header, body, nil
}
