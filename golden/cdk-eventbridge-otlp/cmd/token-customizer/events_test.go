package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"example.com/cdk-eventbridge-otlp/internal/platform/tokens"
)

// TestStackAllowsEvents fails if the stack and the function disagree about the source, the detail type or the namespace of the metrics.
func TestStackAllowsEvents(t *testing.T) {
	stack, err := os.ReadFile("../../infra/eventbridge.go")
	if err != nil {
		t.Fatal(err)
	}
	config := events(nil).WithDefaults()
	for name, value := range map[string]string{
		"eventSource": config.Source, "eventDetailType": tokens.DetailType, "metricNamespace": config.Namespace,
	} {
		if !regexp.MustCompile(name + ` += ` + regexp.QuoteMeta(strconv.Quote(value)) + "\n").Match(stack) {
			t.Errorf("infra/eventbridge.go does not set %s to %q", name, value)
		}
	}
}
