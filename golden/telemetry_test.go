package golden_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/judges"
	"github.com/golam-cli/golam/internal/local"
)

// traced are the golden projects that make spans, and whether X-Ray decides which of them are sent.
var traced = []struct {
	project    string
	followXRay bool
}{{"sam-otlp", false}, {"sam-otlp-slim", false}, {"sam-cloudwatch", true}, {"sam-collector", true}}

// patience is how long a test waits for what is bound to happen.
const patience = time.Minute

// functionLog is what a function logs.
type functionLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *functionLog) add(line local.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line.Text))
}

// matching returns the lines with a text.
func (l *functionLog) matching(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// serveTraced starts a function on the local Lambda that freezes it, as Lambda does.
func serveTraced(t *testing.T, bootstrap string, environment map[string]string, change ...func(*local.Function)) (*local.Lambda, *functionLog) {
	t.Helper()
	env := map[string]string{
		"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_SESSION_TOKEN": "session",
	}
	for name, value := range environment {
		env[name] = value
	}
	function := local.Function{Name: "demo", Bootstrap: bootstrap, MemorySize: 256, Timeout: 4 * time.Second, Concurrency: 1, Freeze: true, Env: env}
	for _, c := range change {
		c(&function)
	}
	log := &functionLog{}
	lambda, err := local.Start(t.Context(), local.Config{Functions: []local.Function{function}, Log: log.add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lambda.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the function's log:\n%s", strings.Join(log.matching(""), "\n"))
		}
	})
	return lambda, log
}

func invoke(t *testing.T, lambda *local.Lambda, in local.Invocation) local.Result {
	t.Helper()
	result, err := lambda.Invoke(t.Context(), "demo", in)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// sampleEvent is an event that the function answers.
func sampleEvent(t *testing.T) []byte {
	t.Helper()
	event, err := os.ReadFile("sam-otlp/events/token-customizer/authentication.json")
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// exported is OTLP as the collector sends it on.
type exported struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes []attribute }
		SchemaURL  string `json:"schemaUrl"`
		ScopeSpans []struct {
			Scope struct{ Name string }
			Spans []exportedSpan
		}
	}
}

type exportedSpan struct {
	TraceID           string `json:"traceId"`
	SpanID            string `json:"spanId"`
	ParentSpanID      string `json:"parentSpanId"`
	Name              string
	Kind              int
	Flags             int
	StartTimeUnixNano string
	EndTimeUnixNano   string
	Attributes        []attribute
	Events            []struct {
		Name       string
		Attributes []attribute
	}
	Status struct {
		Code    int
		Message string
	}
}

type attribute struct {
	Key   string
	Value map[string]any
}

// values are attributes in a form that is easy to compare.
func values(attributes []attribute) map[string]any {
	found := map[string]any{}
	for _, a := range attributes {
		for kind, value := range a.Value {
			found[a.Key] = kind + " " + encodeValue(value)
		}
	}
	return found
}

func encodeValue(value any) string {
	encoded, _ := json.Marshal(value) // came from JSON
	return string(encoded)
}

