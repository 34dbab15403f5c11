package telemetry

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// read reads settings from variables, and returns the problems too.
func read(variables map[string]string) (settings, []string) {
	env := environment{getenv: func(name string) string { return variables[name] }}
	return env.settings(), env.problems
}

func TestDefaultSettings(t *testing.T) {
	got, problems := read(nil)
	if got.disabled || got.endpoint != "" || len(got.headers) != 0 || got.timeout != 10*time.Second || !got.gzip ||
		!slices.Equal(got.propagators, []string{"tracecontext", "baggage", "xray"}) || len(problems) != 0 {
		t.Errorf("got %+v, %q", got, problems)
	}
}

func TestSettings(t *testing.T) {
	const endpoint, traces = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	for name, test := range map[string]struct {
		variables map[string]string
		read      func(settings) string
		want      string
		problem   string // part of the one problem; empty for none
	}{
		"endpoint":            {map[string]string{endpoint: "http://localhost:4318"}, endpointOf, "http://localhost:4318/v1/traces", ""},
		"endpoint with slash": {map[string]string{endpoint: " https://otlp.example.com/otlp/ "}, endpointOf, "https://otlp.example.com/otlp/v1/traces", ""},
		"traces endpoint":     {map[string]string{traces: "https://a.example/x", endpoint: "https://b.example"}, endpointOf, "https://a.example/x", ""},
		"no scheme":           {map[string]string{endpoint: "localhost:4318"}, endpointOf, "", endpoint},
		"no host":             {map[string]string{endpoint: "https://"}, endpointOf, "", endpoint},
		"gRPC":                {map[string]string{traces: "grpc://a.example"}, endpointOf, "", traces},
		"no URL":              {map[string]string{endpoint: "https://user:secret@[::1"}, endpointOf, "", endpoint},
		"headers":             {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "api-key=abc, x = a%20b%3Dc ,"}, headersOf, "Api-Key: abc; X: a b=c", ""},
		"traces headers":      {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=2"}, headersOf, "B: 2", ""},
		"header syntax":       {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=1,secret"}, headersOf, "A: 1", "element 2"},
		"header name":         {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a b=secret"}, headersOf, "", "element 1"},
		"header value":        {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=secret%0d%0aX: 1"}, headersOf, "", "element 1"},
		"header escape":       {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "a=secret%zz"}, headersOf, "", "element 1"},
		"timeout":             {map[string]string{"OTEL_EXPORTER_OTLP_TIMEOUT": "250"}, timeoutOf, "250ms", ""},
		"timeout of 0":        {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "0"}, timeoutOf, "10s", "TRACES_TIMEOUT"},
		"timeout with unit":   {map[string]string{"OTEL_EXPORTER_OTLP_TIMEOUT": "1s"}, timeoutOf, "10s", "TIMEOUT"},
		"no compression":      {map[string]string{"OTEL_EXPORTER_OTLP_COMPRESSION": "none"}, gzipOf, "false", ""},
		"other compression":   {map[string]string{"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, gzipOf, "true", "COMPRESSION"},
		"protocol":            {map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, gzipOf, "true", ""},
		"other protocol":      {map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, gzipOf, "true", "PROTOCOL"},
		"disabled":            {map[string]string{"OTEL_SDK_DISABLED": " TRUE "}, disabledOf, "true", ""},
		"disabled wrongly":    {map[string]string{"OTEL_SDK_DISABLED": "1"}, disabledOf, "false", "OTEL_SDK_DISABLED"},
		"no exporter":         {map[string]string{"OTEL_TRACES_EXPORTER": "none"}, disabledOf, "true", ""},
		"other exporter":      {map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, disabledOf, "false", "OTEL_TRACES_EXPORTER"},
		"propagators":         {map[string]string{"OTEL_PROPAGATORS": "xray, tracecontext,xray"}, propagatorsOf, "xray tracecontext", ""},
		"no propagators":      {map[string]string{"OTEL_PROPAGATORS": "none"}, propagatorsOf, "", ""},
		"Lambda's propagator": {map[string]string{"OTEL_PROPAGATORS": "tracecontext,baggage,xray-lambda"}, propagatorsOf, "tracecontext baggage xray-lambda", ""},
		"other propagator":    {map[string]string{"OTEL_PROPAGATORS": "b3,baggage"}, propagatorsOf, "baggage", "b3"},
		"certificate":         {map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "/secret.pem"}, gzipOf, "true", "OTLP_CERTIFICATE changes nothing"},
		"traces certificate":  {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY": "/secret.pem"}, gzipOf, "true", "TRACES_CLIENT_KEY changes nothing"},
		"batches":             {map[string]string{"OTEL_BSP_MAX_QUEUE_SIZE": "1"}, gzipOf, "true", "OTEL_BSP_MAX_QUEUE_SIZE changes nothing"},
		"metrics":             {map[string]string{"OTEL_METRICS_EXPORTER": "otlp"}, gzipOf, "true", "OTEL_METRICS_EXPORTER changes nothing"},
		"no metrics, no logs": {map[string]string{"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}, gzipOf, "true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			config, problems := read(test.variables)
			if got := test.read(config); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			said := strings.Join(problems, "\n")
			if (test.problem == "") != (said == "") || !strings.Contains(said, test.problem) || len(problems) > 1 || strings.Contains(said, "secret") {
				t.Errorf("problems %q", problems)
			}
		})
	}
}

// TestSecretsOnPlainConnections expects headers and passwords to be sent only to this machine or over TLS.
func TestSecretsOnPlainConnections(t *testing.T) {
	for _, test := range []struct {
		endpoint, headers string
		sends             bool
	}{
		{"https://otlp.example.com", "api-key=secret", true},
		{"http://otlp.example.com", "", true},
		{"http://otlp.example.com", "api-key=secret", false},
		{"HTTP://10.0.0.1:4318", "x-scope-orgid=secret", false},
		{"http://user:secret@otlp.example.com", "", false},
		{"https://user:secret@otlp.example.com", "", true},
		{"http://user:secret@127.0.0.1:4318", "api-key=secret", true},
		{"http://localhost:4318", "api-key=secret", true},
		{"http://127.1.2.3:4318", "api-key=secret", true},
		{"http://[::1]:4318", "api-key=secret", true},
		{"http://[::ffff:127.0.0.1]:4318", "api-key=secret", true},
		{"http://localhost.example.com", "api-key=secret", false},
		{"http://127.0.0.1.example.com", "api-key=secret", false},
		{"http://localhost@otlp.example.com", "", false},
		{"http://0.0.0.0:4318", "api-key=secret", false},
		{"http://[::]:4318", "api-key=secret", false},
	} {
		config, problems := read(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": test.endpoint, "OTEL_EXPORTER_OTLP_HEADERS": test.headers})
		said := strings.Join(problems, "\n")
		if sends := config.endpoint != ""; sends != test.sends || strings.Contains(said, "secret") || strings.Contains(said, "use https://") == test.sends {
			t.Errorf("%s with %q: sends %v, %q", test.endpoint, test.headers, sends, problems)
		}
	}
	if _, problems := read(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otlp.example.com", "OTEL_EXPORTER_OTLP_HEADERS": "a=b", "OTEL_SDK_DISABLED": "true",
	}); len(problems) != 0 {
		t.Errorf("disabled: %q", problems)
	}
}

func endpointOf(s settings) string { return s.endpoint }
func timeoutOf(s settings) string  { return s.timeout.String() }
func gzipOf(s settings) string     { return map[bool]string{true: "true", false: "false"}[s.gzip] }

func disabledOf(s settings) string    { return map[bool]string{true: "true", false: "false"}[s.disabled] }
func propagatorsOf(s settings) string { return strings.Join(s.propagators, " ") }

func headersOf(s settings) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.headers)) {
		lines = append(lines, name+": "+s.headers.Get(name))
	}
	return strings.Join(lines, "; ")
}

// FuzzHeaders expects that no list produces a header with a line break.
func FuzzHeaders(f *testing.F) {
	for _, list := range []string{"api-key=abc,x=a%20b", ",,=,a=", "a=%0a", "é=1", "a b=c", "A=1,a=2"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		config, _ := read(map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": list})
		for name, values := range config.headers {
			for _, c := range []byte(name + strings.Join(values, "")) {
				if c < ' ' && c != '\t' || c == 0x7f {
					t.Errorf("%q makes the header %q with the values %q", list, name, values)
				}
			}
		}
	})
}

// FuzzEndpoint expects that a request can be made for every accepted address.
func FuzzEndpoint(f *testing.F) {
	for _, address := range []string{"http://localhost:4318", "https://[::1]:1/x?y", "http://%zz", "https://a b", "://", "http://a/%2e%2e/"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		config, problems := read(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": address})
		if config.endpoint == "" {
			return
		}
		if _, err := http.NewRequestWithContext(t.Context(), http.MethodPost, config.endpoint, nil); err != nil || len(problems) > 0 {
			t.Errorf("%q becomes %q: %v, %q", address, config.endpoint, err, problems)
		}
	})
}
