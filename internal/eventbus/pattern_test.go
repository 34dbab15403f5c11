package eventbus

import (
	"encoding/json"
	"strings"
	"testing"
)

// matchesText reports whether a pattern matches an event in the form that targets get.
func matchesText(p Pattern, event string) bool {
	value, err := decode([]byte(event))
	return err == nil && p.matches(value)
}

// The patterns are those of Amazon EventBridge User Guide, "Comparison operators for use in event patterns", and what surrounds them.
func TestPattern(t *testing.T) {
	const event = `{"source":"shop.orders","detail-type":"Order placed","resources":["a","b"],"detail":{
		"state":"Running","count":5,"price":299.99,"ip":"10.0.0.17","tags":["x","y"],"empty":null,"none":[],"flag":true,"big":9007199254740993,
		"items":[{"id":1,"name":"pen","sold":1},{"id":2,"name":"ink"}],"path":"a*b","text":"","tiny":1e-1000000}}`
	tests := []struct {
		pattern string
		matches bool
	}{
		{`{"source":["shop.orders"]}`, true},
		{`{"source":["other","shop.orders"]}`, true},
		{`{"source":["shop"]}`, false},
		{`{"source":["shop.orders"],"detail-type":["Other"]}`, false},
		{`{"resources":["b"]}`, true},
		{`{"resources":["c"]}`, false},
		{`{"detail":{"count":[5]}}`, true},
		{`{"detail":{"count":[5.0]}}`, false},
		{`{"detail":{"count":[{"anything-but":5.0}]}}`, true},
		{`{"detail":{"tiny":[{"numeric":[">=",0]}]}}`, false}, // beyond the range, and not taken for 0
		{`{"detail":{"count":["5"]}}`, false},
		{`{"detail":{"big":[9007199254740992]}}`, false},
		{`{"detail":{"big":[9007199254740993]}}`, true},
		{`{"detail":{"flag":[true]}}`, true},
		{`{"detail":{"empty":[null]}}`, true},
		{`{"detail":{"missing":[null]}}`, false},
		{`{"detail":{"text":[""]}}`, true},
		{`{"detail":{"state":[{"prefix":"Run"}]}}`, true},
		{`{"detail":{"state":[{"prefix":"run"}]}}`, false},
		{`{"detail":{"state":[{"prefix":{"equals-ignore-case":"run"}}]}}`, true},
		{`{"detail":{"state":[{"suffix":"ing"}]}}`, true},
		{`{"detail":{"state":[{"suffix":{"equals-ignore-case":"ING"}}]}}`, true},
		{`{"detail":{"state":[{"equals-ignore-case":"RUNNING"}]}}`, true},
		{`{"detail":{"state":[{"anything-but":"Running"}]}}`, false},
		{`{"detail":{"state":[{"anything-but":["Stopped","Idle"]}]}}`, true},
		{`{"detail":{"count":[{"anything-but":[4,6]}]}}`, true},
		{`{"detail":{"count":[{"anything-but":5}]}}`, false},
		{`{"detail":{"state":[{"anything-but":{"prefix":"Run"}}]}}`, false},
		{`{"detail":{"state":[{"anything-but":{"suffix":["x","y"]}}]}}`, true},
		{`{"detail":{"state":[{"anything-but":{"equals-ignore-case":["running"]}}]}}`, false},
		{`{"detail":{"state":[{"anything-but":{"wildcard":"R*g"}}]}}`, false},
		{`{"detail":{"missing":[{"anything-but":"x"}]}}`, false},
		{`{"detail":{"count":[{"numeric":["=",5]}]}}`, true},
		{`{"detail":{"count":[{"numeric":[">",0,"<=",5]}]}}`, true},
		{`{"detail":{"count":[{"numeric":[">",5]}]}}`, false},
		{`{"detail":{"price":[{"numeric":["=",2.9999e2]}]}}`, true},
		{`{"detail":{"state":[{"numeric":[">",0]}]}}`, false},
		{`{"detail":{"ip":[{"cidr":"10.0.0.0/24"}]}}`, true},
		{`{"detail":{"ip":[{"cidr":"10.0.1.0/24"}]}}`, false},
		{`{"detail":{"count":[{"exists":true}]}}`, true},
		{`{"detail":{"count":[{"exists":false}]}}`, false},
		{`{"detail":{"missing":[{"exists":false}]}}`, true},
		{`{"detail":{"none":[{"exists":false}]}}`, true},
		{`{"detail":{"missing":["x",{"exists":false}]}}`, true},
		{`{"detail":{"items":{"name":["ink"]}}}`, true},
		{`{"detail":{"items":{"name":["oil"]}}}`, false},
		{`{"detail":{"items":{"id":[1],"name":["pen"]}}}`, true},
		{`{"detail":{"items":{"id":[1],"name":["ink"]}}}`, false}, // in two elements
		{`{"detail":{"items":{"id":[2],"$or":[{"name":["pen"]},{"name":["oil"]}]}}}`, false},
		{`{"detail":{"items":{"old":[{"exists":false}]}}}`, true},
		{`{"detail":{"items":{"sold":[{"exists":false}]}}}`, false}, // one element has it
		{`{"detail":{"items":{"name":["ink"],"sold":[{"exists":false}]}}}`, true},
		{`{"detail":{"none":{"id":[{"exists":false}]}}}`, true},
		{`{"detail":{"items":[{"exists":true}]}}`, false}, // only leaves exist
		{`{"detail":{"items":[{"exists":false}]}}`, true},
		{`{"detail":[{"exists":false}]}`, true},
		{`{"source":[{"wildcard":"*.orders"}]}`, true},
		{`{"source":[{"wildcard":"s*p.*ers"}]}`, true},
		{`{"source":[{"wildcard":"*orders*x"}]}`, false},
		{`{"detail":{"path":[{"wildcard":"a\\*b"}]}}`, true},
		{`{"detail":{"path":[{"wildcard":"a\\**"}]}}`, true},
		{`{"detail":{"state":[{"wildcard":"R\\*"}]}}`, false},
		{`{"$or":[{"source":["x"]},{"detail":{"count":[5]}}]}`, true},
		{`{"$or":[{"source":["x"]},{"source":["y"]}]}`, false},
		{`{"source":["shop.orders"],"$or":[{"detail":{"count":[{"numeric":["<",1]}]}},{"detail":{"state":["Running"]}}]}`, true},
		{`{"detail":{"state":["Running"],"$or":[{"count":[1]},{"price":[299.99]}]}}`, true},
	}
	for _, tt := range tests {
		pattern, err := parsePattern([]byte(tt.pattern))
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := matchesText(pattern, event); got != tt.matches {
			t.Errorf("%s: %v", tt.pattern, got)
		}
	}
}

