package eventbus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// put sends a request to a bus.
func put(t *testing.T, bus *Bus, target, body string) (int, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	request.Header.Set("X-Amz-Target", target)
	recorder := httptest.NewRecorder()
	bus.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

const putEvents = "AWSEvents.PutEvents"

func TestPutEvents(t *testing.T) {
	var seen []Delivered
	var sent []string
	bus := New(Config{
		Region: "eu-west-1", Account: "123456789012", Seen: func(d Delivered) { seen = append(seen, d) },
		Deliver: func(function string, event []byte, trace string) {
			sent = append(sent, function+" "+trace+" "+string(event))
		},
	})
	rules, err := ParseRules([]byte(`{"rules":[
		{"name":"a","bus":"arn:aws:events:eu-west-1:123456789012:event-bus/orders","pattern":{"source":["shop"]},"functions":["f","g"]},
		{"name":"b","bus":"default","pattern":{"source":["shop"]},"functions":["h"]},
		{"name":"c","pattern":{"detail":{"n":[1]}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	bus.SetRules(rules)
	status, body := put(t, bus, putEvents, `{"Entries":[
		{"Source":"shop","DetailType":"placed","Detail":"{\"n\":1}","EventBusName":"orders","Time":1735689600.5,"Resources":["r"],"TraceHeader":"Root=1"},
		{"Source":"","DetailType":"placed","Detail":"{}"},
		{"Source":"shop","DetailType":"placed","Detail":"[]"},
		{"Source":"shop","DetailType":"","Detail":"{}"},
		{"Source":"aws.x","DetailType":"x","Detail":"{}"}]}`)
	var response struct {
		FailedEntryCount int
		Entries          []struct{ EventID, ErrorCode, ErrorMessage string }
	}
	if err := json.Unmarshal([]byte(body), &response); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	var codes []string
	for _, entry := range response.Entries {
		codes = append(codes, entry.ErrorCode)
	}
	if response.FailedEntryCount != 4 || fmt.Sprint(codes) != "[ InvalidArgument MalformedDetail InvalidArgument NotAuthorizedForSourceException]" {
		t.Errorf("got %s", body)
	}
	event := `{"version":"0","id":"` + response.Entries[0].EventID + `","detail-type":"placed","source":"shop","account":"123456789012",` +
		`"time":"2025-01-01T00:00:00Z","region":"eu-west-1","resources":["r"],"detail":{"n":1}}`
	if len(sent) != 2 || sent[0] != "f Root=1 "+event || sent[1] != "g Root=1 "+event {
		t.Errorf("sent %q", sent)
	}
	if len(seen) != 5 || seen[0].Bus != "orders" || len(seen[0].Matches) != 2 || seen[0].Matches[1].Rule != "c" || seen[1].Error == "" {
		t.Errorf("seen %+v", seen)
	}
}

func TestEntryProblems(t *testing.T) {
	bus := New(Config{Seen: func(d Delivered) {
		if _, err := json.Marshal(d); err != nil {
			t.Error(err)
		}
	}})
	for entry, code := range map[string]string{
		`{"Source":"s","DetailType":"` + strings.Repeat("é", 128) + `","Detail":"{}"}`:             "",
		`{"Source":"s","DetailType":"` + strings.Repeat("é", 129) + `","Detail":"{}"}`:             "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"{}","Time":1e300}`:                               "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"{}","Time":253402300800}`:                        "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"{}","Time":253402300799.9}`:                      "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"{}","Time":-1}`:                                  "",
		`{"Source":"s","DetailType":"d","Detail":"{}","TraceHeader":"Root=1-2\u0000"}`:             "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"{}","TraceHeader":"Root\r\nX: y"}`:               "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"{}","TraceHeader":"é"}`:                          "InvalidArgument",
		`{"Source":"s","DetailType":"d","Detail":"` + nestedDetail(1100) + `"}`:                    "",
		`{"Source":"s","DetailType":"d","Detail":"` + nestedDetail(1101) + `"}`:                    "MalformedDetail",
		`{"Source":"s","DetailType":"d","Detail":"` + nestedDetail(200_000) + `"}`:                 "MalformedDetail",
		`{"Source":"s","DetailType":"d","Detail":"{\"a\":\"` + strings.Repeat("[", 2000) + `\"}"}`: "",
	} {
		var response struct{ Entries []struct{ ErrorCode string } }
		_, body := put(t, bus, putEvents, `{"Entries":[`+entry+`]}`)
		if err := json.Unmarshal([]byte(body), &response); err != nil || response.Entries[0].ErrorCode != code {
			t.Errorf("%.60s: %s", entry, body)
		}
	}
}

// nestedDetail is an object with arrays in it, as part of JSON.
func nestedDetail(depth int) string {
	return `{\"a\":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// An entry may have 1 MB. What is shown of it is less.
func TestLargeEntry(t *testing.T) {
	var seen Delivered
	var sent int
	bus := New(Config{Seen: func(d Delivered) { seen = d }, Deliver: func(_ string, event []byte, _ string) { sent = len(event) }})
	pattern, err := parsePattern([]byte(`{"source":["s"]}`))
	if err != nil {
		t.Fatal(err)
	}
	bus.SetRules([]Rule{{Name: "r", Pattern: pattern, Functions: []string{"f"}}})
	const detail = 1<<20 - len("sd")
	text := `{\"a\":\"` + strings.Repeat("x", detail-len(`{"a":""}`)) + `\"}`
	status, body := put(t, bus, putEvents, `{"Entries":[{"Source":"s","DetailType":"d","Detail":"`+text+`"}]}`)
	if status != 200 || !strings.Contains(body, `"FailedEntryCount":0`) || sent < 1<<20 {
		t.Errorf("got %d %s, sent %d bytes", status, body, sent)
	}
	if seen.DetailSize != detail || seen.Event.Detail != nil {
		t.Errorf("seen %d bytes of detail, %d shown", seen.DetailSize, len(seen.Event.Detail))
	}
	huge := strings.Repeat("é", 1<<18)
	status, body = put(t, bus, putEvents, `{"Entries":[{"Source":"`+huge+`","DetailType":"d","Detail":"{}","Resources":["`+huge[:1<<17]+`"]}]}`)
	if encoded, err := json.Marshal(seen); err != nil || status != 200 || len(encoded) > 3*maxShown || !strings.Contains(string(encoded), `...`) {
		t.Errorf("got %d %s, shown %d bytes, %v", status, body, len(encoded), err)
	}
	status, body = put(t, bus, putEvents, `{"Entries":[{"Source":"ss","DetailType":"d","Detail":"`+text+`"}]}`)
	if status != 400 || !strings.Contains(body, "over the limit") {
		t.Errorf("one byte more: %d %s", status, body)
	}
}

func TestRequestProblems(t *testing.T) {
	entry := `{"Source":"s","DetailType":"d","Detail":"{}"}`
	tests := []struct{ name, target, body, problem string }{
		{"other operation", "AWSEvents.ListRules", `{}`, "UnknownOperationException"},
		{"no JSON", putEvents, `{`, "SerializationException"},
		{"no entry", putEvents, `{"Entries":[]}`, "ValidationException"},
		{"eleven", putEvents, `{"Entries":[` + strings.Repeat(entry+",", 10) + entry + `]}`, "ValidationException"},
		{"too large", putEvents, `{"Entries":[{"Source":"s","DetailType":"d","Detail":"` + strings.Repeat(" ", 1<<20) + `{}"}]}`, "over the limit"},
		{"long trace header", putEvents, `{"Entries":[` + entry + `,{"Source":"s","DetailType":"d","Detail":"{}","TraceHeader":"` + strings.Repeat("é", 501) + `"}]}`, "'entries.2.member.traceHeader'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := put(t, New(Config{}), tt.target, tt.body)
			if status != 400 || !strings.Contains(body, tt.problem) {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
}

// What a pattern says in YAML is what it would say in JSON.
func TestRulesKeepValues(t *testing.T) {
	rules, err := ParseRules([]byte(`rules:
  - name: x
    pattern:
      source: &source [shop, "01234", '2025-01-31', yes]
      detail: {price: [300.0, 9007199254740993, -1e3], flag: [true], none: [null, ~], other: *source}
`))
	if err != nil {
		t.Fatal(err)
	}
	for event, want := range map[string]bool{
		`{"source":"yes","detail":{"price":300.0,"flag":true,"none":null,"other":"01234"}}`:            true,
		`{"source":"shop","detail":{"price":9007199254740993,"flag":true,"none":null,"other":"shop"}}`: true,
		`{"source":"shop","detail":{"price":-1e3,"flag":true,"none":null,"other":"2025-01-31"}}`:       true,
		`{"source":"shop","detail":{"price":300,"flag":true,"none":null,"other":"shop"}}`:              false,
	} {
		if got := matchesText(rules[0].Pattern, event); got != want {
			t.Errorf("%s: %v", event, got)
		}
	}
}

func TestRulesProblems(t *testing.T) {
	for text, problem := range map[string]string{
		"":                              "no list of rules",
		"rule: []":                      "field rule not found",
		"rules:\n  - bus: x":            "rule 1 has no name",
		"rules:\n  - name: x":           "rule x: the pattern",
		"rules: [{name: x, target: y}]": "field target not found",
		"rules: [{name: x, pattern: {source: [a]}}, {name: x, pattern: {source: [b]}}]": "rule x is there twice",
		"rules: []\n---\nrules: []":                                      "second document",
		"rules: [{name: x, pattern: {detail: {day: [2025-01-31]}}}]":     "rule x: line 1: YAML takes 2025-01-31 for something that JSON does not have (timestamp): quote it",
		"rules: [{name: x, pattern: {account: [012345678901]}}]":         "012345678901 is no number of JSON",
		"rules: [{name: x, pattern: {account: [01234567]}}]":             "01234567 is no number of JSON",
		"rules: [{name: x, pattern: {detail: {n: [0x10]}}}]":             "0x10 is no number of JSON",
		"rules: [{name: x, pattern: {1: [a]}}]":                          `"1" is no name of a field`,
		"rules: [{name: x, pattern: {source: [a], source: [b]}}]":        "already defined",
		"rules: [{name: x, pattern: &a {source: *a}}]":                   "not in order",
		"rules: [{name: x, pattern: {a: " + strings.Repeat("[", 400_000): "exceeded max depth",
		// Each line has ten times what the one before has.
		"rules: [{name: x, pattern: {detail: {a: &a [1,1,1,1,1,1,1,1,1,1], b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a], " +
			"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b], d: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]}}}]": "more than 4096 values",
	} {
		if _, err := ParseRules([]byte(text)); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
