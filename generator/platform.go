package generator

// packageRules lists the platform packages that come with a feature or with another platform package. Keys join features with +, as the names of
// layers do.
var packageRules = map[string][]string{
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
