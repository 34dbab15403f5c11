package eventbus

import (
	"encoding/json"
	"errors"
	"fmt"
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
			Name      string         `yaml:"name"`
			Bus       string         `yaml:"bus"`
			Pattern   map[string]any `yaml:"pattern"`
			Functions []string       `yaml:"functions"`
		} `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("it has no list of rules: %w", err)
	}
	var rules []Rule
	var problems []error
	for i, r := range file.Rules {
		if r.Name == "" {
			problems = append(problems, fmt.Errorf("rule %d has no name", i+1))
			continue
		}
		pattern, err := json.Marshal(r.Pattern)
		if err != nil {
			problems = append(problems, fmt.Errorf("rule %s: the pattern is no JSON: %w", r.Name, err))
			continue
		}
		parsed, err := ParsePattern(pattern)
		if err != nil {
			problems = append(problems, fmt.Errorf("rule %s: %w", r.Name, err))
			continue
		}
		rules = append(rules, Rule{r.Name, busOf(r.Bus), parsed, r.Functions})
	}
	return rules, errors.Join(problems...)
}

func busOf(text string) string {
	if text == "" {
		return ""
	}
	return busName(text)
}
