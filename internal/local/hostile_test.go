//go:build unix

package local

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestAnswersOutOfTurn(t *testing.T) {
	tests := []struct {
		handler string
		payload string
		log     string
	}{
		{"answer-twice", `"first"`, "second answer: 403"},
		{"wrong-id", `"400 400"`, ""},
		{"late-init-error", "403", ""},
		{"next-twice", "true", ""},
		{"telemetry-stranger", "{}", "/2020-08-15/logs 403\n/2022-07-01/telemetry 403\n"},
	}
	for _, tt := range tests {
		t.Run(tt.handler, func(t *testing.T) {
			l := one(t, raw, tt.handler)
			for range 2 {
				requirePayload(t, l.invoke(""), tt.payload)
			}
			l.requireLog(tt.log)
		})
	}
}

func TestExitAfterAnswer(t *testing.T) {
	l := one(t, raw, "exit-after-answer")
	for range 2 {
		r := l.invoke("{}")
		requirePayload(t, r, `"done"`)
		if r.Report.ErrorType != "Runtime.ExitError" || !r.Cold {
			t.Errorf("result %+v, report %+v", r, r.Report)
		}
	}
	l.requireLog("Error: Runtime exited with error: exit status 6\nRuntime.ExitError\n")
}

func TestOutput(t *testing.T) {
	l := one(t, raw, "print")
	r := l.invoke("{}")
	tail := string(r.Report.LogTail)
	want := "START RequestId: " + r.RequestID + " Version: $LATEST\nout 1\nerr 1\nout 2\nno end of line\n" +
		"END RequestId: " + r.RequestID + "\nREPORT "
	if !strings.HasPrefix(tail, want) {
		t.Errorf("tail:\n%s\nwant it to begin with:\n%s", tail, want)
	}
}

func TestHostileOutput(t *testing.T) {
	l := one(t, raw, "print-hostile")
	requirePayload(t, l.invoke("{}"), "{}")
	var got [][]byte
	for _, line := range l.logLines() {
		if !line.Platform {
			got = append(got, line.Text)
		}
	}
	long, longer := bytes.Repeat([]byte("l"), 600<<10), bytes.Repeat([]byte("m"), 300<<10)
	want := [][]byte{
		[]byte("\x00\xff\x1b[2J\r"),
		{},
		long[:maxLine], long[maxLine : 2*maxLine], long[2*maxLine:],
		longer[:maxLine], longer[maxLine:],
	}
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("%d lines:", len(got))
		for _, line := range got {
			t.Errorf("%d bytes: %.40q", len(line), line)
		}
	}
}

func TestLogTailIsTheEnd(t *testing.T) {
	l := one(t, raw, "print-much")
	tail := l.invoke("{}").Report.LogTail
	if len(tail) != tailSize || !bytes.Contains(tail, []byte("line 1999\nEND RequestId: ")) || bytes.Contains(tail, []byte("START")) {
		t.Errorf("%d bytes:\n%s", len(tail), tail)
	}
}

func TestChildrenDie(t *testing.T) {
	for _, handler := range []string{"fork", "fork-detached"} {
		t.Run(handler, func(t *testing.T) {
			if handler == "fork-detached" && !canFindDetached {
				t.Skip("a process that left its group is found on Linux only")
			}
			l := one(t, raw, handler)
			pid, err := strconv.Atoi(string(l.invoke("{}").Payload))
			if err != nil {
				t.Fatal(err)
			}
			l.requireLog("hanging in the init phase\n")
			if err := syscall.Kill(pid, 0); err != nil {
				t.Fatalf("the child does not run: %v", err)
			}
			if err := l.Reset("fn"); err != nil {
				t.Fatal(err)
			}
			// The cleanup of the Lambda sees that no process is left.
		})
	}
}

func TestIgnoresSIGTERM(t *testing.T) {
	testkit.Slow(t)
	l := one(t, raw, "ignore-sigterm", timeout(200*time.Millisecond))
	r := l.invoke("{}")
	requireFailure(t, r, "Sandbox.Timedout", "RequestId: "+r.RequestID+" Error: Task timed out after 0.20 seconds")
}

func TestInvalidEntrypoint(t *testing.T) {
	script := t.TempDir() + "/bootstrap"
	if err := os.WriteFile(script, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	l := one(t, script, "")
	r := l.invoke("{}")
	requireFailure(t, r, "Runtime.InvalidEntrypoint", "RequestId: "+r.RequestID+" Error: fork/exec "+script+": exec format error")
	l.requireLog("Phase: init\tStatus: error\tError Type: Runtime.InvalidEntrypoint")
}

func TestCloseWithoutGrace(t *testing.T) {
	l := one(t, raw, "ignore-sigterm", timeout(time.Minute))
	go func() {
		_, _ = l.Invoke(t.Context(), "fn", Invocation{})
	}()
	l.requireLog("hanging")
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Close(done); err != nil {
		t.Error(err)
	}
}
