package partnertokens_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"testing"

	"example.com/two-customizers/internal/platform/tokens"

	"example.com/two-customizers/internal/partnertokens"
)

// TestPolicy says what the policy does to the sample events. Change it together with policy.go.
func TestPolicy(t *testing.T) {
	const (
		user      = `{"claimsToAddOrOverride":{"company":"some company","roles":"[\"admins\",\"billing\"]"}}`
		groupless = `{"claimsToAddOrOverride":{"company":"some company"}}`
	)
	for sample, want := range map[string]string{
		"authentication":         user,
		"hosted-auth":            user,
		"new-password-challenge": user,
		"authenticate-device":    user,
		"refresh-tokens":         groupless,
	} {
		t.Run(sample, func(t *testing.T) {
			event, err := os.ReadFile("../../events/partner-tokens/" + sample + ".json")
			if err != nil {
				t.Fatal(err)
			}
			handler, err := tokens.New(tokens.Config{
				Policy: partnertokens.Policy(), Trigger: partnertokens.Trigger, Logger: slog.New(slog.DiscardHandler),
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
					Details json.RawMessage `json:"claimsOverrideDetails"`
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
