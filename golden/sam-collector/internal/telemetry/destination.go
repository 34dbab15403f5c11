package telemetry

// newDestination sends spans to the collector in the function's layer, at the address that template.yaml sets as
// OTEL_EXPORTER_OTLP_ENDPOINT. collector.yaml sends them on to where Lambda's own spans are too, so X-Ray decides which traces are
// recorded.
func newDestination(_ *environment, config settings) destination {
	return destination{endpoint: config.endpoint, followXRay: true}
}
