package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// instance is what the handler "pid" answers.
type instance struct {
	PID, Served int
	API         string
}

func (l *testLambda) instance() instance {
	l.t.Helper()
	r, err := l.Invoke(l.t.Context(), "fn", Invocation{})
	if err != nil {
		l.t.Fatal(err)
	}
	var i instance
	if err := json.Unmarshal(r.Payload, &i); err != nil {
		l.t.Fatal(err)
	}
	return i
}

// One client after the other never needs a second environment.
func TestSequentialReuse(t *testing.T) {
	l := one(t, raw, "pid", concurrency(1))
	first := l.instance()
	for served := 1; served < 100; served++ {
		if i := l.instance(); i.PID != first.PID || i.Served != served {
			t.Fatalf("invocation %d: %+v, first %+v", served, i, first)
		}
	}
}

func TestThrottling(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds, concurrency(2))
	var held sync.WaitGroup
	for range 2 {
		held.Go(func() { requirePayload(t, l.invoke("1"), "1") })
		<-g.arrived
	}
	_, err := l.Invoke(t.Context(), "fn", Invocation{})
	var refusal *RequestError
	if !errors.As(err, &refusal) || refusal.StatusCode != 429 {
		t.Errorf("third of two: %v", err)
	}
	g.open()
	held.Wait()
	requirePayload(t, l.invoke("2"), "2")
}

// An environment that comes just as the caller gives up waiting for it is not lost.
func TestTurnComesTooLate(t *testing.T) {
	l := one(t, raw, "pid", concurrency(1))
	l.instance()
	fn := l.functions["fn"]
	testkit.Eventually(t, "it is idle", func() bool {
		fn.mu.Lock()
		defer fn.mu.Unlock()
		return len(fn.idle) == 1
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // wait chooses at random
		e, _, err := fn.acquire(false)
		if err != nil || e == nil {
			t.Fatalf("environment %v, %v", e, err)
		}
		_, turn, err := fn.acquire(true)
		if err != nil {
			t.Fatal(err)
		}
		fn.release(e)
		if e, err = fn.wait(gone, turn); err == nil {
			fn.release(e)
		}
	}
}

func TestLastUsedFirst(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds)
	// A report comes a moment before its environment is idle. Until then another one is rightly taken.
	bothIdle := func() {
		fn := l.functions["fn"]
		testkit.Eventually(t, "both are idle", func() bool {
			fn.mu.Lock()
			defer fn.mu.Unlock()
			return len(fn.idle) == 2
		})
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { l.invoke("1") })
		<-g.arrived
	}
	g.open()
	both.Wait()
	bothIdle()
	last := l.invoke("2").LogStream
	for range 5 {
		bothIdle()
		if r := l.invoke("3"); r.LogStream != last || r.Cold {
			t.Fatalf("%s was used last, then %s", last, r.LogStream)
		}
	}
}

