package main

import (
	"strings"
	"testing"
)

func TestReadSettings(t *testing.T) {
	got, err := readSettings(map[string]any{
		"@aws-cdk/core:target-partitions": []string{"aws"},
		"aws:cdk:enable-path-metadata":    true,
		"cli-telemetry":                   false,
		"stackName":                       "other",
		"existingUserPoolId":              "eu-west-1_AbCdEf123",
		"userPoolTier":                    "PLUS",
		"logRetentionInDays":              365.0, // as cdk.json has numbers
		"alarmTopicArn":                   "arn:aws:sns:eu-west-1:123456789012:alarms",
	})
	want := settings{
		stackName:          "other",
		existingUserPoolID: "eu-west-1_AbCdEf123",
		userPoolTier:       "PLUS",
		logRetentionInDays: "365",
		alarmTopicARN:      "arn:aws:sns:eu-west-1:123456789012:alarms",
	}
	if err != nil || got != want {
		t.Errorf("got  %+v\nwant %+v (%v)", got, want, err)
	}
}

func TestReadSettingsDefaults(t *testing.T) {
	if got, err := readSettings(nil); err != nil || got != defaults() {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestReadSettingsRefuses makes one mistake in each setting, and an unknown one. The error must list them all.
func TestReadSettingsRefuses(t *testing.T) {
	mistakes := map[string]any{
		"stackName":          "a b",
		"existingUserPoolId": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123",
		"userPoolTier":       "LITE",
		"logRetentionInDays": "31",
		"alarmTopicArn":      "alarms",
	}
	mistakes["unknown"] = true
	_, err := readSettings(mistakes)
	if err == nil {
		t.Fatal("readSettings found no mistake")
	}
	wants := []string{"context unknown is unknown: use one of stackName, "}
	for _, setting := range new(settings).all() {
		mistake, found := mistakes[setting.key].(string)
		if !found {
			t.Errorf("the test has no mistake for %s", setting.key)
		}
		wants = append(wants, "context "+setting.key+` is "`+mistake+`": use `+setting.want)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
