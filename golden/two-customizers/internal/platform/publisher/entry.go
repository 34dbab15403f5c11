package publisher

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// detail is the detail of an event.
type detail struct {
	Metadata metadata `json:"metadata"`
	Data     any      `json:"data"`
}

type metadata struct {
	// ID is the request id of the invocation. Two events with the same ID are copies of one event. A retry of the caller is another
	// invocation and has an ID of its own.
	ID string `json:"id"`
	// Version is the version in the detail type: "1" in "OrderPlaced.v1".
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
}

// entry is an event on its way to a bus.
type entry struct {
	busName, source, detailType, detail, traceHeader string
	time                                             time.Time
}

const (
	// maxEntry is the size in bytes of the largest entry that EventBridge accepts: source, detail type, detail, and entryTime.
	// Source: Amazon EventBridge User Guide, "Calculating PutEvents event entry size"; 1 MB since January 2026.
	maxEntry  = 1 << 20
	entryTime = 14
	// maxTraceHeader is the length of the longest trace header that EventBridge accepts.
	// Source: Amazon EventBridge API Reference, "PutEventsRequestEntry".
	maxTraceHeader = 500
)

// traceKey is the context key under which the runtime stores the X-Ray trace header.
const traceKey = "x-amzn-trace-id"

func newEntry(ctx context.Context, source, detailType string, data any) (entry, error) {
	now := time.Now().UTC()
	_, version, _ := strings.Cut(detailType, ".v")
	event := detail{Metadata: metadata{Version: version, Time: now.Truncate(time.Millisecond)}, Data: data}
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		event.Metadata.ID = invocation.AwsRequestID
	}
	encoded, err := json.Marshal(event)
	if err != nil {
		return entry{}, fmt.Errorf("encode the detail: %w", err)
	}
	if size := entryTime + len(source) + len(detailType) + len(encoded); size > maxEntry {
		return entry{}, fmt.Errorf("the event has %d bytes, and EventBridge takes %d", size, maxEntry)
	}
	header, _ := ctx.Value(traceKey).(string)
	if len(header) > maxTraceHeader {
		header = "" // EventBridge would refuse the event
	}
	return entry{source: source, detailType: detailType, detail: string(encoded), traceHeader: header, time: now}, nil
}
