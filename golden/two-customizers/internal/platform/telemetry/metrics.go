package telemetry

import (
	"encoding/json"
	"io"
	"os"
	"time"
)

// metric describes a metric to CloudWatch.
type metric struct {
	Name string
	Unit string
}

// metrics lists the metrics of an invocation. Their names come from the semantic conventions.
// Source: OpenTelemetry semantic conventions, "FaaS metrics".
var metrics = []metric{
	{"faas.invocations", "Count"}, {"faas.coldstarts", "Count"}, {"faas.errors", "Count"}, {"faas.invoke_duration", "Seconds"},
}

// writeMetrics writes the metrics of an invocation as one log line, from which CloudWatch extracts them.
// Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
func writeMetrics(to io.Writer, began time.Time, took time.Duration, cold, failed bool) {
	count := map[bool]int{true: 1}
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": began.UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": "FaaS", "Dimensions": [][]string{{"faas.name"}}, "Metrics": metrics,
			}},
		},
		"faas.name":            os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
		"faas.invocations":     1,
		"faas.coldstarts":      count[cold],
		"faas.errors":          count[failed],
		"faas.invoke_duration": took.Seconds(),
	})
	if err == nil {
		_, _ = to.Write(append(line, '\n')) // nothing can be done about a log that fails
	}
}
