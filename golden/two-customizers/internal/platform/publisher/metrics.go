package publisher

import (
	"encoding/json"
	"os"
	"time"
)

// counts says what became of events.
type counts struct {
	// The bus accepted the published events. The failed events were sent but not accepted, and the dropped ones were never sent.
	published, failed, dropped int
}

// metrics describes metrics in CloudWatch's embedded metric format. CloudWatch extracts them from a log line that has this under _aws.
// Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
type metrics struct {
	Timestamp         int64       `json:"Timestamp"` // milliseconds since 1970
	CloudWatchMetrics []directive `json:"CloudWatchMetrics"`
}

type directive struct {
	Namespace  string     `json:"Namespace"`
	Dimensions [][]string `json:"Dimensions"`
	Metrics    []metric   `json:"Metrics"`
}

type metric struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// attributes returns the counts for a log line, from which CloudWatch extracts metrics.
func (c counts) attributes(namespace string) []any {
	const unit = "Count"
	embedded, err := json.Marshal(metrics{
		Timestamp: time.Now().UnixMilli(),
		CloudWatchMetrics: []directive{{
			Namespace:  namespace,
			Dimensions: [][]string{{"FunctionName"}},
			Metrics:    []metric{{"EventsPublished", unit}, {"EventsFailed", unit}, {"EventsDropped", unit}},
		}},
	})
	if err != nil { // can't happen: numbers and strings can always be encoded
		embedded = []byte("null")
	}
	return []any{
		"EventsPublished", c.published, "EventsFailed", c.failed, "EventsDropped", c.dropped,
		"FunctionName", os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), "_aws", json.RawMessage(embedded),
	}
}
