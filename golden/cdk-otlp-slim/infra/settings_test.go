package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

func TestReadSettings(t *testing.T) {
	got, err := readSettings(map[string]any{
		"@aws-cdk/core:target-partitions": []string{"aws"},
		"aws:cdk:enable-path-metadata":    true,
		"cli-telemetry":                   false,
		"stackName":                       "other",
		"existingUserPoolId":              "us-gov-west-1_AbCdEf123",
		"userPoolTier":                    "PLUS",
		"otlpEndpoint":                    "https://otlp.example.com:4318",
		"otlpHeadersSecretArn":            "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:otlp-AbCdEf",
		"logRetentionInDays":              3653.0, // as cdk.json has numbers
		"alarmTopicArn":                   "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms",
	})
	want := settings{
		stackName:            "other",
		existingUserPoolID:   "us-gov-west-1_AbCdEf123",
		userPoolTier:         "PLUS",
		otlpEndpoint:         "https://otlp.example.com:4318",
		otlpHeadersSecretARN: "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:otlp-AbCdEf",
		logRetention:         awslogs.RetentionDays_TEN_YEARS,
		alarmTopicARN:        "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms",
	}
	if err != nil || got != want {
		t.Errorf("got  %+v\nwant %+v (%v)", got, want, err)
	}
}

func TestReadSettingsRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		key, value, want string
	}{
		"unknown key":          {"existingUserPoolID", "eu-west-1_AbCdEf123", "use stackName, existingUserPoolId"},
		"name with a space":    {"stackName", "a b", "letters, digits and hyphens"},
		"ARN of a pool":        {"existingUserPoolId", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123", "no ARN"},
		"plan without trigger": {"userPoolTier", "LITE", "LITE has no V2_0 trigger"},
		"endpoint by name":     {"otlpEndpoint", "otlp.example.com", "begins with http:// or https://"},
		"key for the secret":   {"otlpHeadersSecretArn", "x-honeycomb-team=key", "ARN of a secret"},
		"part of an ARN":       {"otlpHeadersSecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp", "six characters"},
		"days nobody offers":   {"logRetentionInDays", "31", "30, 90"},
		"topic by name":        {"alarmTopicArn", "alarms", "ARN of an SNS topic"},
	} {
		t.Run(name, func(t *testing.T) {
			// A second mistake is reported along with the first.
			_, err := readSettings(map[string]any{test.key: test.value, "unknown": true})
			for _, want := range []string{"context " + test.key, test.want, "context unknown is unknown"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

func TestReadSettingsWantsHeadersEncrypted(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf"
	context := map[string]any{"otlpEndpoint": "http://otlp.example.com:4318"}
	if _, err := readSettings(context); err != nil {
		t.Error(err)
	}
	context["otlpHeadersSecretArn"] = secret
	if _, err := readSettings(context); err == nil || !strings.Contains(err.Error(), "use https://") {
		t.Errorf("error %v", err)
	}
	for _, endpoint := range []string{"http://localhost:4318", "http://127.0.0.1:4318", "http://[::1]:4318"} { // in the execution environment
		context["otlpEndpoint"] = endpoint
		if _, err := readSettings(context); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
