package publisher

import (
	"encoding/json"
	"os"
	"time"

	"example.com/sam-eventbridge-otlp/internal/rawjson"
)

// counts are what became of events.
type counts struct {
	// published were taken by the bus; failed were tried and not taken; dropped were not tried.
	published, failed, dropped int
}

// metrics is CloudWatch's embedded metric format: a line of the log that has it under _aws becomes metrics.
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

// attributes are the counts for a line of the log, which CloudWatch turns into metrics.
func (c counts) attributes() []any {
	const unit = "Count"
	embedded, err := json.Marshal(metrics{
		Timestamp: time.Now().UnixMilli(),
		CloudWatchMetrics: []directive{{
			Namespace:  metricNamespace,
			Dimensions: [][]string{{"FunctionName"}},
			Metrics:    []metric{{"EventsPublished", unit}, {"EventsFailed", unit}, {"EventsDropped", unit}},
		}},
	})
	if err != nil { // of numbers and texts, which can always be written
		embedded = []byte("null")
	}
	return []any{
		"EventsPublished", c.published, "EventsFailed", c.failed, "EventsDropped", c.dropped,
		"FunctionName", os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), "_aws", rawjson.Value(embedded),
	}
}
