package publisher

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/cdk-eventbridge-slim/internal/lambdaruntime"
	"example.com/cdk-eventbridge-slim/internal/pretoken"
)

// detail is the detail of an event.
type detail struct {
	Metadata metadata `json:"metadata"`
	Data     data     `json:"data"`
}

type metadata struct {
	// ID is the request id of the invocation. An event that arrives twice under one ID was published twice; Cognito's own retries are
	// invocations of their own.
	ID      string    `json:"id"`
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
}

type data struct {
	UserPoolID    string                 `json:"userPoolId"`
	ClientID      string                 `json:"clientId"`
	TriggerSource pretoken.TriggerSource `json:"triggerSource"`
	// Subject tells users apart without naming them.
	Subject     string `json:"subject,omitempty"`
	IDToken     names  `json:"idToken"`
	AccessToken names  `json:"accessToken"`
}

// names are those of the claims and scopes of a token, never the values of claims.
type names struct {
	Claims           []string `json:"claims,omitempty"`
	SuppressedClaims []string `json:"suppressedClaims,omitempty"`
	AddedScopes      []string `json:"addedScopes,omitempty"`
	SuppressedScopes []string `json:"suppressedScopes,omitempty"`
}

func namesOf(changes pretoken.Changes) names {
	return names{
		Claims: slices.Sorted(maps.Keys(changes.Claims)), SuppressedClaims: changes.Suppress,
		AddedScopes: changes.AddScopes, SuppressedScopes: changes.SuppressScopes,
	}
}

// subject is a hash of the user's sub, which is a random UUID, and of the pool, so that the same person is another subject elsewhere.
func subject(event *pretoken.Event) string {
	sub := event.Attributes["sub"]
	if sub == "" {
		return ""
	}
	hash := sha256.Sum256([]byte(event.UserPoolID + "/" + sub))
	return hex.EncodeToString(hash[:])
}

// entry is an event for a bus.
type entry struct {
	busName, detail, traceHeader string
	time                         time.Time
}

const (
	// maxEntry is the size in bytes of the largest entry that EventBridge takes: its source, its detail type, its detail, and entryTime.
	// Source: Amazon EventBridge User Guide, "Calculating PutEvents event entry size"; 1 MB since January 2026.
	maxEntry  = 1 << 20
	entryTime = 14
	// maxTraceHeader is the longest trace header that EventBridge takes. Source: Amazon EventBridge API Reference, "PutEventsRequestEntry".
	maxTraceHeader = 500
)

// traceKey is where lambdaruntime puts the header that X-Ray follows an event by.
const traceKey = "x-amzn-trace-id"

func newEntry(ctx context.Context, busName string, event *pretoken.Event, response pretoken.Response) (entry, error) {
	now := time.Now().UTC()
	what := detail{
		Metadata: metadata{Version: version, Time: now.Truncate(time.Millisecond)},
		Data: data{
			UserPoolID: event.UserPoolID, ClientID: event.ClientID, TriggerSource: event.TriggerSource, Subject: subject(event),
			IDToken: namesOf(response.IDToken), AccessToken: namesOf(response.AccessToken),
		},
	}
	if invocation, ok := lambdaruntime.FromContext(ctx); ok {
		what.Metadata.ID = invocation.AwsRequestID
	}
	encoded, err := json.Marshal(what)
	if err != nil {
		return entry{}, fmt.Errorf("encode the detail: %w", err)
	}
	if size := entryTime + len(Source) + len(DetailType) + len(encoded); size > maxEntry {
		return entry{}, fmt.Errorf("the event has %d bytes, and EventBridge takes %d", size, maxEntry)
	}
	trace, _ := ctx.Value(traceKey).(string)
	if len(trace) > maxTraceHeader {
		trace = "" // with it, EventBridge would refuse the event
	}
	return entry{busName: busName, detail: string(encoded), traceHeader: trace, time: now}, nil
}