// sink takes what is exported, from the collector or the function itself.
type sink struct {
	*httptest.Server
	batches chan exported
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{batches: make(chan exported, 100)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch exported
		if err == nil {
			err = json.Unmarshal(body, &batch)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s got %.100s: %v", r.URL.Path, body, err)
		}
		s.batches <- batch
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(s.Close)
	return s
}

// span waits for a batch with one span.
func (s *sink) span(t *testing.T) (exported, exportedSpan) {
	t.Helper()
	batch := s.batch(t)
	if len(batch.ResourceSpans[0].ScopeSpans) != 1 || len(batch.ResourceSpans[0].ScopeSpans[0].Spans) != 1 {
		t.Fatalf("got %+v, not one span", batch)
	}
	return batch, batch.ResourceSpans[0].ScopeSpans[0].Spans[0]
}

// batch waits for a batch of one resource.
func (s *sink) batch(t *testing.T) exported {
	t.Helper()
	var batch exported
	select {
	case batch = <-s.batches:
	case <-time.After(patience):
		t.Fatal("no span arrives")
	}
	if len(batch.ResourceSpans) != 1 {
		t.Fatalf("got %+v, not one resource", batch)
	}
	return batch
}

const (
	xrayTrace  = "5759e988bd862e3fe1be46a994272793"
	xrayParent = "53995c3f42cd8ad8"
	xrayHeader = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" + xrayParent
)

// TestSpansArriveOnACollector compares what a real OpenTelemetry Collector makes of the spans of the generated bootstraps.
func TestSpansArriveOnACollector(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three functions")
	}
	found, err := judges.Find("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range traced {
		t.Run(test.project, func(t *testing.T) {
			t.Parallel()
			sink := newSink(t)
			endpoint, stop, err := found.StartCollector(t.Context(), sink.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			}()
			lambda, log := serveTraced(t, bootstrapOf(t, projectOf(t, test.project)), map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "sign-in", "OTEL_RESOURCE_ATTRIBUTES": "team=identity,place=a%2Cb",
			})

			result := invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), TraceID: xrayHeader + ";Sampled=1"})
			checkEcho(t, sampleEvent(t), result.Payload)
			batch, span := sink.span(t)
			checkResource(t, batch, result)
			wantSpan := exportedSpan{TraceID: xrayTrace, ParentSpanID: xrayParent, Name: "demo", Kind: 2, Flags: 0x301}
			checkSpan(t, span, wantSpan, withEvent(spanAttributes(result, true)))
			checkTimes(t, span)
			line := log.matching("tokens customized")
			if len(line) != 1 || !strings.Contains(line[0], `"trace_id":"`+xrayTrace+`"`) || !strings.Contains(line[0], `"span_id":"`+span.SpanID+`"`) {
				t.Errorf("the log does not have the ids of the span: %q", line)
			}

			// An event that is refused is an error with a generic text. It is not the first invocation.
			failed := invoke(t, lambda, local.Invocation{Payload: []byte(`{"version":"0"}`), TraceID: xrayHeader + ";Sampled=1"})
			if failed.FunctionError == "" {
				t.Fatalf("the function answers %s", failed.Payload)
			}
			_, span = sink.span(t)
			const text = "sign-in is not available right now, please try again later"
			wantSpan.Status.Code, wantSpan.Status.Message = 2, text
			attributes := spanAttributes(failed, false)
			attributes["error.type"] = `stringValue "event_refused"`
			checkSpan(t, span, wantSpan, attributes)
			if len(span.Events) != 1 || span.Events[0].Name != "exception" ||
				!cmp.Equal(values(span.Events[0].Attributes)["exception.message"], any(`stringValue `+strconv.Quote(text))) {
				t.Errorf("events %+v", span.Events)
			}

			// Lambda sends Sampled=0 with its tracing off.
			result = invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), TraceID: xrayHeader + ";Sampled=0"})
			checkEcho(t, sampleEvent(t), result.Payload)
			if test.followXRay {
				invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), TraceID: xrayHeader + ";Sampled=1"})
				if _, span = sink.span(t); values(span.Attributes)["faas.invocation_id"] == encodedString(result.RequestID) {
					t.Error("a trace that X-Ray does not record is sent")
				}
			} else {
				_, span = sink.span(t)
				checkSpan(t, span, exportedSpan{TraceID: xrayTrace, Name: "demo", Kind: 2, Flags: 0x101}, withEvent(spanAttributes(result, false)))
			}
		})
	}
	counts.Report(t, "spans of %d bootstraps compared on an OpenTelemetry Collector", len(traced))
}

func encodedString(text string) string { return "stringValue " + strconv.Quote(text) }

// spanAttributes are what a span of an invocation has.
func spanAttributes(result local.Result, cold bool) map[string]any {
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:demo"
	return map[string]any{
		"faas.trigger": encodedString("other"), "faas.coldstart": "boolValue " + strconv.FormatBool(cold),
		"faas.invocation_id": encodedString(result.RequestID), "cloud.account.id": encodedString("123456789012"),
		"cloud.resource_id": encodedString(arn), "aws.lambda.invoked_arn": encodedString(arn),
	}
}

// withEvent adds what the span of an invocation has from the sample event.
func withEvent(attributes map[string]any) map[string]any {
	attributes["token_customizer.trigger_source"] = encodedString("TokenGeneration_Authentication")
	attributes["token_customizer.client_id"] = encodedString("7k3v9q2m4s1t8w5x6y0z2a4b6c")
	return attributes
}

func checkSpan(t *testing.T, got, want exportedSpan, attributes map[string]any) {
	t.Helper()
	if got.SpanID == "" {
		t.Error("the span has no id")
	}
	if diff := cmp.Diff(attributes, values(got.Attributes)); diff != "" {
		t.Errorf("attributes of the span (-want +got):\n%s", diff)
	}
	got.SpanID, got.StartTimeUnixNano, got.EndTimeUnixNano, got.Attributes, got.Events = "", "", "", nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("span (-want +got):\n%s", diff)
	}
}

