package watch

import (
	"net/http"

	"github.com/golam-cli/golam/internal/traces"
)

// spans is the local endpoint for traces.
type spans struct{ *traces.Store }

func (s *Session) newTraces() spans {
	return spans{traces.NewStore(func(t traces.Trace) { s.tell(Event{Type: EventTrace, Trace: &t}) })}
}

func (spans) accepts(r *http.Request) bool { return r.URL.Path == "/v1/traces" }

func (spans) variables(url string) map[string]string {
	return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url}
}
