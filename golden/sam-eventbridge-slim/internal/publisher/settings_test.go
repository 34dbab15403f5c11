package publisher

import (
	"os"
	"strings"
	"testing"
)

// TestTemplateAllowsWhatIsPublished finds a source or detail type that was changed here alone.
func TestTemplateAllowsWhatIsPublished(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"events:source: " + Source + "\n", "events:detail-type: " + DetailType + "\n",
		"source: [" + Source + "]\n", "detail-type: [" + DetailType + "]\n", "Namespace: \"" + metricNamespace + "\"\n",
	} {
		if !strings.Contains(string(template), line) {
			t.Errorf("template.yaml has no line %q", strings.TrimSpace(line))
		}
	}
}
