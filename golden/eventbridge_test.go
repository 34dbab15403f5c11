package golden_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/judges"
	"github.com/golam-cli/golam/internal/local"
)

// publishing are the golden projects that publish events, one for each client of EventBridge.
var publishing = []string{"sam-eventbridge", "sam-eventbridge-slim"}

// bootstrapOf builds the function of the project in folder as it is deployed, for this machine.
func bootstrapOf(t *testing.T, folder string) string {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	goCommand(t, folder, "GOWORK=off",
		"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", bootstrap, "./cmd/token-customizer")
	return bootstrap
}

// startLambda serves functions until the test ends.
func startLambda(t *testing.T, config local.Config) *local.Lambda {
	t.Helper()
	lambda, err := local.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lambda.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return lambda
}

// TestEventsArrive publishes to moto's EventBridge, with the rule of the project's template, and reads what arrives in the rule's queue.
func TestEventsArrive(t *testing.T) {
	if testing.Short() {
		t.Skip("builds functions and starts moto")
	}
	found, err := judges.Find("..")
	if err != nil {
		t.Fatal(err)
	}
	endpoint, stop, err := found.StartMoto(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	samples, err := filepath.Glob("../internal/invoke/examples/cognito/v2-*.json")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no sample events: %v", err)
	}
	arrived := 0
	for _, project := range publishing {
		t.Run(project, func(t *testing.T) {
			folder := projectOf(t, project)
			moto := moto{endpoint: endpoint}
			moto.call(t, "events", "AWSEvents.CreateEventBus", map[string]any{"Name": project})
			queue := moto.call(t, "sqs", "AmazonSQS.CreateQueue", map[string]any{"QueueName": project})["QueueUrl"]
			moto.call(t, "events", "AWSEvents.PutRule", map[string]any{
				"Name": project, "EventBusName": project, "EventPattern": patternOf(t, folder),
			})
			moto.call(t, "events", "AWSEvents.PutTargets", map[string]any{
				"Rule": project, "EventBusName": project,
				"Targets": []any{map[string]any{"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:123456789012:" + project}},
			})
			lambda := startLambda(t, local.Config{Log: func(line local.Line) { t.Logf("%s", line.Text) }, Functions: []local.Function{{
				Name: project, Bootstrap: bootstrapOf(t, folder), MemorySize: 256, Timeout: 4 * time.Second,
				Env: map[string]string{
					"AWS_ENDPOINT_URL_EVENTBRIDGE": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test",
					"EVENT_BUS_NAME": project, "AWS_LAMBDA_LOG_FORMAT": "JSON",
				},
			}}})
			for _, sample := range samples {
				event, err := os.ReadFile(sample)
				if err != nil {
					t.Fatal(err)
				}
				before := time.Now().Truncate(time.Second)
				result, err := lambda.Invoke(t.Context(), project, local.Invocation{Payload: event})
				if err != nil || result.FunctionError != "" {
					t.Fatalf("%v: %s", err, result.Payload)
				}
				checkArrived(t, moto.receive(t, queue), event, result, before)
				arrived++
			}
		})
	}
	counts.Report(t, "%d events published by %d bootstraps arrived in a queue behind moto's EventBridge", arrived, len(publishing))
}

// patternOf is the pattern of the example rule in the project's template, as JSON.
func patternOf(t *testing.T, folder string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties map[string]yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(content, &template); err != nil {
		t.Fatal(err)
	}
	pattern := map[string]any{}
	node := template.Resources["ExampleRule"].Properties["EventPattern"]
	if err := node.Decode(&pattern); err != nil || len(pattern) == 0 {
		t.Fatalf("the template has no pattern: %v", err)
	}
	return encode(t, pattern)
}

