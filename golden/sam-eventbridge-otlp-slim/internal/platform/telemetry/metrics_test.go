package telemetry

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// TestMetrics expects a value for every metric that the line describes.
func TestMetrics(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "demo")
	var line bytes.Buffer
	writeMetrics(&line, time.UnixMilli(1234), 1500*time.Millisecond, true, false)
	if bytes.Count(line.Bytes(), []byte("\n")) != 1 {
		t.Errorf("not one line: %q", line.String())
	}
	var values map[string]any
	if err := json.Unmarshal(line.Bytes(), &values); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"faas.name": "demo", "faas.invocations": 1.0, "faas.coldstarts": 1.0, "faas.errors": 0.0, "faas.invoke_duration": 1.5,
	} {
		if values[name] != want {
			t.Errorf("%s is %v, not %v", name, values[name], want)
		}
	}
	var description struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []metric
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal(line.Bytes(), &description); err != nil {
		t.Fatal(err)
	}
	if described := description.AWS; described.Timestamp != 1234 || len(described.CloudWatchMetrics) != 1 {
		t.Fatalf("described as %+v", described)
	}
	for _, metric := range description.AWS.CloudWatchMetrics[0].Metrics {
		if _, there := values[metric.Name]; !there || metric.Unit == "" {
			t.Errorf("%+v is described and not there", metric)
		}
	}
}