// Each client gets the answer to its own event.
func TestConcurrency(t *testing.T) {
	clients, rounds := 64, 8
	if testing.Short() {
		clients, rounds = 16, 4
	}
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared address %v", shared), func(t *testing.T) {
			l := one(t, official, "echo", concurrency(clients), timeout(time.Minute), initTimeout(time.Minute), func(c *Config, _ *Function) {
				c.SharedRuntimeAPI = shared
			})
			var all sync.WaitGroup
			for client := range clients {
				all.Go(func() {
					for round := range rounds {
						want := strconv.Itoa(client*1000 + round)
						r, err := l.Invoke(t.Context(), "fn", Invocation{Payload: []byte(want)})
						if err != nil || string(r.Payload) != want {
							t.Errorf("client %d: sent %s, got %s, %v", client, want, r.Payload, err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func TestSeveralFunctions(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared address %v", shared), func(t *testing.T) {
			l := start(t, Config{SharedRuntimeAPI: shared, Functions: []Function{
				{Name: "a", Bootstrap: raw, Handler: "pid"}, {Name: "b", Bootstrap: raw, Handler: "pid"},
			}})
			addresses := map[string]bool{}
			ports := map[string]bool{}
			for _, name := range []string{"a", "b"} {
				r, err := l.Invoke(t.Context(), name, Invocation{})
				if err != nil {
					t.Fatal(err)
				}
				var i instance
				if err := json.Unmarshal(r.Payload, &i); err != nil {
					t.Fatal(err)
				}
				port, path, _ := strings.Cut(i.API, "/")
				addresses[i.API], ports[port] = true, true
				if (path != "") != (shared || !l.tellsPeers) {
					t.Errorf("address %s", i.API)
				}
			}
			if len(addresses) != 2 || (len(ports) == 1) != shared {
				t.Errorf("addresses %v", addresses)
			}
			if err := l.Close(t.Context()); err != nil {
				t.Error(err)
			}
			for port := range ports {
				requirePortFree(t, port)
			}
		})
	}
}

func TestReset(t *testing.T) {
	l := one(t, raw, "pid")
	first := l.instance()
	if err := l.Reset("fn"); err != nil {
		t.Fatal(err)
	}
	if second := l.instance(); second.PID == first.PID || second.Served != 0 {
		t.Errorf("first %+v, after reset %+v", first, second)
	}
	if err := l.Reset("other"); err == nil {
		t.Error("reset of an unknown function")
	}
}

// An environment that is busy when its function is reset answers, and is not used again.
func TestResetWhileBusy(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds)
	busy := make(chan Result)
	go func() { busy <- l.invoke("1") }()
	<-g.arrived
	if err := l.Reset("fn"); err != nil {
		t.Fatal(err)
	}
	g.open()
	first := <-busy
	requirePayload(t, first, "1")
	if second := l.invoke("2"); !second.Cold || second.LogStream == first.LogStream {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

// What dies between invocations is replaced before the next.
func TestDeathInSleep(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "exit-when-idle", g.holds)
	first := l.invoke("1")
	requirePayload(t, first, "1")
	fn := l.functions["fn"]
	idle := func(dead bool) func() bool {
		return func() bool {
			fn.mu.Lock()
			defer fn.mu.Unlock()
			return len(fn.idle) == 1 && fn.idle[0].process.hasExited() == dead
		}
	}
	testkit.Eventually(t, "it is idle", idle(false))
	g.open()
	testkit.Eventually(t, "it is dead", idle(true))
	second := l.invoke("2")
	requirePayload(t, second, "2")
	if !second.Cold || second.LogStream == first.LogStream {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestCloseTwiceAndByContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := Start(ctx, Config{Functions: []Function{{Name: "fn", Bootstrap: raw, Handler: "pid"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Invoke(t.Context(), "fn", Invocation{}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := l.Invoke(t.Context(), "fn", Invocation{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after the context was done: %v", err)
	}
	for range 2 {
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		cfg  Config
		want []string
	}{
		{"nothing", Config{}, []string{"no function"}},
		{
			"a bad name and a missing bootstrap",
			Config{Functions: []Function{{Name: "a b", Bootstrap: raw}, {Name: "c", Bootstrap: dir + "/none"}}},
			[]string{`"a b"`, "function c: build its bootstrap first"},
		},
		{"one name twice", Config{Functions: []Function{{Name: "a", Bootstrap: raw}, {Name: "a", Bootstrap: raw}}}, []string{"twice"}},
		{"a folder as bootstrap", Config{Functions: []Function{{Name: "a", Bootstrap: dir}}}, []string{"not a regular file"}},
		{"not executable", Config{Functions: []Function{{Name: "a", Bootstrap: "doc.go"}}}, []string{"chmod +x"}},
		{"no folder", Config{Functions: []Function{{Name: "a", Bootstrap: raw, Dir: dir + "/none"}}}, []string{"not a folder"}},
		{"too little memory", Config{Functions: []Function{{Name: "a", Bootstrap: raw, MemorySize: 64}}}, []string{"64 MB"}},
		{"too long", Config{Functions: []Function{{Name: "a", Bootstrap: raw, Timeout: time.Hour}}}, []string{"1h0m0s"}},
		{"too long an init phase", Config{Functions: []Function{{Name: "a", Bootstrap: raw, InitTimeout: -1}}}, []string{"init timeout"}},
		{"negative concurrency", Config{Functions: []Function{{Name: "a", Bootstrap: raw, Concurrency: -1}}}, []string{"concurrency of -1"}},
		{"a bad variable", Config{Functions: []Function{{Name: "a", Bootstrap: raw, Env: map[string]string{"A=B": ""}}}}, []string{`"A=B"`}},
		{"a bad address", Config{InvokeAddress: "nowhere", Functions: []Function{{Name: "a", Bootstrap: raw}}}, []string{"nowhere"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := Start(t.Context(), tt.cfg)
			if err == nil {
				_ = l.Close(t.Context())
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

// After a burst, environments that nobody needs end, the one that was used last after the others.
func TestIdleEnvironmentsEnd(t *testing.T) {
	g := newGate(t)
	l := one(t, raw, "gate", g.holds, concurrency(5), func(_ *Config, f *Function) { f.Idle = time.Hour })
	var burst sync.WaitGroup
	for range 5 {
		burst.Go(func() { requirePayload(t, l.invoke("1"), "1") })
		<-g.arrived
	}
	g.open()
	burst.Wait()
	fn := l.function("fn")
	environments := func() (idle, total, ending int) {
		fn.mu.Lock()
		defer fn.mu.Unlock()
		return len(fn.idle), fn.total, fn.ending
	}
	testkit.Eventually(t, "all are idle", func() bool { idle, _, _ := environments(); return idle == 5 })
	requirePayload(t, l.invoke("2"), "2")
	testkit.Eventually(t, "all are idle again", func() bool { idle, _, _ := environments(); return idle == 5 })
	fn.mu.Lock()
	last := fn.idle[4]
	scheduled := fn.expiry != nil
	fn.mu.Unlock()
	if !scheduled {
		t.Error("nothing ends them")
	}

	after := func(passed time.Duration, want int) {
		t.Helper()
		fn.endExpired(time.Now().Add(passed))
		if idle, total, ending := environments(); idle != want || total != want || ending != 0 {
			t.Errorf("after %s: %d idle, %d in total, %d ending; want %d", passed, idle, total, ending, want)
		}
	}
	after(30*time.Minute, 5)
	after(2*time.Hour, 1)
	if last.process.hasExited() {
		t.Error("the one that was used last has ended")
	}
	after(9*time.Hour, 1)
	after(11*time.Hour, 0)
	if r := l.invoke("3"); !r.Cold {
		t.Error("an environment was left")
	}
}

func TestIdleEnvironmentsEndInTime(t *testing.T) {
	l := one(t, raw, "pid", func(_ *Config, f *Function) { f.Idle = time.Millisecond })
	first := l.instance()
	fn := l.function("fn")
	testkit.Eventually(t, "it has ended", func() bool {
		fn.mu.Lock()
		defer fn.mu.Unlock()
		return fn.total+fn.ending == 0
	})
	if second := l.instance(); second.PID == first.PID {
		t.Error("it has not ended")
	}
}
