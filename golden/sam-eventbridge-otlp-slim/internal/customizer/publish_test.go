package customizer_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"example.com/sam-eventbridge-otlp-slim/internal/customizer"
	"example.com/sam-eventbridge-otlp-slim/internal/lambdaruntime"
	"example.com/sam-eventbridge-otlp-slim/internal/pretoken"
)

// recorder is a publisher that counts, and fails if it is told to.
type recorder struct {
	published int
	err       error
}

func (r *recorder) Publish(context.Context, *pretoken.Event, pretoken.Response) error {
	r.published++
	return r.err
}

func TestPublishing(t *testing.T) {
	const event = `{"version":"2","request":{"userAttributes":{"email":"ada@example.com"}}}`
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
			custom, err := customizer.New(customizer.Policy{
				Rules:     []customizer.Rule{{Claims: []customizer.Claim{{Name: "mail", From: customizer.Attribute("email")}}}},
				OnProblem: customizer.Fail,
				MaxSize:   test.maxSize,
			})
			if err != nil {
				t.Fatal(err)
			}
			publisher := &recorder{err: test.err}
			answer, err := customizer.NewHandler(custom, publisher, lambdaruntime.LoggerTo(io.Discard)).Invoke(t.Context(), []byte(test.event))
			if failed := err != nil; failed != test.fails || failed != (answer == nil) {
				t.Errorf("got %s, %v", answer, err)
			}
			if publisher.published != test.published {
				t.Errorf("published %d times, want %d", publisher.published, test.published)
			}
		})
	}
}
