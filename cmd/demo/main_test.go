package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/terminal"
)

func TestRun(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		ctx  context.Context
		args []string
		code int
		want string // on standard error
	}{
		"help":             {args: []string{"-h"}, code: 0, want: "-trigger"},
		"unknown flag":     {args: []string{"-triger", "v1"}, code: 2, want: "-triger"},
		"an argument":      {args: []string{"v1"}, code: 2, want: "demo takes no argument"},
		"unknown trigger":  {args: []string{"-trigger", "v9"}, code: 2, want: "did you mean"},
		"interrupted":      {ctx: interrupted, code: 130, want: "interrupted"},
		"no folder for it": {code: 1, want: "temporary folder"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if name == "no folder for it" {
				for _, variable := range []string{"TMPDIR", "TMP", "TEMP"} { // Unix has the first, Windows the others
					t.Setenv(variable, "/dev/null/none")
				}
			}
			if test.ctx == nil {
				test.ctx = t.Context()
			}
			var out, errs strings.Builder
			code := run(test.ctx, test.args, terminal.Streams{Out: &out, Err: &errs, Getenv: os.Getenv})
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(errs.String(), test.want) {
				t.Errorf("no %q in %s", test.want, &errs)
			}
		})
	}
}