// checkArrived compares what arrived with what must have been published: the parts of the event that identify nobody, the names of the
// claims in the answer, and the request id.
func checkArrived(t *testing.T, arrived string, event []byte, result local.Result, before time.Time) {
	t.Helper()
	type token struct {
		Claims []string `json:"claims,omitempty"`
	}
	type message struct {
		Source     string    `json:"source"`
		DetailType string    `json:"detail-type"`
		Time       time.Time `json:"time"`
		Detail     struct {
			Metadata struct {
				ID, Version string
				Time        time.Time
			} `json:"metadata"`
			Data struct {
				UserPoolID    string `json:"userPoolId"`
				ClientID      string `json:"clientId"`
				TriggerSource string `json:"triggerSource"`
				Subject       string `json:"subject"`
				IDToken       token  `json:"idToken"`
				AccessToken   token  `json:"accessToken"`
			} `json:"data"`
		} `json:"detail"`
	}
	var got message
	if err := json.Unmarshal([]byte(arrived), &got); err != nil {
		t.Fatalf("%v: %s", err, arrived)
	}
	var sent struct {
		TriggerSource string `json:"triggerSource"`
		UserPoolID    string `json:"userPoolId"`
		CallerContext struct {
			ClientID string `json:"clientId"`
		} `json:"callerContext"`
		Request struct {
			UserAttributes map[string]string `json:"userAttributes"`
		} `json:"request"`
	}
	if err := json.Unmarshal(event, &sent); err != nil {
		t.Fatal(err)
	}
	outcome, err := cognito.Apply(event, result.Payload)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(token *cognito.Token) (names []string) {
		for _, claim := range token.Claims {
			if claim.Mark != cognito.Kept {
				names = append(names, claim.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	subject := sha256.Sum256([]byte(sent.UserPoolID + "/" + sent.Request.UserAttributes["sub"]))
	var want message
	want.Source, want.DetailType = "demo.token-customizer", "TokensCustomized.v1"
	want.Detail.Metadata.ID, want.Detail.Metadata.Version = result.RequestID, "1"
	want.Detail.Data.UserPoolID, want.Detail.Data.ClientID, want.Detail.Data.TriggerSource = sent.UserPoolID, sent.CallerContext.ClientID, sent.TriggerSource
	want.Detail.Data.Subject = hex.EncodeToString(subject[:])
	want.Detail.Data.IDToken.Claims, want.Detail.Data.AccessToken.Claims = changed(outcome.IDToken), changed(outcome.AccessToken)
	for _, at := range []time.Time{got.Time, got.Detail.Metadata.Time} {
		if at.Before(before) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("the event's time is %s", at)
		}
	}
	want.Time, want.Detail.Metadata.Time = got.Time, got.Detail.Metadata.Time
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what arrived (-want +got):\n%s", diff)
	}
	for attribute, value := range sent.Request.UserAttributes {
		if value != "true" && value != "false" && strings.Contains(arrived, value) {
			t.Errorf("the event tells the user's %s: %s", attribute, arrived)
		}
	}
}

// moto is a server of moto's, called without the SDK that it judges.
type moto struct{ endpoint string }

// call makes a call of a JSON protocol.
func (m moto) call(t *testing.T, service, target string, input any) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.endpoint, strings.NewReader(encode(t, input)))
	if err != nil {
		t.Fatal(err)
	}
	version := map[string]string{"events": "1.1", "sqs": "1.0", "dynamodb": "1.0"}[service]
	request.Header.Set("Content-Type", "application/x-amz-json-"+version)
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Authorization", // moto takes the service from it and verifies nothing
		fmt.Sprintf("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=0", service))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v: %s", target, response.Status, err, body)
	}
	output := map[string]any{}
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &output); err != nil {
			t.Fatalf("%s: %v: %s", target, err, body)
		}
	}
	return output
}

// receive takes the one message that is in the queue.
func (m moto) receive(t *testing.T, queue any) string {
	t.Helper()
	output := m.call(t, "sqs", "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5})
	messages, _ := output["Messages"].([]any)
	if len(messages) != 1 {
		t.Fatalf("%d events arrived, want 1: %v", len(messages), messages)
	}
	message := messages[0].(map[string]any)
	m.call(t, "sqs", "AmazonSQS.DeleteMessage", map[string]any{"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]})
	return message["Body"].(string)
}
