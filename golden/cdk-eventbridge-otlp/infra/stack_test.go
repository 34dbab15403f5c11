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

// synthesize makes the stack's template with the settings in the context. It panics if resources refer to each other in a circle.
func synthesize(t *testing.T, context map[string]any) assertions.Template {
	t.Helper()
	dist := t.TempDir()
	for _, function := range functions {
		if err := os.Mkdir(filepath.Join(dist, function), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dist, function, "bootstrap"), []byte("a program"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	app, err := newApp(jsii.String(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := readSettings(context)
	if err != nil {
		t.Fatal(err)
	}
	return assertions.Template_FromStack(newStack(app, chosen, dist), nil)
}

// TestTemplate compares the template with testdata/template.json, apart from hashes. A difference means that the next deployment changes
// something. If you intend that, run go test . -update and review the change of the file.
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

func TestSettingsReachTheTemplate(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
	template := synthesize(t, map[string]any{"logRetentionInDays": 365, "alarmTopicArn": topic})
	template.AllResourcesProperties(jsii.String("AWS::Logs::LogGroup"), map[string]int{"RetentionInDays": 365})
	template.AllResourcesProperties(jsii.String("AWS::CloudWatch::Alarm"), map[string][]string{
		"AlarmActions": {topic}, "OKActions": {topic},
	})
}
