package generator

// needed lists the platform packages that a feature or another platform package needs. Keys join features with +, as the names of layers do.
var needed = map[string][]string{
	"cloudwatch":     {"awsroots", "sigv4"},
	"lambdaruntime":  {"http1", "rawjson"},
	"official":       {"function", "lambdatest"},
	"otel":           {"telemetry"},
	"otlp":           {"awsendpoint", "sigv4"},
	"publisher":      {"awsroots"},
	"publisher+slim": {"awsendpoint", "http1", "netstream", "sigv4"},
	"slim":           {"function", "lambdaruntime", "lambdatest"},
	"telemetry+slim": {"http1", "netstream"},
}
