package tokens_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"example.com/two-customizers/internal/platform/tokens"
)

// recorder is a publisher that counts, and fails if it is told to.
type recorder struct {
	published int
	err       error
}

func (r *recorder) Publish(_ context.Context, detailType string, _ any) error {
	if detailType != tokens.DetailType {
		return errors.New("detail type " + detailType)
	}
	r.published++
	return r.err
}

func TestPublishing(t *testing.T) {
	const event = `{"request":{"userAttributes":{"email":"ada@example.com"}}}`
	tests := map[string]struct {
		event     string
		maxSize   int
		err       error
		published int
		fails     bool
	}{
		"answered":                    {event: event, maxSize: 1000, published: 1},
		"the publisher refuses":       {event: event, maxSize: 1000, err: errors.New("no bus"), published: 1, fails: true},
		"the policy refuses":          {event: event, maxSize: 1, fails: true},
		"the event cannot be decoded": {event: `[]`, maxSize: 1000, fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, version := range versions {
				publisher := &recorder{err: test.err}
				handler, err := tokens.New(tokens.Config{
					Policy: tokens.Policy{
						Rules:     []tokens.Rule{{Claims: []tokens.Claim{{Name: "mail", From: tokens.Attribute("email")}}}},
						OnProblem: tokens.Fail,
						MaxSize:   test.maxSize,
					},
					Trigger: version, Logger: slog.New(slog.DiscardHandler), Publisher: publisher,
				})
				if err != nil {
					t.Fatal(err)
				}
				answer, err := handler.Invoke(t.Context(), []byte(test.event))
				if failed := err != nil; failed != test.fails || failed != (answer == nil) {
					t.Errorf("got %s, %v", answer, err)
				}
				if publisher.published != test.published {
					t.Errorf("published %d times, want %d", publisher.published, test.published)
				}
			}
		})
	}
}
