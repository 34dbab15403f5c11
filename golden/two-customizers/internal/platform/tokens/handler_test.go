package tokens_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/tokens"
)

// rolesPolicy gives the claims tenant_id and roles.
func rolesPolicy() tokens.Policy {
	return tokens.Policy{
		Rules: []tokens.Rule{{Claims: []tokens.Claim{
			{Name: "tenant_id", From: tokens.Attribute("custom:tenant_id")},
			{Name: "roles", From: tokens.Groups()},
		}}},
		MaxSize: 2048,
	}
}

// versions are those of the trigger.
var versions = []pretoken.Version{pretoken.V1, pretoken.V2, pretoken.V3}

// newHandler returns a handler of the policy for a version of the trigger, and its log.
func newHandler(t *testing.T, policy tokens.Policy, version pretoken.Version) (*tokens.Handler, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	handler, err := tokens.New(tokens.Config{Policy: policy, Trigger: version, Logger: logger, Publisher: &recorder{}})
	if err != nil {
		t.Fatal(err)
	}
	return handler, &log
}

// TestNothingPersonalIsLogged marks every value that is personal or secret and looks for the mark in the log.
func TestNothingPersonalIsLogged(t *testing.T) {
	const (
		mark  = "canary"
		event = `{"triggerSource":"TokenGeneration_Authentication","userPoolId":"eu-west-1_x","userName":"canary-user",
			"callerContext":{"clientId":"web\n{\"level\":\"ERROR\"}"},"request":{
			"userAttributes":{"sub":"canary-sub","email":"canary@example.com","custom:seats":"canary-seats"},
			"groupConfiguration":{"groupsToOverride":["canary-group"]},"clientMetadata":{"canary-key":"canary-value"}}}`
	)
	claims := []tokens.Claim{
		{Name: "mail", From: tokens.Attribute("email")},
		{Name: "seats", From: tokens.AttributeAs("custom:seats", tokens.Number)},
		{Name: "roles", From: tokens.Groups()},
		{Name: "fails", From: tokens.Func(func(*pretoken.Event) (any, error) { return nil, errors.New("canary") })},
		{Name: "panics", From: tokens.Func(func(*pretoken.Event) (any, error) { panic("canary") })},
		{Name: "maps", From: tokens.Groups().Map(func(string) string { panic("canary") })},
	}
	tests := map[string]struct {
		find    func(context.Context, *pretoken.Event) (tokens.Found, error)
		action  tokens.Action
		maxSize int
		fails   bool
	}{
		"healthy":       {},
		"budget":        {maxSize: 1},
		"sign-in fails": {action: tokens.Fail, maxSize: 1, fails: true},
		"lookup": {find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
			return tokens.Found{Claims: map[string]any{"name": "canary", "beta-for-canary": true}, Scopes: []string{"tenant:canary"}}, nil
		}},
		"lookup fails": {find: func(context.Context, *pretoken.Event) (tokens.Found, error) {
			return tokens.Found{}, errors.New("canary")
		}},
		"lookup panics": {find: func(context.Context, *pretoken.Event) (tokens.Found, error) { panic("canary") }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			policy := tokens.Policy{
				Rules: []tokens.Rule{
					{Claims: claims, SuppressClaims: []string{"phone_number"}},
					{When: func(*pretoken.Event) bool { panic("canary") }},
				},
				OnProblem: test.action,
				MaxSize:   cmp.Or(test.maxSize, 1000),
			}
			if test.find != nil {
				policy.Lookup = tokens.Lookup{Find: test.find, Timeout: time.Minute, Claims: []string{"name"}}
			}
			for _, version := range versions {
				handler, log := newHandler(t, policy, version)
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
			}
		})
	}
}

// TestRequestAndGroupsAreUntouched wants the request back to the byte, and no member that changes the groups, in each version.
func TestRequestAndGroupsAreUntouched(t *testing.T) {
	const request = `{ "userAttributes":{"sub":"1","custom:tenant_id":"acme"},"groupConfiguration":{"groupsToOverride":["a"],"preferredRole":null},"new":1.0}`
	for _, version := range versions {
		handler, _ := newHandler(t, rolesPolicy(), version)
		answer, err := handler.Invoke(t.Context(), []byte(`{"version":"`+version.String()+`","request":`+request+`,"response":{}}`))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Request  json.RawMessage `json:"request"`
			Response json.RawMessage `json:"response"`
		}
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatal(err)
		}
		if string(got.Request) != request {
			t.Errorf("the request changed: %s", got.Request)
		}
		if !bytes.Contains(got.Response, []byte("acme")) || bytes.Contains(got.Response, []byte("groupOverrideDetails")) {
			t.Errorf("version %s: response %s", version, got.Response)
		}
	}
}

func TestErrorsAreGeneric(t *testing.T) {
	handler, log := newHandler(t, rolesPolicy(), pretoken.V2)
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

// broken is a logger that panics when a handler is done.
type broken struct{ *slog.Logger }

func (broken) InfoContext(context.Context, string, ...any) { panic("canary") }

// brokenHandler returns a handler that panics, and its log.
func brokenHandler(t *testing.T) (*tokens.Handler, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	handler, err := tokens.New(tokens.Config{Policy: rolesPolicy(), Trigger: pretoken.V2, Logger: broken{slog.New(slog.NewJSONHandler(&log, nil))}})
	if err != nil {
		t.Fatal(err)
	}
	return handler, &log
}

func TestPanic(t *testing.T) {
	handler, log := brokenHandler(t)
	answer, err := handler.Invoke(t.Context(), []byte(`{}`))
	if answer != nil || err == nil || strings.Contains(err.Error()+log.String(), "canary") {
		t.Errorf("got %s, %v, and the log\n%s", answer, err, log)
	}
	if !strings.Contains(log.String(), "handler.go") {
		t.Errorf("no stack in the log:\n%s", log)
	}
}
