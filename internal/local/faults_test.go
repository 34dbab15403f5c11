//go:build unix

package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// TestFaults throws faults at Lambdas, one after the other: functions that crash, hang and get signals from outside, callers that go
// away, resets, and an end in the midst of it. Every invocation must get an answer, its own, and nothing may be left: no process, no
// goroutine, no open file. GOLAM_FAULTS says for how long ("2m"). GOLAM_FAULTS_SEED repeats the choices of a run, though not its timing.
func TestFaults(t *testing.T) {
	duration, seed := 3*time.Second, rand.Uint64()
	if testing.Short() {
		duration = 300 * time.Millisecond
	}
	var err error
	if value := os.Getenv("GOLAM_FAULTS"); value != "" {
		if duration, err = time.ParseDuration(value); err != nil {
			t.Fatalf("GOLAM_FAULTS: %v", err)
		}
	}
	if value := os.Getenv("GOLAM_FAULTS_SEED"); value != "" {
		if seed, err = strconv.ParseUint(value, 10, 64); err != nil {
			t.Fatalf("GOLAM_FAULTS_SEED: %v", err)
		}
	}
	t.Logf("GOLAM_FAULTS_SEED=%d", seed)

	files := testkit.Descriptors(t)
	outcomes := map[string]int{}
	rounds := 0
	for until := time.Now().Add(duration); time.Now().Before(until) && !t.Failed(); rounds++ {
		t.Run(strconv.Itoa(rounds), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, uint64(rounds)))
			f := newFaults(t, rng)
			f.run(rng)
			for outcome, n := range f.outcomes {
				outcomes[outcome] += n
			}
		})
		testkit.Eventually(t, "no file is left open", func() bool { return testkit.Descriptors(t) <= files })
	}
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%8d %s", outcomes[outcome], outcome)
	}
	t.Logf("%8d Lambdas; open files before and after: %d, %d", rounds, files, testkit.Descriptors(t))
}

// faults is a Lambda and what is going to happen to it.
type faults struct {
	*testLambda
	clients, invocations int
	patient              bool // nothing hangs, so nothing may time out
	signals              bool // come from outside
	harsh                bool // an invocation may fail for no fault of its own
	closeAfter           int  // so many invocations in all, 0 for never
	grace                context.Context
	closing              atomic.Bool

	mu       sync.Mutex
	started  int
	outcomes map[string]int
	events   []string // request ids
}

func newFaults(t *testing.T, rng *rand.Rand) *faults {
	t.Helper()
	f := &faults{
		clients:     1 + rng.IntN(10),
		invocations: 15,
		patient:     rng.IntN(2) == 0,
		signals:     rng.IntN(2) == 0,
		grace:       context.Background(),
		outcomes:    map[string]int{},
	}
	dir, initFaults := t.TempDir(), rng.IntN(2)*rng.IntN(20)
	for range initFaults {
		fault := f.choose(rng, "crash", "crash", "hang", "slow", "extension", "stubborn")
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d", fault, rng.Uint64())), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.harsh = f.signals || initFaults > 0
	if rng.IntN(4) == 0 {
		f.closeAfter = 1 + rng.IntN(f.clients*f.invocations)
		if rng.IntN(2) == 0 {
			var cancel context.CancelFunc
			f.grace, cancel = context.WithCancel(context.Background())
			cancel()
		}
	}
	fn := Function{
		Name: "fn", Bootstrap: raw, Handler: "faults", Dir: dir,
		Freeze:      rng.IntN(2) == 0,
		Concurrency: 1 + f.clients/2 + rng.IntN(f.clients),
		Timeout:     time.Duration(100+rng.IntN(200)) * time.Millisecond,
		InitTimeout: time.Duration(100+rng.IntN(200)) * time.Millisecond,
	}
	if f.patient {
		fn.Timeout, fn.InitTimeout = time.Minute, time.Minute
	}
	f.testLambda = start(t, Config{SharedRuntimeAPI: rng.IntN(2) == 0, Functions: []Function{fn}})
	return f
}

// choose chooses a fault.
func (f *faults) choose(rng *rand.Rand, all ...string) string {
	if f.patient {
		all = slices.DeleteFunc(all, func(fault string) bool { return strings.HasPrefix(fault, "hang") })
	}
	return all[rng.IntN(len(all))]
}

// run returns when every invocation has its outcome.
func (f *faults) run(rng *rand.Rand) {
	var clients, outside sync.WaitGroup
	done := make(chan struct{})
	fork := func() *rand.Rand { return rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())) }
	if f.signals {
		rng := fork()
		outside.Go(func() { f.sendSignals(rng, done) })
	}
	for range f.clients {
		rng := fork()
		clients.Go(func() {
			for range f.invocations {
				f.step(rng)
			}
		})
	}
	clients.Wait()
	close(done)
	outside.Wait()
	if !f.closing.Load() {
		f.requireWholeLog()
	}
}

