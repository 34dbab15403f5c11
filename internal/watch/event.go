package watch

import (
	"encoding/json"
	"time"

	"github.com/golam-cli/golam/internal/eventbus"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/traces"
)

// Event is something that happened, in the form of `golam watch --output json`: one object a line. Type says which of the other members
// is there.
type Event struct {
	Time time.Time `json:"time"`
	Type EventType `json:"type"`

	Serving    *Serving            `json:"serving,omitempty"`
	Build      *Build              `json:"build,omitempty"`
	Functions  []running.Function  `json:"functions,omitempty"`
	Invocation *Invocation         `json:"invocation,omitempty"`
	Log        *Log                `json:"log,omitempty"`
	Bus        *eventbus.Delivered `json:"bus,omitempty"`
	Trace      *traces.Trace       `json:"trace,omitempty"`
	Note       string              `json:"note,omitempty"`
}

// EventType is a kind of [Event].
type EventType string

// The kinds of events.
const (
	// EventServing is the first event: the address takes requests.
	EventServing EventType = "serving"
	// EventBuilding: something has changed, and a build begins.
	EventBuilding EventType = "building"
	// EventBuilt: a build has ended, or there was nothing to build. Functions are those that are served now.
	EventBuilt EventType = "built"
	// EventInvocation is the end of an invocation.
	EventInvocation EventType = "invocation"
	// EventLog is a line of a function's log.
	EventLog EventType = "log"
	// EventBus is an event that a function, or somebody else, put on the local event bus.
	EventBus EventType = "bus"
	// EventTrace is what is known of a trace so far. A later one of the same trace has more spans.
	EventTrace EventType = "trace"
	// EventNote is something to know.
	EventNote EventType = "note"
)

// Serving says where everything is.
type Serving struct {
	// URL is the base of all addresses.
	URL string `json:"url"`
	// Root is the project's folder.
	Root string `json:"root"`
}

// Build is the outcome of a look at the project.
type Build struct {
	// Milliseconds from the look at the project to the swap.
	Milliseconds float64 `json:"ms"`
	// Error says why the newest source is not what is served, with file and line; "" if it is.
	Error string `json:"error,omitempty"`
	// Added, Changed and Removed are names of functions.
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// Invocation is an invocation that has ended.
type Invocation struct {
	Function  string `json:"function"`
	RequestID string `json:"requestId"`
	TraceID   string `json:"traceId"`
	Cold      bool   `json:"cold"`
	// Init, Duration and Billed are in milliseconds.
	Init     float64 `json:"initMs,omitempty"`
	Duration float64 `json:"durationMs"`
	Billed   int64   `json:"billedMs"`
	// MaxMemory is in bytes, 0 where it can't be measured; MemorySize, in MB, is what the function has.
	MaxMemory  int64 `json:"maxMemoryBytes,omitempty"`
	MemorySize int   `json:"memorySizeMb"`
	// Error is there if the function failed, Response if it did not and the response is not too large.
	Error    *FunctionError  `json:"error,omitempty"`
	Response json.RawMessage `json:"response,omitempty"`
}

// FunctionError is how a function failed.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// Log is a line of a function's log.
type Log struct {
	Function  string `json:"function"`
	RequestID string `json:"requestId,omitempty"`
	// Platform is true for what Lambda adds: START, END, REPORT.
	Platform bool   `json:"platform,omitempty"`
	Text     string `json:"text"`
}