// What matching takes grows with the event, not with its square: the leaves of nested arrays were copied at each level.
func TestMatchingIsLinear(t *testing.T) {
	pattern, err := parsePattern([]byte(`{"detail":{"a":["no",{"numeric":["=",1]}],"b":{"c":{"d":[{"exists":false}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	allocated := func(depth int) float64 {
		leaves := strings.Repeat(`"x",`, 10*depth) + `"x"`
		event := `{"detail":{"a":` + strings.Repeat("[", depth) + leaves + strings.Repeat(`]`, depth) + `,"b":` + strings.Repeat("[", depth) +
			`{}` + strings.Repeat("]", depth) + `}}`
		value, err := decode([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(2, func() { pattern.matches(value) })
	}
	if shallow, deep := allocated(10), allocated(1000); deep > shallow+50 { // a slice that grows, and nothing for each level
		t.Errorf("%v allocations for 1000 levels, %v for 10", deep, shallow)
	}
	if rational(json.Number("1."+strings.Repeat("0", 1000))) != nil {
		t.Error("a number of 1000 digits is written out")
	}
}

func TestPatternProblems(t *testing.T) {
	tests := []struct{ pattern, problem string }{
		{``, "not JSON"},
		{`{} {}`, "something after it"},
		{`[]`, "no JSON object"},
		{`{}`, "no JSON object with something in it"},
		{`{"source":"shop"}`, "source: put the value into an array"},
		{`{"source":[]}`, "source: an empty array"},
		{`{"detail":{}}`, "detail: an empty object"},
		{`{"detail":{"a":[["x"]]}}`, "detail.a: an array in an array"},
		{`{"source":[{"prefix":1}]}`, "source: prefix takes text"},
		{`{"source":[{"starts-with":"x"}]}`, `"starts-with" is no operator of EventBridge`},
		{`{"source":[{"prefix":"a","suffix":"b"}]}`, "one operator"},
		{`{"source":[{"exists":"yes"}]}`, "exists is true or false"},
		{`{"source":[{"wildcard":"a**b"}]}`, "two stars"},
		{`{"source":[{"wildcard":"a\\d"}]}`, "before * and"},
		{`{"source":[{"wildcard":"a\\"}]}`, "before * and"},
		{`{"source":[{"numeric":[">",1e-1000000]}]}`, "from -1e15 to 1e15"},
		{`{"source":[{"cidr":"10.0.0.0/99"}]}`, "range of addresses"},
		{`{"source":[{"numeric":[">"]}]}`, "numeric takes comparisons"},
		{`{"source":[{"numeric":["~",1]}]}`, "numeric takes comparisons"},
		{`{"source":[{"numeric":[">",1e300]}]}`, "from -1e15 to 1e15"},
		{`{"source":[{"anything-but":[]}]}`, "takes something"},
		{`{"source":[{"anything-but":{"numeric":[">",1]}}]}`, `does not take "numeric"`},
		{`{"$or":[{"source":["x"]}]}`, "two or more"},
		{`{"$or":["x","y"]}`, "objects"},
		{strings.Repeat(`{"a":`, 100) + `["x"]` + strings.Repeat("}", 100), "more than 64 deep"},
		{strings.Repeat(`{"a":`, 1_000_000), "exceeded max depth"},
		{strings.Repeat(`[`, 1_000_000), "exceeded max depth"},
	}
	for _, tt := range tests {
		if _, err := parsePattern([]byte(tt.pattern)); err == nil || !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: %v", tt.pattern, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"source":["a",{"prefix":"b"}],"detail":{"n":[{"numeric":[">",0]}]}}`, `{"source":"a","detail":{"n":1}}`)
	f.Add(`{"$or":[{"a":[{"wildcard":"x*\\*"}]},{"b":[{"anything-but":{"prefix":["c"]}}]}]}`, `{"a":"x1*","b":[[]]}`)
	f.Add(`{"a":[{"numeric":["=",1e999999999]}]}`, `{"a":1e999999999}`)
	f.Fuzz(func(_ *testing.T, pattern, event string) {
		if p, err := parsePattern([]byte(pattern)); err == nil {
			matchesText(p, event)
		}
	})
}

func FuzzRules(f *testing.F) {
	f.Add("rules:\n  - name: a\n    pattern: {source: [x]}\n    functions: [f]\n")
	f.Add("rules: [{name: a, pattern: {1: 2}}]")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseRules([]byte(text)) })
}
