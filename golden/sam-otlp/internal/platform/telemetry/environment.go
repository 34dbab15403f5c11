package telemetry

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// settings come from OpenTelemetry's environment variables. The SDK itself reads the variables for sampling, limits and the resource.
// Source: OpenTelemetry specification, "Environment Variable Specification" and "OpenTelemetry Protocol Exporter".
type settings struct {
	// disabled is true if nothing is recorded.
	disabled bool
	// endpoint is the URL to which spans are posted. It may be empty.
	endpoint string
	// exposed is true if the endpoint is on another machine and does not use TLS, so that others can read the requests.
	exposed bool
	headers http.Header
	// timeout of one export.
	timeout     time.Duration
	gzip        bool
	propagators []string
}

// environment reads variables and collects their problems. A problem names the variable, but no value that may be secret.
type environment struct {
	getenv   func(string) string
	problems []string
}

func (e *environment) problem(variable, format string, arguments ...any) {
	e.problems = append(e.problems, variable+" "+fmt.Sprintf(format, arguments...))
}

// exporterTimeout is the default of OTEL_EXPORTER_OTLP_TIMEOUT. The limits of flushes are lower.
const exporterTimeout = 10 * time.Second

func (e *environment) settings() settings {
	config := settings{timeout: exporterTimeout}
	config.disabled = e.choice("OTEL_SDK_DISABLED", "false", "true") == "true"
	if e.choice("OTEL_TRACES_EXPORTER", "otlp", "none") == "none" {
		config.disabled = true
	}
	address := e.endpoint()
	config.headers = e.headers(e.otlp("HEADERS"))
	if address != nil {
		config.endpoint, config.exposed = address.String(), address.Scheme == "http" && !isLoopback(address.Hostname())
		switch headers, _ := e.otlp("HEADERS"); {
		case address.User != nil:
			e.protect(&config, "its password")
		case len(config.headers) > 0:
			e.protect(&config, "the headers of "+headers)
		}
	}
	if variable, value := e.otlp("TIMEOUT"); value != "" {
		if milliseconds, err := strconv.Atoi(value); err != nil || milliseconds <= 0 {
			e.problem(variable, "is not a number of milliseconds above 0: %s is taken", exporterTimeout)
		} else {
			config.timeout = time.Duration(milliseconds) * time.Millisecond
		}
	}
	compression, _ := e.otlp("COMPRESSION")
	config.gzip = e.choice(compression, "gzip", "none") == "gzip"
	protocol, _ := e.otlp("PROTOCOL")
	e.choice(protocol, "http/json")
	config.propagators = e.propagators()
	e.refuse()
	return config
}

// otlp returns the name and the value of one of the exporter's variables. The variable for traces takes precedence over the general one.
func (e *environment) otlp(name string) (variable, value string) {
	variable = "OTEL_EXPORTER_OTLP_TRACES_" + name
	if value = strings.TrimSpace(e.getenv(variable)); value == "" {
		variable = "OTEL_EXPORTER_OTLP_" + name
		value = strings.TrimSpace(e.getenv(variable))
	}
	return variable, value
}

// choice returns the value of a variable, or the first choice if the value is missing or unknown.
func (e *environment) choice(variable string, choices ...string) string {
	value := strings.ToLower(strings.TrimSpace(e.getenv(variable)))
	switch {
	case slices.Contains(choices, value):
		return value
	case value != "":
		e.problem(variable, "is none of %s: %s is taken", strings.Join(choices, ", "), choices[0])
	}
	return choices[0]
}

// refuse reports variables of OpenTelemetry that have no effect here. This package uses the system's certificates, sends spans after invocations
// and not on a schedule, exports neither metrics nor logs, and reads no configuration file.
func (e *environment) refuse() {
	for _, name := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY", "INSECURE"} {
		if variable, value := e.otlp(name); value != "" {
			e.problem(variable, "changes nothing here")
		}
	}
	for _, variable := range []string{
		"OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
		"OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER", "OTEL_CONFIG_FILE",
	} {
		if value := strings.TrimSpace(e.getenv(variable)); value != "" && value != "none" {
			e.problem(variable, "changes nothing here")
		}
	}
}

// tracesPath is appended to OTEL_EXPORTER_OTLP_ENDPOINT. OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is the complete address.
const tracesPath = "/v1/traces"

// endpoint returns the address of the collector, or nil.
func (e *environment) endpoint() *url.URL {
	variable, value := e.otlp("ENDPOINT")
	if value == "" {
		return nil
	}
	address, err := url.Parse(value)
	if err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Hostname() == "" {
		e.problem(variable, "is not an address like https://otlp.example.com: telemetry is off")
		return nil
	}
	if !strings.Contains(variable, "TRACES") {
		address = address.JoinPath(tracesPath)
	}
	return address
}

// protect turns telemetry off if others could read a secret on the way. Any header may be a key.
func (e *environment) protect(config *settings, secret string) {
	if !config.exposed || config.endpoint == "" || config.disabled {
		return
	}
	variable, _ := e.otlp("ENDPOINT")
	e.problem(variable, "begins with http://, where others can read %s on the way: telemetry is off, use https://", secret)
	config.endpoint = ""
}

// isLoopback reports whether a host is this machine, which in Lambda is the execution environment.
func isLoopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// headers parses a list of headers in the format of OTEL_EXPORTER_OTLP_HEADERS: "name=value,name=value", with values escaped as in URLs. In
// problems, where names the place of the list.
func (e *environment) headers(where, list string) http.Header {
	found := http.Header{}
	for i, pair := range strings.Split(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, cut := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !cut || err != nil || !isToken(name) || strings.ContainsFunc(value, unicode.IsControl) {
			e.problem(where, "has no name=value as its element %d: that one is left out", i+1)
			continue
		}
		found.Set(name, value)
	}
	return found
}

// isToken reports whether a text can be the name of a header. Source: RFC 9110, section 5.6.2.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// The names of propagators in OTEL_PROPAGATORS.
const (
	traceContextName = "tracecontext"
	baggageName      = "baggage"
	xrayName         = "xray"
	xrayLambdaName   = "xray-lambda"
)

func (e *environment) propagators() []string {
	const variable = "OTEL_PROPAGATORS"
	value := strings.TrimSpace(e.getenv(variable))
	if value == "" {
		return []string{traceContextName, baggageName, xrayName}
	}
	known := []string{traceContextName, baggageName, xrayName, xrayLambdaName}
	chosen := []string{}
	for _, name := range strings.Split(value, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == "none" || name == "" || slices.Contains(chosen, name):
		case slices.Contains(known, name):
			chosen = append(chosen, name)
		default:
			e.problem(variable, "may have %s and none: %q is left out", strings.Join(known, ", "), name)
		}
	}
	return chosen
}
