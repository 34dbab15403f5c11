package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestSet(t *testing.T) {
	g := newGate(t)
	l := start(t, Config{Changing: true})
	var refusal *RequestError
	if _, err := l.Invoke(t.Context(), "fn", Invocation{}); !errors.As(err, &refusal) || refusal.StatusCode != 404 {
		t.Fatalf("before there is a function: %v", err)
	}
	fn := Function{Name: "fn", Bootstrap: raw, Handler: "gate", Env: map[string]string{"GATE": g.url}, Dir: t.TempDir()}
	gone := set(t, l, fn)
	<-gone // nothing was there
	var held sync.WaitGroup
	held.Go(func() { requirePayload(t, l.invoke("1"), "1") })
	<-g.arrived

	// While the old one is busy, the new one serves.
	fn.Handler = "pid"
	gone = set(t, l, fn)
	if r := l.invoke("2"); r.FunctionError != "" || !strings.Contains(string(r.Payload), `"served":0`) {
		t.Errorf("got %+v", r)
	}
	select {
	case <-gone:
		t.Error("the old one is gone while it has an invocation")
	default:
	}
	g.open()
	held.Wait()
	<-gone

	gone, err := l.Remove("fn")
	if err != nil {
		t.Fatal(err)
	}
	<-gone
	if _, err := l.Invoke(t.Context(), "fn", Invocation{}); !errors.As(err, &refusal) || refusal.StatusCode != 404 {
		t.Errorf("after the end of the function: %v", err)
	}
	if _, err := l.Set(Function{Name: "not a name"}); err == nil {
		t.Error("a function that is not in order is taken")
	}
}

func set(t *testing.T, l *testLambda, f Function) <-chan struct{} {
	t.Helper()
	gone, err := l.Set(f)
	if err != nil {
		t.Fatal(err)
	}
	return gone
}

// A function is not gone before the last of its processes, even if that was idle and takes its time to end.
func TestGoneWithIdleOnes(t *testing.T) {
	g := newGate(t)
	dir := t.TempDir()
	l := start(t, Config{Changing: true})
	key, value, _ := strings.Cut(l.mark, "=")
	set(t, l, Function{
		Name: "fn", Bootstrap: raw, Handler: "faults", Dir: dir, Timeout: time.Minute,
		Env: map[string]string{"GATE": g.url, key: value},
	})
	busy := make(chan Result, 1)
	go func() { busy <- l.invoke(`{"fault":"gate"}`) }()
	<-g.arrived
	if err := os.WriteFile(filepath.Join(dir, "stubborn-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.invoke("{}") // in another environment, which ignores SIGTERM
	fn := l.function("fn")
	idle := func(n int) func() bool {
		return func() bool {
			fn.mu.Lock()
			defer fn.mu.Unlock()
			return len(fn.idle) == n
		}
	}
	testkit.Eventually(t, "one is idle", idle(1))
	gone, err := l.Remove("fn")
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the idle one is being ended", idle(0))
	g.open()
	requirePayload(t, <-busy, `{"fault":"gate"}`)
	<-gone
	if testkit.HasProcess(l.mark) {
		t.Error("it is gone, and a process of it is left")
	}
}

// Whoever invokes while functions come and go gets an answer from one of them.
func TestSetUnderLoad(t *testing.T) {
	l := start(t, Config{Changing: true})
	fn := Function{Name: "fn", Bootstrap: raw, Handler: "echo", Dir: t.TempDir()}
	set(t, l, fn)
	var clients sync.WaitGroup
	for range 5 {
		clients.Go(func() {
			for range 40 {
				requirePayload(t, l.invoke(`"x"`), `"x"`)
			}
		})
	}
	var old []<-chan struct{}
	for range 20 {
		old = append(old, set(t, l, fn))
	}
	clients.Wait()
	for _, gone := range old {
		<-gone
	}
}

func TestEnded(t *testing.T) {
	var mu sync.Mutex
	ended := map[string]Result{}
	l := start(t, Config{
		Functions: []Function{{Name: "fn", Bootstrap: raw, Handler: "exit-in-invocation"}, {Name: "echo", Bootstrap: raw, Handler: "echo"}},
		Ended: func(function string, result Result, err error) {
			if err != nil {
				t.Errorf("%s: %v", function, err)
			}
			mu.Lock()
			defer mu.Unlock()
			ended[function] = result
		},
	})
	l.invoke("1")
	if _, err := l.Invoke(t.Context(), "echo", Invocation{Payload: []byte("2")}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "both have ended", func() bool { mu.Lock(); defer mu.Unlock(); return len(ended) == 2 })
	if r := ended["fn"]; r.FunctionError != unhandled || r.Report == nil || r.Report.ErrorType != "Runtime.ExitError" || !r.Cold {
		t.Errorf("fn: %+v", r)
	}
	if r := ended["echo"]; string(r.Payload) != "2" || r.Report == nil || r.Report.Duration == 0 {
		t.Errorf("echo: %+v", r)
	}
}
