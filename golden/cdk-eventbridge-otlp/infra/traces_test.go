package main

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

func TestTracesWithHeaders(t *testing.T) {
	const endpoint, secret = "https://otlp.example.com", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf"
	template := synthesize(t, map[string]any{"otlpEndpoint": endpoint, "otlpHeadersSecretArn": secret})
	template.HasResourceProperties(jsii.String("AWS::Lambda::Function"), map[string]any{
		"Environment": map[string]any{"Variables": map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTLP_HEADERS_SECRET_ARN": secret,
		}},
	})
	template.HasResourceProperties(jsii.String("AWS::IAM::Role"), map[string]any{
		"Policies": assertions.Match_ArrayWith(&[]any{map[string]any{
			"PolicyName": "otlp-headers",
			"PolicyDocument": map[string]any{
				"Version":   "2012-10-17",
				"Statement": []map[string]string{{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret}},
			},
		}}),
	})
}

func TestHeadersNeedEncryption(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf"
	context := map[string]any{"otlpEndpoint": "http://otlp.example.com:4318"}
	_, err := readSettings(context)
	checkError(t, err, "")
	context["otlpHeadersSecretArn"] = secret
	_, err = readSettings(context)
	checkError(t, err, "use https://")
	for _, endpoint := range []string{"http://localhost:4318", "http://127.0.0.1:4318", "http://[::1]:4318"} { // in the execution environment
		context["otlpEndpoint"] = endpoint
		_, err := readSettings(context)
		checkError(t, err, "")
	}
}