func checkTimes(t *testing.T, span exportedSpan) {
	t.Helper()
	began, err := strconv.ParseInt(span.StartTimeUnixNano, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := strconv.ParseInt(span.EndTimeUnixNano, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(time.Unix(0, began)); ended <= began || age < 0 || age > time.Minute {
		t.Errorf("the span is from %d to %d, and its age is %s", began, ended, age)
	}
}

func checkResource(t *testing.T, batch exported, result local.Result) {
	t.Helper()
	resource := batch.ResourceSpans[0]
	if !strings.HasPrefix(resource.SchemaURL, "https://opentelemetry.io/schemas/1.") {
		t.Errorf("schema %q", resource.SchemaURL)
	}
	got := values(resource.Resource.Attributes)
	if version, _ := got["telemetry.sdk.version"].(string); !strings.HasPrefix(version, `stringValue "1.`) {
		t.Errorf("telemetry.sdk.version is %q", version)
	}
	delete(got, "telemetry.sdk.version")
	list := func(text string) string { return `arrayValue {"values":[{"stringValue":` + strconv.Quote(text) + `}]}` }
	want := map[string]any{
		"cloud.provider": encodedString("aws"), "cloud.platform": encodedString("aws_lambda"), "cloud.region": encodedString("us-east-1"),
		"faas.name": encodedString("demo"), "faas.version": encodedString("$LATEST"), "faas.instance": encodedString(result.LogStream),
		"faas.max_memory": `intValue "268435456"`, "aws.log.group.names": list("/aws/lambda/demo"),
		"aws.log.stream.names": list(result.LogStream), "service.name": encodedString("sign-in"), "team": encodedString("identity"),
		"place": encodedString("a,b"), "telemetry.sdk.language": encodedString("go"), "telemetry.sdk.name": encodedString("opentelemetry"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
}

// gatedSink is an endpoint that holds each request until its gate is opened.
func gatedSink(t *testing.T) (url string, arrived <-chan struct{}, open func()) {
	t.Helper()
	reached, gate := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reached <- struct{}{}
		select {
		case <-gate:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "{}")
	}))
	var once sync.Once
	open = func() { once.Do(func() { close(gate) }) }
	t.Cleanup(server.Close)
	t.Cleanup(open)
	return server.URL, reached, open
}

// TestAnswerBeforeFlush has the answer while the endpoint holds the spans, and the execution environment frozen only afterwards.
func TestAnswerBeforeFlush(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a function")
	}
	url, arrived, open := gatedSink(t)
	lambda, log := serveTraced(t, bootstrapOf(t, projectOf(t, "sam-otlp")), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": url},
		func(f *local.Function) { f.Timeout = time.Minute })
	result := invoke(t, lambda, local.Invocation{Payload: sampleEvent(t)})
	checkEcho(t, sampleEvent(t), result.Payload)
	await(t, arrived, "the spans reach the endpoint")
	if ended := log.matching("REPORT RequestId: " + result.RequestID); len(ended) != 0 {
		t.Errorf("the invocation has ended while its spans are under way: %q", ended)
	}
	open()
	second := invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), Report: true})
	if second.Cold || second.LogStream != result.LogStream || second.Report.ErrorType != "" {
		t.Errorf("the second invocation is %+v", second)
	}
	if dropped := log.matching("telemetry dropped"); len(dropped) != 0 {
		t.Errorf("spans are dropped: %q", dropped)
	}
}

func await(t *testing.T, what <-chan struct{}, name string) {
	t.Helper()
	select {
	case <-what:
	case <-time.After(patience):
		t.Fatalf("%s: that does not happen", name)
	}
}

