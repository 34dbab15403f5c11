package golden_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/local"
)

// TestBootstrapsAnswerCognito serves every sample event to the bootstrap of its version on the local Lambda, and has Cognito's rules
// judge the answers.
func TestBootstrapsAnswerCognito(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four functions")
	}
	projects := map[string]string{"sam-v1": "v1", "sam": "v2", "sam-slim": "v2", "sam-v3": "v3"}
	config := local.Config{Log: func(line local.Line) {
		if t.Logf("%s: %s", line.Function, line.Text); !line.Platform && !json.Valid(line.Text) {
			t.Errorf("a line of the log is not JSON: %s", line.Text)
		}
	}}
	for project := range projects {
		config.Functions = append(config.Functions, local.Function{
			Name: project, Bootstrap: bootstrapOf(t, projectOf(t, project)), MemorySize: 256, Timeout: 4 * time.Second,
			Env: map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"},
		})
	}
	lambda, err := local.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lambda.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()

	samples, err := filepath.Glob("../internal/invoke/examples/cognito/*.json")
	if err != nil || len(samples) != 16 {
		t.Fatalf("%d sample events, want 16 (%v)", len(samples), err)
	}
	answered := 0
	for project, version := range projects {
		for _, sample := range samples {
			if !strings.HasPrefix(filepath.Base(sample), version+"-") {
				continue
			}
			answered++
			t.Run(project+"/"+strings.TrimSuffix(filepath.Base(sample), ".json"), func(t *testing.T) {
				event, err := os.ReadFile(sample)
				if err != nil {
					t.Fatal(err)
				}
				result, err := lambda.Invoke(t.Context(), project, local.Invocation{Payload: event})
				if err != nil {
					t.Fatal(err)
				}
				if result.FunctionError != "" {
					t.Fatalf("the function fails: %s", result.Payload)
				}
				checkEcho(t, event, result.Payload)
				outcome, err := cognito.Apply(event, result.Payload)
				if err != nil {
					t.Fatal(err)
				}
				for _, finding := range outcome.Findings {
					t.Error(finding)
				}
				checkTokens(t, outcome, event)
			})
		}
	}
	counts.Report(t, "%d events of Cognito answered by %d bootstraps", answered, len(projects))
	for project := range projects {
		result, err := lambda.Invoke(t.Context(), project, local.Invocation{Payload: []byte(`{"version":"0"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if result.FunctionError == "" || !bytes.Contains(result.Payload, []byte("sign-in is not available right now")) {
			t.Errorf("%s answers an event of another version with %s", project, result.Payload)
		}
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// checkEcho wants the request back byte for byte.
func checkEcho(t *testing.T, event, answer []byte) {
	t.Helper()
	var sent, got map[string]json.RawMessage
	if err := json.Unmarshal(event, &sent); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	for name := range sent {
		if name != "response" && !bytes.Equal(sent[name], got[name]) {
			t.Errorf("%s comes back as %s", name, got[name])
		}
	}
}

// checkTokens holds the tokens to the default policy: tenant_id, plan and roles where the user has them, caller_type for machines, and
// groups as they were.
func checkTokens(t *testing.T, outcome cognito.Outcome, event []byte) {
	t.Helper()
	var sent struct {
		TriggerSource string `json:"triggerSource"`
		Request       struct {
			GroupConfiguration struct {
				GroupsToOverride []string `json:"groupsToOverride"`
			} `json:"groupConfiguration"`
		} `json:"request"`
	}
	if err := json.Unmarshal(event, &sent); err != nil {
		t.Fatal(err)
	}
	groups := sent.Request.GroupConfiguration.GroupsToOverride
	machine := sent.TriggerSource == "TokenGeneration_ClientCredentials"
	want := map[string]string{"tenant_id": `"acme-42"`, "plan": `"gold"`}
	switch {
	case machine:
		want = map[string]string{"caller_type": `"machine"`}
	case len(groups) > 0 && outcome.Version == "1":
		want["roles"] = encode(t, encode(t, groups)) // text: version 1 has no arrays
	case len(groups) > 0:
		want["roles"] = encode(t, groups)
	}
	check := func(kind string, token *cognito.Token, want map[string]string) {
		if token == nil {
			t.Errorf("there is no %s token", kind)
			return
		}
		got := map[string]string{}
		for _, claim := range token.Claims {
			if claim.Mark != cognito.Kept {
				got[claim.Name] = string(claim.Value)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claims of the %s token (-want +got):\n%s", kind, diff)
		}
		if !slices.Equal(token.Groups, groups) {
			t.Errorf("the %s token's groups are %q, not %q", kind, token.Groups, groups)
		}
	}
	if machine != (outcome.IDToken == nil) {
		t.Errorf("there is an ID token: %v", outcome.IDToken != nil)
	}
	if !machine {
		check("ID", outcome.IDToken, want)
	}
	if outcome.Version == "1" {
		want = map[string]string{}
	}
	check("access", outcome.AccessToken, want)
}
