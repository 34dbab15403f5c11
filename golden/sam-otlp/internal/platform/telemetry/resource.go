package telemetry

import (
	"context"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// describe returns the resource of the spans: the function, its version and its execution environment. OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES take precedence.
// Source: OpenTelemetry semantic conventions, "FaaS" and "AWS Lambda", and Lambda Developer Guide, "Defined runtime environment variables".
func describe(ctx context.Context, getenv func(string) string) *resource.Resource {
	attributes := []attribute.KeyValue{semconv.CloudProviderAWS, semconv.CloudPlatformAWSLambda}
	add := func(variable string, describe func(string) attribute.KeyValue) {
		if value := getenv(variable); value != "" {
			attributes = append(attributes, describe(value))
		}
	}
	add("AWS_REGION", semconv.CloudRegion)
	add("AWS_LAMBDA_FUNCTION_NAME", semconv.ServiceName)
	add("AWS_LAMBDA_FUNCTION_NAME", semconv.FaaSName)
	add("AWS_LAMBDA_FUNCTION_VERSION", semconv.FaaSVersion)
	add("AWS_LAMBDA_LOG_STREAM_NAME", semconv.FaaSInstance)
	add("AWS_LAMBDA_LOG_GROUP_NAME", func(name string) attribute.KeyValue { return semconv.AWSLogGroupNames(name) })
	add("AWS_LAMBDA_LOG_STREAM_NAME", func(name string) attribute.KeyValue { return semconv.AWSLogStreamNames(name) })
	if megabytes, err := strconv.Atoi(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")); err == nil {
		attributes = append(attributes, semconv.FaaSMaxMemory(megabytes<<20))
	}
	// The SDK reads these two variables too, and reports their mistakes.
	described, _ := resource.New(ctx,
		resource.WithSchemaURL(semconv.SchemaURL),
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attributes...),
		resource.WithFromEnv(),
	)
	return described
}
