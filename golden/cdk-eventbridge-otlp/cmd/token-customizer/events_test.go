package main

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"example.com/cdk-eventbridge-otlp/internal/platform/tokens"
)

// TestStackAllowsEvents fails if the stack and the function disagree about the source, the detail type or the namespace of the metrics.
func TestStackAllowsEvents(t *testing.T) {
	config := events(nil).WithDefaults()
	for name, texts := range map[string][]string{
		"tokencustomizer_function.go": {
			strconv.Quote("events:source") + ": " + strconv.Quote(config.Source),
			strconv.Quote("events:detail-type") + ": " + strconv.Quote(tokens.DetailType),
			"count(function, " + strconv.Quote(config.Namespace) + ", ",
		},
		"eventbridge.go": {strconv.Quote(config.Source), strconv.Quote(tokens.DetailType)},
	} {
		file, err := os.ReadFile("../../infra/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if !strings.Contains(string(file), text) {
				t.Errorf("infra/%s does not contain %s", name, text)
			}
		}
	}
}
