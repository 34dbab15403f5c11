package eventbus

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Rule sends events that match a pattern on to functions.
type Rule struct {
	Name string
	// Bus is the one that the rule is for; every bus if it is "".
	Bus     string
	Pattern Pattern
	// Functions are names.
	Functions []string
}

// Event is one in the form that targets get (Amazon EventBridge User Guide, "Event structure").
type Event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Delivered is an entry of PutEvents, and what came of it.
type Delivered struct {
	// Bus is the name of the bus.
	Bus string `json:"bus"`
	// Event has null for a detail of more than 64 KB, and then DetailSize is its size in bytes. Its other texts are cut at that size.
	Event      Event `json:"event"`
	DetailSize int   `json:"detailBytes,omitempty"`
	// Error is the reason for which EventBridge would refuse the entry, or "".
	Error string `json:"error,omitempty"`
	// Matches are the rules that it matches.
	Matches []Match `json:"matches,omitempty"`
}

// Match is a rule that matches an event.
type Match struct {
	Rule      string   `json:"rule"`
	Functions []string `json:"functions,omitempty"`
}

// Config says what a Bus does with events.
type Config struct {
	Region, Account string
	// Seen receives every entry, in order.
	Seen func(Delivered)
	// Deliver sends an event to a function, in the background. The trace header may be empty.
	Deliver func(function string, event []byte, traceHeader string)
}

// Bus is all event buses of an account.
type Bus struct {
	config Config

	mu    sync.Mutex
	rules []Rule
}

// New makes a bus without rules.
func New(config Config) *Bus { return &Bus{config: config} }

// SetRules puts rules in the place of those before.
func (b *Bus) SetRules(rules []Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules = rules
}

// Limits of PutEvents (Amazon EventBridge User Guide, "Amazon EventBridge quotas" and "Calculating PutEvents event entry size"; API
// Reference, PutEvents and PutEventsRequestEntry).
const (
	maxEntries     = 10
	maxSize        = 1 << 20 // bytes of all entries, since January 2026
	maxNesting     = 1100    // levels of the detail
	maxTraceHeader = 500     // characters
	maxBusName     = 1600    // characters
	maxBody        = 8 << 20 // bytes of a request: each byte of its entries can take six
)

// maxShown is the size in bytes up to which a detail is part of what is [Config].Seen.
const maxShown = 64 << 10

// entry is a PutEventsRequestEntry.
type entry struct {
	Time         *float64
	Source       string
	Resources    []string
	DetailType   string
	Detail       string
	EventBusName string
	TraceHeader  string
}

// size is what EventBridge counts.
func (e entry) size() int {
	const ofTime = 14
	size := len(e.Source) + len(e.DetailType) + len(e.Detail)
	if e.Time != nil {
		size += ofTime
	}
	for _, resource := range e.Resources {
		size += len(resource)
	}
	return size
}

// result is a PutEventsResultEntry.
type result struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

// ServeHTTP takes PutEvents in AWS JSON 1.1. Signatures are not looked at.
func (b *Bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSEvents.")
	if r.Method != http.MethodPost || operation != "PutEvents" {
		refuse(w, "UnknownOperationException", "the local event bus takes PutEvents only, and not "+operation)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		refuse(w, "ValidationException", "the request is too large, or has broken off")
		return
	}
	var request struct{ Entries []entry }
	if err := json.Unmarshal(body, &request); err != nil {
		refuse(w, "SerializationException", err.Error())
		return
	}
	entries := request.Entries
	if len(entries) == 0 || len(entries) > maxEntries {
		refuse(w, "ValidationException", fmt.Sprintf("1 validation error detected: Value at 'entries' failed to satisfy constraint: "+
			"Member must have length between 1 and %d, inclusive; it has %d", maxEntries, len(entries)))
		return
	}
	total := 0
	for _, e := range entries {
		total += e.size()
	}
	for i, e := range entries {
		for _, field := range []struct {
			name, value string
			most        int
		}{{"traceHeader", e.TraceHeader, maxTraceHeader}, {"eventBusName", e.EventBusName, maxBusName}} {
			if utf8.RuneCountInString(field.value) > field.most {
				refuse(w, "ValidationException", fmt.Sprintf("1 validation error detected: Value at 'entries.%d.member.%s' failed to "+
					"satisfy constraint: Member must have length less than or equal to %d", i+1, field.name, field.most))
				return
			}
		}
	}
	if total > maxSize {
		refuse(w, "ValidationException", fmt.Sprintf("Total size of the entries in the request is over the limit: %d bytes of %d", total, maxSize))
		return
	}
	var response struct {
		FailedEntryCount int
		Entries          []result
	}
	for _, e := range entries {
		made := b.put(e)
		if made.ErrorCode != "" {
			response.FailedEntryCount++
		}
		response.Entries = append(response.Entries, made)
	}
	w.Header().Set("Content-Type", contentType)
	_ = json.NewEncoder(w).Encode(response)
}

const contentType = "application/x-amz-json-1.1"

// refuse answers as the service does for a request as a whole.
func refuse(w http.ResponseWriter, kind, message string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message})
}

