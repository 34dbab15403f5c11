package main

import (
	"os"
	"regexp"
	"testing"

	"example.com/two-customizers/internal/platform/tokens"
)

// TestStackAllowsEvents fails if the stack and the function disagree about the source, the detail type or the namespace of the metrics.
func TestStackAllowsEvents(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := events(nil).WithDefaults()
	for _, line := range []string{
		`events:source: ` + regexp.QuoteMeta(config.Source), `events:detail-type: ` + regexp.QuoteMeta(tokens.DetailType),
		`source: \[.*\b` + regexp.QuoteMeta(config.Source) + `\b.*\]`, `detail-type: \[.*\b` + regexp.QuoteMeta(tokens.DetailType) + `\b.*\]`,
		`Namespace: "?` + regexp.QuoteMeta(config.Namespace) + `"?`,
	} {
		if !regexp.MustCompile(`(?m)` + line + `$`).Match(template) {
			t.Errorf("template.yaml has no line %s", line)
		}
	}
}
