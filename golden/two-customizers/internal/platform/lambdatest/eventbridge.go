package lambdatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// putEvents is EventBridge, which takes every event.
func (f *Function) putEvents(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	select {
	case f.requests <- body:
	case <-r.Context().Done():
	}
	_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
}

// Published waits for the request in which the last invocation published an event, and returns it. Requests of invocations before it are
// passed over: on a busy machine, EventBridge's answer can come too late, and then the publisher sends the event twice.
func (f *Function) Published(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case request := <-f.requests:
			if f.isCurrent(request) {
				return request, nil
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("nothing was published: %w", ctx.Err())
		}
	}
}

// PublishedNothing reports whether no event of the last invocation, which has answered, has come to EventBridge.
func (f *Function) PublishedNothing() bool {
	for {
		select {
		case request := <-f.requests:
			if f.isCurrent(request) {
				return false
			}
		default:
			return true
		}
	}
}

// isCurrent reports whether a request to EventBridge is that of the last invocation.
func (f *Function) isCurrent(request []byte) bool {
	return bytes.Contains(request, []byte(`\"id\":\"`+f.requestID()+`\"`))
}
