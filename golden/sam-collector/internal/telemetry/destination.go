package telemetry

// followXRay has X-Ray decide which traces are recorded. It is right where spans go to where Lambda's own are too, as collector.yaml has it.
const followXRay = true

// newDestination sends spans to the collector in the function's layer, at the address that the stack sets as
// OTEL_EXPORTER_OTLP_ENDPOINT.
func newDestination(_ *environment, config settings) destination {
	return destination{endpoint: config.endpoint, followXRay: followXRay}
}
