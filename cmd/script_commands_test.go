package cmd_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// exitCode runs a command that has to end with the code: exit 2 golam new.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s exits with %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

// isJSON checks that the last standard output is JSON, and that a field of it, if one is named, has the value: json dryRun true.
func isJSON(ts *testscript.TestScript, _ bool, args []string) {
	var value map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &value); err != nil {
		ts.Fatalf("not JSON: %v", err)
	}
	if len(args) == 0 {
		return
	}
	var field any = value
	for name := range strings.SplitSeq(args[0], ".") {
		object, ok := field.(map[string]any)
		if !ok {
			ts.Fatalf("%s: no such field", args[0])
		}
		field = object[name]
	}
	got, err := json.Marshal(field)
	ts.Check(err)
	if string(got) != args[1] {
		ts.Fatalf("%s is %s, not %s", args[0], got, args[1])
	}
}

// countLines checks how many lines a file has: count stdout 1.
func countLines(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile(args[0]), "\n"); got != want {
		ts.Fatalf("%s has %d lines, not %d:\n%s", args[0], got, want, ts.ReadFile(args[0]))
	}
}
