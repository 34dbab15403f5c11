package watch

import (
	"context"
	"errors"
	"net/rpc/jsonrpc"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/ports"
	"github.com/golam-cli/golam/internal/testkit"
)

// A debugger that attaches stops an invocation at a line of the source, by the path that the generated VS Code configuration gives, and
// after a save it finds the new build at the same address.
func TestDebug(t *testing.T) {
	testkit.Slow(t)
	delve, err := filepath.Abs("../../.cache/judges/delve/bin/dlv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(delve); err != nil {
		t.Fatalf("%v: run scripts/install-judges.sh delve", err)
	}
	port, err := ports.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := port.HandOver(); err != nil {
		t.Fatal(err)
	}
	address := port.Address
	const line = 17
	source := strings.Replace(function(`text.Text + suffix`), "return", "suffix := \"!\"\n\t\treturn", 1)
	if got := strings.Split(source, "\n")[line-1]; !strings.Contains(got, "return") {
		t.Fatalf("line %d is %q", line, got)
	}
	w := start(t, makeProject(t, map[string]string{"cmd/hello/main.go": source}), func(o *Options) {
		o.Debugger, o.DebugAddress = delve, address
	})
	// The first build for a debugger compiles the standard library too: minutes on a small machine whose cache is empty.
	if err := w.waitUntilServed(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	next := map[string]string{`"one!"`: "two", `"two!"`: "three"}
	for _, want := range []string{`"one!"`, `"two!"`} {
		w.answers("hello", want)
		client, err := jsonrpc.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		type state struct {
			Running       bool `json:"Running"`
			CurrentThread *struct {
				File string `json:"file"`
				Line int    `json:"line"`
			} `json:"currentThread"`
		}
		type outcome struct{ State state }
		call := func(method string, args, reply any) {
			t.Helper()
			if err := client.Call("RPCServer."+method, args, reply); err != nil {
				t.Fatalf("%s: %v", method, err)
			}
		}
		command := func(name string) (reached outcome) {
			t.Helper()
			call("Command", map[string]any{"name": name}, &reached)
			return reached
		}
		command("halt")
		var made any
		call("CreateBreakpoint", map[string]any{"Breakpoint": map[string]any{"file": "example.com/shop/cmd/hello/main.go", "line": line}}, &made)
		stopped := make(chan outcome, 1)
		go func() { stopped <- command("continue") }()
		answered := make(chan local.Result, 1)
		go func() {
			result, err := w.Invoke(t.Context(), "hello", local.Invocation{})
			if err != nil {
				t.Error(err)
			}
			answered <- result
		}()
		at := (<-stopped).State.CurrentThread
		if at == nil || at.Line != line || at.File != "example.com/shop/cmd/hello/main.go" {
			t.Errorf("stopped at %+v", at)
		}
		var value struct{ Variable struct{ Value string } }
		call("Eval", map[string]any{"Scope": map[string]any{"GoroutineID": -1}, "Expr": "suffix"}, &value)
		if value.Variable.Value != "!" {
			t.Errorf("the variable is %q", value.Variable.Value)
		}
		// A save while it stands there neither ends it nor holds up anything else.
		before := w.count()
		w.write("text/text.go", textGo(next[want]))
		w.seesFrom(before, "that the invocation is waited for", func(e Event) bool {
			return e.Type == EventNote && strings.Contains(e.Note, "hello waits for the invocation that is under way")
		})
		w.settle()
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.Invoke(impatient, "hello", local.Invocation{}); !errors.Is(err, context.Canceled) {
			t.Errorf("an invocation that has been given up: %v", err)
		}
		var cleared any
		call("ClearBreakpoint", map[string]any{"Id": 1}, &cleared)
		go func() { _ = client.Call("RPCServer.Command", map[string]any{"name": "continue"}, &outcome{}) }()
		if r := <-answered; string(r.Payload) != want {
			t.Errorf("answer %s", r.Payload)
		}
		client.Close()
	}
	w.answers("hello", `"three!"`)
}
