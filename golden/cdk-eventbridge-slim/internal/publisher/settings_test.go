package publisher

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestStackAllowsWhatIsPublished finds a source, a detail type or a namespace that was changed here alone.
func TestStackAllowsWhatIsPublished(t *testing.T) {
	stack, err := os.ReadFile("../../infra/eventbridge.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"eventSource": Source, "eventDetailType": DetailType, "metricNamespace": metricNamespace} {
		if !regexp.MustCompile(name + ` += ` + regexp.QuoteMeta(strconv.Quote(value)) + "\n").Match(stack) {
			t.Errorf("infra/eventbridge.go has another %s than %q", name, value)
		}
	}
}
