package telemetry

import (
	"net/http"
	"testing"
)

// TestCollectorTakesSpans sends to the endpoint, and only what X-Ray records where that decides.
func TestCollectorTakesSpans(t *testing.T) {
	batches := 0
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector(t, func(string, []byte) int { batches++; return http.StatusOK }))
	tracing := startOwn(&logs{})
	for _, sampled := range []string{";Sampled=1", ";Sampled=0", ";Sampled=1"} {
		if err := invokeAndFlush(t, tracing, header+sampled); err != nil {
			t.Fatal(err)
		}
	}
	want := 3
	if followXRay {
		want = 2
	}
	if batches != want {
		t.Errorf("%d batches arrive, want %d", batches, want)
	}
}
