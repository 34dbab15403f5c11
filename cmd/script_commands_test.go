package cmd_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// leaveJournal makes what a killed golam leaves in a folder, with the proof that it is this user's: journal DIR STATE [MOVES].
func leaveJournal(ts *testscript.TestScript, _ bool, args []string) {
	journal := filepath.Join(ts.MkAbs(args[0]), ".golam-journal")
	ts.Check(os.MkdirAll(filepath.Join(journal, args[1], "new"), 0o755))
	cache := filepath.Join(ts.Getenv("HOME"), ".cache", "golam")
	ts.Check(os.MkdirAll(cache, 0o700))
	key := []byte(strings.Repeat("k", 32))
	ts.Check(os.WriteFile(filepath.Join(cache, "journal-key"), key, 0o600))
	info, err := os.Stat(journal)
	ts.Check(err)
	seal := func(text string) string {
		code := hmac.New(sha256.New, key)
		fmt.Fprintf(code, "golam journal\n%q\n%s", identity(info, journal), text)
		return hex.EncodeToString(code.Sum(nil))
	}
	ts.Check(os.WriteFile(filepath.Join(journal, "proof"), []byte(seal("")), 0o600))
	if len(args) > 2 {
		moves := ts.ReadFile(args[2])
		ts.Check(os.WriteFile(filepath.Join(journal, args[1], "moves"), []byte(seal(moves)+"\n"+moves), 0o644))
	}
}
