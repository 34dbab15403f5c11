package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

var update = flag.Bool("update", false, "write testdata/template.json instead of comparing it")

// synthesize makes the stack's template with the settings in the context. It panics if a resource refers to itself in a circle.
func synthesize(t *testing.T, context map[string]any) assertions.Template {
	t.Helper()
	code := t.TempDir()
	if err := os.WriteFile(filepath.Join(code, "bootstrap"), []byte("a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	app, err := newApp(jsii.String(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := readSettings(context)
	if err != nil {
		t.Fatal(err)
	}
	return assertions.Template_FromStack(newStack(app, chosen, code), nil)
}

// TestTemplate compares the template, hashes masked, with testdata/template.json: a change there is a change of what is deployed. After
// one that is meant, run go test . -update and review the difference.
func TestTemplate(t *testing.T) {
	const path = "testdata/template.json"
	got, err := json.MarshalIndent(synthesize(t, nil).ToJSON(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAll(append(got, '\n'), []byte("HASH"))
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(gotLines), len(wantLines)) {
		if !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Fatalf("%s:%d is\n%s\nand the stack now has\n%s", path, i+1, wantLines[i], gotLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Errorf("%s has %d lines, and the stack now has %d", path, len(wantLines), len(gotLines))
	}
}

func TestExistingUserPool(t *testing.T) {
	template := synthesize(t, map[string]any{"existingUserPoolId": "eu-west-1_AbCdEf123"})
	for _, kind := range []string{"UserPool", "UserPoolClient"} {
		template.ResourceCountIs(jsii.String("AWS::Cognito::"+kind), jsii.Number(0))
	}
	template.HasResourceProperties(jsii.String("AWS::Lambda::Permission"), map[string]any{
		"Principal":     "cognito-idp.amazonaws.com",
		"SourceAccount": map[string]string{"Ref": "AWS::AccountId"},
		"SourceArn": map[string]any{"Fn::Join": []any{"", []any{
			"arn:",
			map[string]string{"Ref": "AWS::Partition"},
			":cognito-idp:",
			map[string]string{"Ref": "AWS::Region"},
			":",
			map[string]string{"Ref": "AWS::AccountId"},
			":userpool/eu-west-1_AbCdEf123",
		}}},
	})
	template.HasOutput(jsii.String("UserPoolId"), map[string]string{"Value": "eu-west-1_AbCdEf123"})
	template.HasOutput(jsii.String("AttachCommand"), map[string]any{
		"Value": map[string]any{"Fn::Join": []any{"", []any{
			"scripts/attach.sh attach eu-west-1_AbCdEf123 ", map[string]any{"Fn::GetAtt": []string{"TokenCustomizer", "Arn"}},
		}}},
	})
}

func TestSettingsReachTheTemplate(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
	template := synthesize(t, map[string]any{"userPoolTier": "PLUS", "logRetentionInDays": 365, "alarmTopicArn": topic})
	template.HasResourceProperties(jsii.String("AWS::Cognito::UserPool"), map[string]string{"UserPoolTier": "PLUS"})
	template.HasResourceProperties(jsii.String("AWS::Logs::LogGroup"), map[string]int{"RetentionInDays": 365})
	template.AllResourcesProperties(jsii.String("AWS::CloudWatch::Alarm"), map[string][]string{
		"AlarmActions": {topic}, "OKActions": {topic},
	})
}