// sendSignals sends signals to the functions' processes at random times.
func (f *faults) sendSignals(rng *rand.Rand, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(rng.IntN(20)) * time.Millisecond):
		}
		signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSTOP}
		if f.patient {
			signals = signals[:3] // who is stopped hangs
		}
		hit(f.t, f.mark, signals[rng.IntN(len(signals))], rng.IntN)
	}
}

// step does one thing of all that clients do.
func (f *faults) step(rng *rand.Rand) {
	f.mu.Lock()
	f.started++
	end := f.started == f.closeAfter
	f.mu.Unlock()
	if end {
		f.closing.Store(true)
		if err := f.Close(f.grace); err != nil {
			f.t.Errorf("close: %v", err)
		}
	}
	fault := ""
	if rng.IntN(2) == 0 {
		fault = f.choose(rng, "slow", "slow", "slow", "error", "error", "crash", "exit", "crash-after-answer", "hang", "hang-after-answer",
			"answer-twice", "print", "fork", "fork-detached")
	}
	payload := fmt.Sprintf(`{"nonce":"%x","fault":%q}`, rng.Uint64(), fault)
	switch rng.IntN(30) {
	case 0:
		if err := f.Reset("fn"); err != nil {
			f.t.Errorf("reset: %v", err)
		}
		f.count("reset")
	case 1, 2, 3:
		id, err := f.invokeEvent("fn", Invocation{Payload: []byte(payload)})
		switch {
		case err == nil:
			f.mu.Lock()
			f.events = append(f.events, id)
			f.mu.Unlock()
			f.count("event accepted")
		case errors.Is(err, ErrClosed) && f.closing.Load():
			f.count("closed")
		default:
			f.t.Errorf("event: %v", err)
		}
	default:
		// When throttled, clients back off and try again, as those of Lambda do.
		for since := time.Now(); ; time.Sleep(time.Duration(rng.IntN(10)) * time.Millisecond) {
			outcome := f.call(rng, fault, payload)
			f.count(outcome)
			if outcome != throttled {
				return
			}
			if time.Since(since) > testkit.Patience {
				f.t.Errorf("throttled for %s", testkit.Patience)
				return
			}
		}
	}
}

const throttled = "throttled"

// call invokes the function, checks the answer and says what it was.
func (f *faults) call(rng *rand.Rand, fault, payload string) string {
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	goesAway := rng.IntN(15) == 0
	if goesAway {
		defer time.AfterFunc(time.Duration(rng.IntN(20))*time.Millisecond, cancel).Stop()
	}
	in := Invocation{Payload: []byte(payload), Report: rng.IntN(2) == 0}
	r, err := f.Invoke(ctx, "fn", in)

	var refusal *RequestError
	switch {
	case err == nil:
	case errors.As(err, &refusal) && refusal.StatusCode == http.StatusTooManyRequests:
		return throttled
	case goesAway && errors.Is(err, context.Canceled):
		return "caller went away"
	case f.closing.Load() && errors.Is(err, ErrClosed):
		return "closed"
	default:
		f.t.Errorf("%s: %v", payload, err)
		return "no answer"
	}
	if (r.Report != nil) != in.Report {
		f.t.Errorf("%s: report %+v", payload, r.Report)
	}
	if string(r.Payload) == payload {
		silent := fault == "crash" || fault == "exit" || fault == "hang"
		if silent || (r.FunctionError != "") != (fault == "error") {
			f.t.Errorf("%s was answered: %+v", payload, r)
		}
		return "answered"
	}
	var body errorBody
	err = json.Unmarshal(r.Payload, &body)
	if err != nil || r.FunctionError != unhandled || !strings.Contains(body.ErrorMessage, r.RequestID) {
		f.t.Errorf("%s got the answer %s", payload, r.Payload)
	}
	expected := false
	switch body.ErrorType {
	case "Sandbox.Timedout":
		expected = !f.patient // a machine under load may let anything time out
	case "Runtime.ExitError":
		expected = f.harsh || fault == "crash" || fault == "exit"
	}
	if !expected {
		f.t.Errorf("%s failed: %s", payload, r.Payload)
	}
	return body.ErrorType
}

func (f *faults) count(outcome string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcomes[outcome]++
}

// requireWholeLog waits until what has been started has come to its end, asynchronous invocations too.
func (f *faults) requireWholeLog() {
	f.t.Helper()
	testkit.Eventually(f.t, "the log tells the end of every invocation", func() bool {
		seen := map[string]int{}
		for _, line := range f.logLines() {
			if word, rest, _ := strings.Cut(string(line.Text), " RequestId: "); line.Platform {
				id, _, _ := strings.Cut(rest, " ")
				id, _, _ = strings.Cut(id, "\t")
				switch word {
				case "START":
					seen[id]++
				case "END", "REPORT":
					seen[id] += 100
				}
			}
		}
		for _, n := range seen {
			if n != 201 {
				return false
			}
		}
		return !slices.ContainsFunc(f.events, func(id string) bool { return seen[id] == 0 })
	})
}
