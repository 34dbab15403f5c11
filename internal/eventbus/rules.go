package eventbus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxRules is the size in bytes up to which a file of rules is read.
const MaxRules = 1 << 20

// ParseRules reads rules from YAML, or JSON, which is YAML too:
//
//	rules:
//	  - name: audit
//	    bus: orders            # every bus if left out
//	    pattern:
//	      source: [shop]
//	    functions: [audit]     # none: the rule is only checked
//
// The error lists everything that is wrong.
func ParseRules(text []byte) ([]Rule, error) {
	var file struct {
		Rules []struct {
			Name      string    `yaml:"name"`
			Bus       string    `yaml:"bus"`
			Pattern   yaml.Node `yaml:"pattern"`
			Functions []string  `yaml:"functions"`
		} `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("it has no list of rules: %w", err)
	}
	var rules []Rule
	var problems []error
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		problems = append(problems, errors.New("there is a second document: put all rules into one list"))
	}
	names := map[string]bool{}
	for i, r := range file.Rules {
		if r.Name == "" {
			problems = append(problems, fmt.Errorf("rule %d has no name", i+1))
			continue
		}
		if names[r.Name] {
			problems = append(problems, fmt.Errorf("rule %s is there twice: give each its own name", r.Name))
			continue
		}
		names[r.Name] = true
		pattern, err := patternJSON(&r.Pattern)
		if err != nil {
			problems = append(problems, fmt.Errorf("rule %s: %w", r.Name, err))
			continue
		}
		parsed, err := parsePattern(pattern)
		if err != nil {
			problems = append(problems, fmt.Errorf("rule %s: %w", r.Name, err))
			continue
		}
		rules = append(rules, Rule{r.Name, busOf(r.Bus), parsed, r.Functions})
	}
	return rules, errors.Join(problems...)
}

// patternJSON gives a pattern as JSON that means the same. Decoding would change what YAML takes for something else: 01234 is 668 to it,
// 300.0 becomes 300, and a date gets a time.
func patternJSON(node *yaml.Node) ([]byte, error) {
	left := maxPattern
	value, err := jsonValue(node, &left)
	if left < 0 {
		return nil, fmt.Errorf("the pattern is not in order: it has more than %d values, aliases included", maxPattern)
	}
	var whole any
	if err := node.Decode(&whole); err != nil { // it finds keys that are there twice
		return nil, fmt.Errorf("the pattern is not in order: %w", err)
	}
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("the pattern is no JSON: %w", err)
	}
	return encoded, nil
}

// jsonNumber is the form of numbers in JSON (RFC 8259).
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// maxPattern is the number of values in a pattern. EventBridge takes patterns of 4,096 characters.
const maxPattern = 4096

var errPattern = errors.New("the pattern is too large")

// jsonValue takes each value that it makes off what is left, so that aliases cannot multiply without end.
func jsonValue(node *yaml.Node, left *int) (any, error) {
	if *left--; *left < 0 {
		return nil, errPattern
	}
	switch node.Kind {
	case yaml.AliasNode:
		return jsonValue(node.Alias, left)
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
				return nil, fmt.Errorf("line %d: %q is no name of a field: quote it", key.Line, key.Value)
			}
			value, err := jsonValue(node.Content[i+1], left)
			if err != nil {
				return nil, err
			}
			object[key.Value] = value
		}
		return object, nil
	case yaml.SequenceNode:
		array := []any{}
		for _, element := range node.Content {
			value, err := jsonValue(element, left)
			if err != nil {
				return nil, err
			}
			array = append(array, value)
		}
		return array, nil
	}
	switch tag := node.ShortTag(); tag {
	case "!!str":
		return node.Value, nil
	case "!!int", "!!float":
		if jsonNumber.MatchString(node.Value) {
			return json.Number(node.Value), nil
		}
		return nil, fmt.Errorf("line %d: %s is no number of JSON: write it without signs and zeros before it, or quote it if it is text", node.Line, node.Value)
	case "!!bool", "!!null":
		var value any
		err := node.Decode(&value)
		return value, err
	default:
		return nil, fmt.Errorf("line %d: YAML takes %s for something that JSON does not have (%s): quote it", node.Line, node.Value, strings.TrimPrefix(tag, "!!"))
	}
}

func busOf(text string) string {
	if text == "" {
		return ""
	}
	return busName(text)
}
