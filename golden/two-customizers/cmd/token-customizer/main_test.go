package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/two-customizers/internal/platform/lambdatest"
	"example.com/two-customizers/internal/platform/tokens"

	"example.com/two-customizers/internal/tokencustomizer"
)

// TestFunction builds the function, starts it as Lambda does, and sends it every sample event. The answers must be those of the policy.
func TestFunction(t *testing.T) {
	samples, err := filepath.Glob("../../events/token-customizer/*.json")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no sample events: %v", err)
	}
	handler, err := tokens.New(tokens.Config{Policy: tokencustomizer.Policy(), Trigger: tokencustomizer.Trigger, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	function := lambdatest.Start(t, "token-customizer")
	for _, sample := range samples {
		t.Run(filepath.Base(sample), func(t *testing.T) {
			event, err := os.ReadFile(sample)
			if err != nil {
				t.Fatal(err)
			}
			want, err := handler.Invoke(t.Context(), event)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := function.Invoke(t.Context(), event); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
			if _, err := function.Published(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	_, err = function.Invoke(t.Context(), []byte(`{"version":"0"}`))
	if err == nil || !strings.Contains(err.Error(), "sign-in is not available") {
		t.Errorf("a broken event gives %v", err)
	}
	if !function.PublishedNothing() {
		t.Error("a broken event is published")
	}
}
