package customizer_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/cdk-eventbridge-otlp-slim/internal/customizer"
	"example.com/cdk-eventbridge-otlp-slim/internal/lambdaruntime"
	"example.com/cdk-eventbridge-otlp-slim/internal/pretoken"
)

// newHandler returns a handler of the policy, and its log.
func newHandler(t *testing.T, policy customizer.Policy) (*customizer.Handler, *bytes.Buffer) {
	t.Helper()
	custom, err := customizer.New(policy)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	return customizer.NewHandler(custom, &recorder{}, lambdaruntime.LoggerTo(&log)), &log
}

// TestNothingPersonalIsLogged marks every value that is personal or secret and looks for the mark in the log.
func TestNothingPersonalIsLogged(t *testing.T) {
	const (
		mark  = "canary"
		event = `{"version":"2","triggerSource":"TokenGeneration_Authentication","userPoolId":"eu-west-1_x","userName":"canary-user",
			"callerContext":{"clientId":"web\n{\"level\":\"ERROR\"}"},"request":{
			"userAttributes":{"sub":"canary-sub","email":"canary@example.com","custom:seats":"canary-seats"},
			"groupConfiguration":{"groupsToOverride":["canary-group"]},"clientMetadata":{"canary-key":"canary-value"}}}`
	)
	claims := []customizer.Claim{
		{Name: "mail", From: customizer.Attribute("email")},
		{Name: "seats", From: customizer.AttributeAs("custom:seats", customizer.Number)},
		{Name: "roles", From: customizer.Groups()},
	}
	tests := map[string]struct {
		find    func(context.Context, *pretoken.Event) (customizer.Found, error)
		action  customizer.Action
		maxSize int
		fails   bool
	}{
		"healthy":       {},
		"budget":        {maxSize: 1},
		"sign-in fails": {action: customizer.Fail, maxSize: 1, fails: true},
		"lookup": {find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
			return customizer.Found{Claims: map[string]any{"name": "canary", "beta-for-canary": true}, Scopes: []string{"tenant:canary"}}, nil
		}},
		"lookup fails": {find: func(context.Context, *pretoken.Event) (customizer.Found, error) {
			return customizer.Found{}, errors.New("canary")
		}},
		"lookup panics": {find: func(context.Context, *pretoken.Event) (customizer.Found, error) { panic("canary") }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			handler, log := newHandler(t, customizer.Policy{
				Rules:     []customizer.Rule{{Claims: claims, SuppressClaims: []string{"phone_number"}}},
				Lookup:    customizer.Lookup{Find: test.find, Timeout: time.Minute, Claims: []string{"name"}},
				OnProblem: test.action,
				MaxSize:   cmp.Or(test.maxSize, 1000),
			})
			_, err := handler.Invoke(t.Context(), []byte(event))
			if failed := err != nil; failed != test.fails {
				t.Fatalf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), mark) {
				t.Errorf("the user is told: %v", err)
			}
			if strings.Contains(log.String(), mark) {
				t.Errorf("logged:\n%s", log)
			}
			for line := range strings.Lines(log.String()) {
				var entry map[string]any
				if err := json.Unmarshal([]byte(line), &entry); err != nil {
					t.Errorf("not a line of JSON: %v: %s", err, line)
				}
				if entry["triggerSource"] != "TokenGeneration_Authentication" || entry["clientId"] != "web\n{\"level\":\"ERROR\"}" {
					t.Errorf("trigger source and client are missing: %s", line)
				}
			}
		})
	}
}

func TestErrorsAreGeneric(t *testing.T) {
	handler, log := newHandler(t, customizer.DefaultPolicy())
	for _, payload := range []string{"canary", `{"version":"canary"}`} {
		answer, err := handler.Invoke(t.Context(), []byte(payload))
		if answer != nil || err == nil {
			t.Fatalf("%s: got %s, %v", payload, answer, err)
		}
		if want := "sign-in is not available right now, please try again later"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	}
	if strings.Contains(log.String(), "canary") {
		t.Errorf("logged:\n%s", log)
	}
}

// TestPanic gives the handler no customizer, so that it panics.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	handler := customizer.NewHandler(nil, &recorder{}, lambdaruntime.LoggerTo(&log))
	answer, err := handler.Invoke(t.Context(), []byte(`{}`))
	if answer != nil || err == nil || strings.Contains(err.Error(), "nil pointer") {
		t.Errorf("got %s, %v", answer, err)
	}
	if !strings.Contains(log.String(), "handler.go") {
		t.Errorf("no stack in the log:\n%s", &log)
	}
}

// TestDefaultPolicy says what the policy does to the sample events. Change it together with policy.go.
func TestDefaultPolicy(t *testing.T) {
	const (
		user      = `{"claimsToAddOrOverride":{"plan":"gold","roles":["admins","billing"],"tenant_id":"acme-42"}}`
		groupless = `{"claimsToAddOrOverride":{"plan":"gold","tenant_id":"acme-42"}}`
	)
	both := func(changes string) string {
		return `{"idTokenGeneration":` + changes + `,"accessTokenGeneration":` + changes + `}`
	}
	for sample, want := range map[string]string{
		"authentication":         both(user),
		"hosted-auth":            both(user),
		"new-password-challenge": both(user),
		"authenticate-device":    both(user),
		"refresh-tokens":         both(groupless),
	} {
		t.Run(sample, func(t *testing.T) {
			payload, err := os.ReadFile(filepath.Join("..", "..", "events", sample+".json"))
			if err != nil {
				t.Fatal(err)
			}
			handler, _ := newHandler(t, customizer.DefaultPolicy())
			answer, err := handler.Invoke(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Response struct {
					Details json.RawMessage `json:"claimsAndScopeOverrideDetails"`
				} `json:"response"`
			}
			if err := json.Unmarshal(answer, &got); err != nil {
				t.Fatal(err)
			}
			if string(got.Response.Details) != want {
				t.Errorf("got  %s\nwant %s", got.Response.Details, want)
			}
		})
	}
}
