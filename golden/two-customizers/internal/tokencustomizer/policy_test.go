package tokencustomizer_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"testing"

	"example.com/two-customizers/internal/platform/tokens"

	"example.com/two-customizers/internal/tokencustomizer"
)

// TestPolicy says what the policy does to the sample events. Change it together with policy.go.
func TestPolicy(t *testing.T) {
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
			event, err := os.ReadFile("../../events/token-customizer/" + sample + ".json")
			if err != nil {
				t.Fatal(err)
			}
			handler, err := tokens.New(tokens.Config{
				Policy: tokencustomizer.Policy(), Trigger: tokencustomizer.Trigger, Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := handler.Invoke(t.Context(), event)
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
