package local

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestExtensionEvents(t *testing.T) {
	l := one(t, raw, "extension")
	for i := range 3 {
		r := l.invokeWith(Invocation{Payload: []byte("1"), TraceID: fmt.Sprintf("Root=1-%d", i), Report: true})
		requirePayload(t, r, "1")
		if r.Cold != (i == 0) {
			t.Errorf("invocation %d is cold: %v", i, r.Cold)
		}
		_, event, found := strings.Cut(string(r.Report.LogTail), "event: 200 ")
		if !found {
			t.Fatalf("no event in\n%s", r.Report.LogTail)
		}
		event, _, _ = strings.Cut(event, "\n")
		var got invokeEvent
		if err := json.Unmarshal([]byte(event), &got); err != nil {
			t.Fatal(err)
		}
		if until := time.Until(time.UnixMilli(got.DeadlineMs)); until <= 0 || until > DefaultTimeout {
			t.Errorf("deadline in %s", until)
		}
		got.DeadlineMs = 0
		want := invokeEvent{"INVOKE", 0, r.RequestID, l.arn("fn"), tracing{"X-Amzn-Trace-Id", r.TraceID}}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// The caller has the answer while the extension still works; the environment is used again when it is ready.
func TestAnswerBeforeExtension(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "extension", g.holds, timeout(time.Minute))
	first := l.invokeWith(Invocation{Payload: []byte("1")})
	requirePayload(t, first, "1")
	<-g.arrived

	second := make(chan Result)
	go func() { second <- l.invoke("2") }()
	testkit.Eventually(t, "the second invocation waits", func() bool {
		fn := l.functions["fn"]
		fn.mu.Lock()
		defer fn.mu.Unlock()
		return len(fn.waiting) == 1
	})
	if strings.Contains(l.log(), "REPORT") {
		t.Error("the first invocation has ended with its extension at work")
	}
	g.open()
	r := <-second
	requirePayload(t, r, "2")
	if r.Cold || r.LogStream != first.LogStream {
		t.Errorf("second result %+v", r)
	}
	log := l.log()
	if strings.Index(log, "END RequestId: "+first.RequestID) > strings.Index(log, "START RequestId: "+r.RequestID) {
		t.Errorf("the second invocation started before the first ended:\n%s", log)
	}
}

func TestRegistrationsRefused(t *testing.T) {
	l := one(t, raw, "extension-refused")
	requirePayload(t, l.invoke("1"), "1")
	l.requireLog(
		"a {\"events\":[\"INVOKE\"]} 200 {\"functionName\":\"fn\",\"functionVersion\":\"$LATEST\",\"handler\":\"extension-refused\"}\n",
		"a {\"events\":[\"INVOKE\"]} 403 {\"errorType\":\"Extension.InvalidExtensionState\"",
		"b {\"events\":[\"SHUTDOWN\"]} 403 {\"errorType\":\"Extension.InvalidEventType\"",
		" {\"events\":[]} 403 {\"errorType\":\"Extension.InvalidExtensionName\"",
		"c nonsense 403 {\"errorType\":\"InvalidRequestFormat\"",
		"no identifier 403 {\"errorType\":\"Extension.MissingExtensionIdentifier\"",
		"unknown identifier 403 {\"errorType\":\"Extension.UnknownExtensionIdentifier\"",
	)
}

func TestRegistrationAfterInit(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "extension-late", g.holds)
	requirePayload(t, l.invoke("1"), "1")
	g.open()
	l.requireLog(`late registration 403 {"errorType":"Extension.RegistrationClosed"`)
	requirePayload(t, l.invoke("2"), "2")
}

func TestExtensionNeverPolls(t *testing.T) {
	l := one(t, raw, "extension-never-polls", initTimeout(100*time.Millisecond), timeout(200*time.Millisecond))
	r := l.invoke("{}")
	requireFailure(t, r, "Sandbox.Timedout", "RequestId: "+r.RequestID+" Error: Task timed out after 0.20 seconds")
	l.requireLog("Phase: init\tStatus: timeout\n", "Phase: invoke\tStatus: timeout\n")
}

// An extension that takes one event and no more makes every invoke phase time out, whatever the function answered.
func TestExtensionLoopDies(t *testing.T) {
	testkit.Slow(t)
	l := one(t, raw, "extension-dies", timeout(500*time.Millisecond))
	for range 2 {
		r := l.invoke("1")
		requirePayload(t, r, "1")
		if !r.Cold || r.Report.ErrorType != "Sandbox.Timedout" {
			t.Errorf("result %+v, report %+v", r, r.Report)
		}
	}
	l.requireLog("Task timed out after 0.50 seconds\n", "\tStatus: timeout\n")
}

// So does one whose client gives up waiting for an event.
func TestExtensionGivesUpWaiting(t *testing.T) {
	testkit.Slow(t)
	l := one(t, raw, "extension-gives-up-waiting", timeout(500*time.Millisecond))
	r := l.invoke("1")
	requirePayload(t, r, "1")
	if r.Report.ErrorType != "Sandbox.Timedout" {
		t.Errorf("report %+v", r.Report)
	}
	l.requireLog("gave up: true asked again: 403\n")
}

func TestExtensionErrors(t *testing.T) {
	for handler, errorType := range map[string]string{
		"extension-init-error": "Extension.InitError",
		"extension-exit-error": "Extension.ExitError",
	} {
		t.Run(handler, func(t *testing.T) {
			l := one(t, raw, handler)
			r := l.invoke("{}")
			requireFailure(t, r, errorType, "RequestId: "+r.RequestID+" Error: Runtime exited with error: exit status 7")
			l.requireLog("posted: 202\n", "Phase: init\tStatus: error\tError Type: "+errorType+"\n")
		})
	}
}

// With an extension there is a SIGTERM and time to handle it, on timeout and at the end.
func TestSIGTERM(t *testing.T) {
	t.Run("timeout", func(t *testing.T) {
		testkit.Slow(t)
		l := one(t, official, "sigterm", timeout(200*time.Millisecond))
		r := l.invoke("{}")
		requireFailure(t, r, "Sandbox.Timedout", "RequestId: "+r.RequestID+" Error: Task timed out after 0.20 seconds")
		if !regexp.MustCompile(`(?s)hanging\n.*got SIGTERM\n.*Task timed out.*\nEND `).Match(r.Report.LogTail) {
			t.Errorf("log:\n%s", r.Report.LogTail)
		}
	})
	for _, freeze := range []bool{false, true} {
		t.Run(fmt.Sprintf("close, frozen %v", freeze), func(t *testing.T) {
			l := one(t, official, "sigterm-echo", func(_ *Config, f *Function) { f.Freeze = freeze })
			requirePayload(t, l.invoke("1"), "1")
			if err := l.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(l.log(), "got SIGTERM\n") {
				t.Errorf("log:\n%s", l.log())
			}
		})
	}
}