// TestEventForwardsXRay publishes events to an EventBridge that keeps them. Their trace headers must be those that Lambda got, with X-Ray's
// decision and the lineage, because the spans of this project go elsewhere.
func TestEventForwardsXRay(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a function")
	}
	headers := make(chan string, 10)
	bus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var input struct {
			Entries []struct{ TraceHeader string }
		}
		if err := json.NewDecoder(r.Body).Decode(&input); err != nil || len(input.Entries) != 1 {
			t.Errorf("EventBridge gets %+v: %v", input, err)
		}
		for _, entry := range input.Entries {
			headers <- entry.TraceHeader
		}
		_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
	}))
	t.Cleanup(bus.Close)
	sink := newSink(t)
	lambda, _ := serveTraced(t, bootstrapOf(t, projectOf(t, "sam-eventbridge-otlp")), map[string]string{
		"AWS_ENDPOINT_URL_EVENTBRIDGE": bus.URL, "EVENT_BUS_NAME": "tokens",
		"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL, "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
	})
	for name, test := range map[string]struct{ header, trace string }{
		"Lambda's tracing on":  {xrayHeader + ";Sampled=1;Lineage=1:a87bd80c:0|68fd508a:5", xrayTrace},
		"Lambda's tracing off": {xrayHeader + ";Sampled=0;Lineage=1:a87bd80c:0|68fd508a:5", xrayTrace},
		"a header of Lambda's": {},
	} {
		t.Run(name, func(t *testing.T) {
			result := invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), TraceID: test.header})
			checkEcho(t, sampleEvent(t), result.Payload)
			spans := map[string]exportedSpan{}
			for _, scope := range sink.batch(t).ResourceSpans[0].ScopeSpans {
				for _, span := range scope.Spans {
					spans[span.Name] = span
				}
			}
			invocation, request := spans["demo"], spans["EventBridge/PutEvents"]
			if len(spans) != 2 || request.ParentSpanID != invocation.SpanID || request.TraceID != invocation.TraceID {
				t.Fatalf("spans %+v", spans)
			}
			if test.trace != "" && invocation.TraceID != test.trace {
				t.Errorf("the trace is %s, not Lambda's", invocation.TraceID)
			}
			got, id := <-headers, invocation.TraceID
			if test.header != "" && got != test.header {
				t.Errorf("the event's trace header is %q, want %q", got, test.header)
			}
			if !strings.HasPrefix(got, "Root=1-"+id[:8]+"-"+id[8:]) || strings.Contains(got, invocation.SpanID) {
				t.Errorf("the event's trace header is %q in trace %s", got, id)
			}
		})
	}
}

// TestStockExporter does what docs/traces.md of a project says about OpenTelemetry's own exporter, and wants its spans on a real collector, and the
// project's tests to pass as ever.
func TestStockExporter(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads modules and builds a function")
	}
	found, err := judges.Find("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, project := range []string{"sam-otlp", "sam-collector"} {
		t.Run(project, func(t *testing.T) {
			copied := projectOf(t, project)
			page, err := os.ReadFile(filepath.Join(copied, "docs", "traces.md"))
			if err != nil {
				t.Fatal(err)
			}
			const line, module = "exporter, _ := otlptracehttp.New(context.Background())", "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
			command := regexp.MustCompile(`(?m)^ *(go get ` + regexp.QuoteMeta(module) + `@.*)$`).FindSubmatch(page)
			if command == nil || !bytes.Contains(page, []byte("`"+line+"`")) {
				t.Fatal("docs/traces.md does not say how to use the stock exporter")
			}
			const file = "internal/platform/telemetry/telemetry.go"
			edit{file: file, old: "return newExporter(to, config) // to use the stock exporter, see docs/traces.md\n", new: line + "\nreturn exporter\n"}.apply(t, copied)
			edit{file: file, old: "import (\n", new: "import (\n\t" + strconv.Quote(module) + "\n"}.apply(t, copied)
			get := exec.CommandContext(t.Context(), "sh", "-c", string(command[1])) //nolint:gosec // what the page says
			get.Dir, get.Env = copied, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			if output, err := get.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command[1], err, output)
			}

			if project == "sam-collector" { // whose page says this too
				edit{file: "internal/platform/telemetry/destination.go", old: "followXRay = true", new: "followXRay = false"}.apply(t, copied)
			}
			check := exec.CommandContext(t.Context(), "go", "test", "./...")
			check.Dir, check.Env = copied, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			if output, err := check.CombinedOutput(); err != nil {
				t.Fatalf("go test: %v\n%s", err, output)
			}

			sink := newSink(t)
			endpoint, stop, err := found.StartCollector(t.Context(), sink.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			}()
			lambda, _ := serveTraced(t, bootstrapOf(t, copied), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
			result := invoke(t, lambda, local.Invocation{Payload: sampleEvent(t), TraceID: xrayHeader + ";Sampled=1"})
			checkEcho(t, sampleEvent(t), result.Payload)
			_, span := sink.span(t)
			checkSpan(t, span, exportedSpan{TraceID: xrayTrace, ParentSpanID: xrayParent, Name: "demo", Kind: 2, Flags: 0x301},
				withEvent(spanAttributes(result, true)))
		})
	}
}
