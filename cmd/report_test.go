package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/golam-cli/golam/internal/terminal"
)

// After an interruption, an error that is not the interruption's own is told.
func TestReportInterrupted(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	const nothing = "golam: interrupted, nothing is left behind\n"
	failed := errors.New("the folder cannot be removed")
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{interrupted, context.Canceled, nothing},
		{interrupted, fmt.Errorf("go build: %w", context.Canceled), nothing},
		{interrupted, errors.Join(context.Canceled, context.Canceled), nothing},
		{t.Context(), context.Canceled, nothing},
		{interrupted, failed, "golam: interrupted: the folder cannot be removed\n"},
		{interrupted, errors.Join(context.Canceled, failed), "golam: interrupted: context canceled\nthe folder cannot be removed\n"},
	} {
		var printed bytes.Buffer
		a := &app{streams: terminal.Streams{Err: &printed}}
		if code := a.report(tt.ctx, tt.err); code != exitInterrupted || printed.String() != tt.want {
			t.Errorf("%v: %d %q", tt.err, code, printed.String())
		}
	}
}
