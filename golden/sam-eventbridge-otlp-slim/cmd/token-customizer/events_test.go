package main

import (
	"os"
	"strings"
	"testing"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/tokens"
)

// TestStackAllowsEvents fails if the stack and the function disagree about the source, the detail type or the namespace of the metrics.
func TestStackAllowsEvents(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := events(nil).WithDefaults()
	for _, line := range []string{
		"events:source: " + config.Source + "\n", "events:detail-type: " + tokens.DetailType + "\n",
		"source: [" + config.Source + "]\n", "detail-type: [" + tokens.DetailType + "]\n", "Namespace: \"" + config.Namespace + "\"\n",
	} {
		if !strings.Contains(string(template), line) {
			t.Errorf("template.yaml has no line %q", strings.TrimSpace(line))
		}
	}
}