// put takes one entry.
func (b *Bus) put(e entry) result {
	delivered := Delivered{Bus: busName(e.EventBusName), Event: Event{
		Version: "0", ID: newID(), DetailType: e.DetailType, Source: e.Source, Account: b.config.Account, Region: b.config.Region,
		Time: time.Now().UTC().Truncate(time.Second), Resources: e.Resources,
	}}
	code, problem := e.check()
	if e.Time != nil && problem == nil {
		delivered.Event.Time = time.UnixMilli(int64(*e.Time * 1000)).UTC().Truncate(time.Second)
	}
	if delivered.Event.Resources == nil {
		delivered.Event.Resources = []string{}
	}
	if problem != nil {
		delivered.Error = problem.Error()
		if json.Valid([]byte(e.Detail)) && nesting(e.Detail) <= maxNesting {
			delivered.Event.Detail = json.RawMessage(e.Detail)
		}
		b.seen(delivered)
		return result{ErrorCode: code, ErrorMessage: problem.Error()}
	}
	delivered.Event.Detail = json.RawMessage(e.Detail)
	event, err := json.Marshal(delivered.Event)
	if err != nil {
		return result{ErrorCode: "InternalFailure", ErrorMessage: err.Error()}
	}
	value, err := decode(event)
	if err != nil {
		return result{ErrorCode: "InternalFailure", ErrorMessage: err.Error()}
	}
	b.mu.Lock()
	rules := b.rules
	b.mu.Unlock()
	for _, rule := range rules {
		if (rule.Bus == "" || rule.Bus == delivered.Bus) && rule.Pattern.matches(value) {
			delivered.Matches = append(delivered.Matches, Match{rule.Name, rule.Functions})
		}
	}
	b.seen(delivered)
	for _, match := range delivered.Matches {
		for _, function := range match.Functions {
			b.config.Deliver(function, event, e.TraceHeader)
		}
	}
	return result{EventID: delivered.Event.ID}
}

func (b *Bus) seen(delivered Delivered) {
	if b.config.Seen != nil {
		if size := len(delivered.Event.Detail); size > maxShown {
			delivered.Event.Detail, delivered.DetailSize = nil, size
		}
		resources := 0
		for i, resource := range delivered.Event.Resources {
			if resources += len(resource); resources > maxShown {
				delivered.Event.Resources = append(slices.Clone(delivered.Event.Resources[:i]), "...")
				break
			}
		}
		for _, text := range []*string{&delivered.Event.Source, &delivered.Event.DetailType, &delivered.Error} {
			if len(*text) > maxShown {
				*text = strings.ToValidUTF8((*text)[:maxShown], "") + "..."
			}
		}
		b.config.Seen(delivered)
	}
}

// busName takes a name or an ARN.
func busName(text string) string {
	if _, name, found := strings.Cut(text, ":event-bus/"); found {
		text = name
	}
	if text == "" {
		return "default"
	}
	return text
}

// check finds what EventBridge refuses an entry for, with the code that it gives. Texts that are not known are golam's own.
func (e entry) check() (code string, err error) {
	const (
		maxDetailType       = 128                        // characters
		firstTime, lastTime = -62167219200, 253402300799 // the years that a timestamp can have, 0 to 9999
	)
	switch {
	case e.Source == "":
		return "InvalidArgument", errors.New("Parameter Source is not valid. Reason: Source is a required argument.") //nolint:staticcheck // AWS's text
	case strings.HasPrefix(e.Source, "aws."):
		return "NotAuthorizedForSourceException", fmt.Errorf("Not authorized for the source: %s", e.Source) //nolint:staticcheck // AWS's text
	case e.DetailType == "":
		return "InvalidArgument", errors.New("Parameter DetailType is not valid. Reason: DetailType is a required argument.") //nolint:staticcheck // AWS's text
	case utf8.RuneCountInString(e.DetailType) > maxDetailType:
		return "InvalidArgument", fmt.Errorf("Parameter DetailType is not valid. Reason: it has more than %d characters.", maxDetailType) //nolint:staticcheck // AWS's text
	case e.Time != nil && (*e.Time < firstTime || *e.Time > lastTime):
		return "InvalidArgument", errors.New("Parameter Time is not valid. Reason: its year is none from 0 to 9999.") //nolint:staticcheck // in the form of AWS's texts
	case strings.ContainsFunc(e.TraceHeader, func(r rune) bool { return r < ' ' || r > '~' }): // it becomes a header of HTTP
		return "InvalidArgument", errors.New("Parameter TraceHeader is not valid. Reason: it is not printable ASCII.") //nolint:staticcheck // in the form of AWS's texts
	case e.Detail == "":
		return "InvalidArgument", errors.New("Parameter Detail is not valid. Reason: Detail is a required argument.") //nolint:staticcheck // AWS's text
	}
	var detail map[string]json.RawMessage
	if json.Unmarshal([]byte(e.Detail), &detail) != nil || detail == nil || nesting(e.Detail) > maxNesting {
		return "MalformedDetail", errors.New("Detail is malformed.") //nolint:staticcheck // AWS's text
	}
	return "", nil
}

// nesting is how deep the objects and arrays of valid JSON are nested.
func nesting(text string) int {
	depth, deepest := 0, 0
	inText := false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case inText && b == '\\':
			i++
		case b == '"':
			inText = !inText
		case inText:
		case b == '{' || b == '[':
			depth++
			deepest = max(deepest, depth)
		case b == '}' || b == ']':
			depth--
		}
	}
	return deepest
}

// newID is a random (version 4) UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
