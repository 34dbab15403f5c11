//go:build unix

package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/testkit"
)

// given reads a duration from the environment, or takes one of the others, the second where time is short.
func given(t *testing.T, name string, usual, short time.Duration) time.Duration {
	t.Helper()
	if testing.Short() {
		usual = short
	}
	if value := os.Getenv(name); value != "" {
		var err error
		if usual, err = time.ParseDuration(value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return usual
}

// pairs is a project whose functions answer what they were asked, with two numbers from two packages. A save changes both numbers, so
// that a build of half a save is one whose numbers differ.
func pairs(t *testing.T, functions ...string) string {
	t.Helper()
	files := map[string]string{"cmd/hello/main.go": "", "text/text.go": "", "left/left.go": number("left", 0), "right/right.go": number("right", 0)}
	for _, name := range functions {
		files["cmd/"+name+"/main.go"] = pairFunction(name)
	}
	return makeProject(t, files)
}

func number(name string, n int) string {
	return fmt.Sprintf("package %s\n\nconst Number = %d\n", name, n)
}

func pairFunction(name string) string {
	return fmt.Sprintf(`package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"example.com/shop/left"
	"example.com/shop/right"
)

type event struct {
	Nonce string
	Fault string
}

type answer struct {
	Function    string
	Nonce       string
	Left, Right int
}

func main() {
	lambda.Start(func(e event) (answer, error) {
		switch e.Fault {
		case "slow":
			time.Sleep(50 * time.Millisecond)
		case "exit":
			os.Exit(3)
		case "hang":
			time.Sleep(time.Hour)
		}
		return answer{%q, e.Nonce, left.Number, right.Number}, nil
	})
}
`, name)
}

// pairAnswer is what a function of pairs answers.
type pairAnswer struct {
	Function, Nonce string
	Left, Right     int
}

// TestFaults throws faults at sessions, one after the other: saves, broken source, branches that are switched, processes that are killed,
// clients that go away, an end in the midst of it. Every invocation must get an answer, its own and of a whole build, or an error that
// says why not; and nothing may be left: no process, no goroutine, no open file, no memory. GOLAM_WATCH_FAULTS says for how long ("20m"),
// GOLAM_WATCH_FAULTS_SEED repeats the choices of a run, though not its timing.
func TestFaults(t *testing.T) {
	testkit.Slow(t)
	duration, seed := given(t, "GOLAM_WATCH_FAULTS", 10*time.Second, 0), rand.Uint64()
	if value := os.Getenv("GOLAM_WATCH_FAULTS_SEED"); value != "" {
		var err error
		if seed, err = strconv.ParseUint(value, 10, 64); err != nil {
			t.Fatalf("GOLAM_WATCH_FAULTS_SEED: %v", err)
		}
	}
	t.Logf("GOLAM_WATCH_FAULTS_SEED=%d", seed)
	outcomes := map[string]int{}
	files, rounds := testkit.Descriptors(t), 0
	var heap uint64
	for until := time.Now().Add(duration); time.Now().Before(until) && !t.Failed(); rounds++ {
		t.Run(strconv.Itoa(rounds), func(t *testing.T) {
			f := newFaults(t, rand.New(rand.NewPCG(seed, uint64(rounds))))
			f.run()
			for outcome, n := range f.outcomes {
				outcomes[outcome] += n
			}
		})
		http.DefaultClient.CloseIdleConnections()
		testkit.Eventually(t, "no file is left open", func() bool { return testkit.Descriptors(t) <= files })
		if now := heapInUse(); rounds == 0 {
			heap = now
		} else if now > heap+8<<20 {
			t.Errorf("after round %d the heap has %d bytes, after the first one it had %d", rounds, now, heap)
		}
	}
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%8d %s", outcomes[outcome], outcome)
	}
	t.Logf("%8d sessions; open files before and after: %d, %d; heap after the first and the last: %d, %d bytes", rounds, files, testkit.Descriptors(t),
		heap, heapInUse())
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// faults is a session and what is going to happen to it.
type faults struct {
	*watched
	rng   *rand.Rand
	steps int
	early bool // it ends in the midst of it

	mu       sync.Mutex
	closing  bool
	saved    int
	outcomes map[string]int
}

func newFaults(t *testing.T, rng *rand.Rand) *faults {
	t.Helper()
	root := pairs(t, "hello", "other")
	f := &faults{rng: rng, steps: 20 + rng.IntN(30), early: rng.IntN(3) == 0, outcomes: map[string]int{}}
	if rng.IntN(2) == 0 {
		// A second branch, with other numbers and a third function.
		git := func(args ...string) {
			testkit.Run(t, root, nil, "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, args...)...)
		}
		git("init", "-q")
		git("add", ".")
		git("commit", "-qm", "one")
		git("checkout", "-qb", "other")
		testkit.Write(t, filepath.Join(root, "left/left.go"), number("left", -1))
		testkit.Write(t, filepath.Join(root, "right/right.go"), number("right", -1))
		testkit.Write(t, filepath.Join(root, "cmd/third/main.go"), pairFunction("third"))
		git("add", ".")
		git("commit", "-qm", "two")
		git("checkout", "-q", "main")
	}
	if rng.IntN(4) == 0 {
		testkit.Write(t, filepath.Join(root, "left/left.go"), "package left\n\nfunc broken( {\n")
	}
	f.watched = start(t, root, func(o *Options) {
		o.Timeout = 2 * time.Second
		o.Poll = rng.IntN(5) == 0
	})
	return f
}

func (f *faults) count(outcome string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcomes[outcome]++
}

func (f *faults) isClosing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closing
}

// run returns when every invocation has its outcome.
func (f *faults) run() {
	var clients, killer sync.WaitGroup
	done := make(chan struct{})
	fork := func() *rand.Rand { return rand.New(rand.NewPCG(f.rng.Uint64(), f.rng.Uint64())) }
	for range 4 {
		rng := fork()
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					f.call(rng)
				}
			}
		})
	}
	rng := fork()
	killer.Go(func() { f.kill(rng, done) })
	for range f.steps {
		f.step()
		select {
		case <-time.After(time.Duration(f.rng.IntN(400)) * time.Millisecond):
		case <-f.t.Context().Done():
		}
	}
	if f.early {
		f.mu.Lock()
		f.closing = true
		f.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		if err := f.Close(ctx); err != nil {
			f.t.Errorf("close: %v", err)
		}
		f.count("session ended early")
		close(done)
		clients.Wait()
		killer.Wait()
		return
	}
	close(done)
	clients.Wait()
	killer.Wait()
	// When it gets quiet, what was saved last is served.
	f.save()
	f.write("go.mod", goMod)
	f.write("cmd/hello/main.go", pairFunction("hello"))
	f.settle()
	got, err := f.invoke("hello")
	var a pairAnswer
	if err != nil || json.Unmarshal([]byte(got), &a) != nil || a.Left != f.saved || a.Right != f.saved {
		f.t.Errorf("in the end hello answers %s, %v; want %d", got, err, f.saved)
	}
}

// save saves both numbers.
func (f *faults) save() {
	f.saved++
	f.write("left/left.go", number("left", f.saved))
	f.write("right/right.go", number("right", f.saved))
}

// step changes something.
func (f *faults) step() {
	switch f.rng.IntN(12) {
	case 0:
		f.write("left/left.go", "package left\n\nconst Number = 1 +\n")
		f.count("source broken")
	case 1:
		f.write("go.mod", "module\n")
		f.count("go.mod broken")
	case 2:
		f.write("go.mod", goMod)
		f.count("go.mod mended")
	case 3:
		_ = os.RemoveAll(filepath.Join(f.root, "cmd", "other"))
		f.count("function removed")
	case 4:
		f.write("cmd/other/main.go", pairFunction("other"))
		f.count("function added")
	case 5, 6:
		if _, err := os.Stat(filepath.Join(f.root, ".git")); err == nil {
			branch := []string{"main", "other"}[f.rng.IntN(2)]
			testkit.Run(f.t, f.root, nil, "git", "checkout", "-qf", branch)
			f.count("branch switched")
			break
		}
		fallthrough
	case 7:
		for range 20 {
			f.save()
		}
		f.count("twenty saves")
	default:
		f.save()
		f.count("save")
	}
}

// kill kills functions at random times.
func (f *faults) kill(rng *rand.Rand, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(rng.IntN(300)) * time.Millisecond):
		}
		if victims := testkit.Processes(f.mark); len(victims) > 0 {
			_ = syscall.Kill(victims[rng.IntN(len(victims))], syscall.SIGKILL)
			f.count("process killed")
		}
	}
}

// call invokes a function in one of the ways that there are, and checks the answer.
func (f *faults) call(rng *rand.Rand) {
	function := []string{"hello", "hello", "other", "third"}[rng.IntN(4)]
	fault := []string{"", "", "", "slow", "slow", "exit", "hang"}[rng.IntN(7)]
	if fault == "hang" && rng.IntN(10) > 0 {
		fault = ""
	}
	nonce := strconv.FormatUint(rng.Uint64(), 16)
	payload := fmt.Appendf(nil, `{"Nonce":%q,"Fault":%q}`, nonce, fault)
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	if rng.IntN(20) == 0 {
		defer time.AfterFunc(time.Duration(rng.IntN(60))*time.Millisecond, cancel).Stop()
	}
	var answer []byte
	var failed bool
	if rng.IntN(2) == 0 {
		result, err := f.Invoke(ctx, function, local.Invocation{Payload: payload})
		var refusal *local.RequestError
		switch {
		case ctx.Err() != nil:
			f.count("client went away")
			return
		case errors.As(err, &refusal) && (refusal.StatusCode == 404 || refusal.StatusCode == 503):
			f.count("refused: not served")
			f.breathe()
			return
		case errors.Is(err, local.ErrClosed) && f.isClosing():
			f.count("session closed")
			f.breathe()
			return
		case err != nil:
			f.t.Errorf("%s: %v", function, err)
			return
		}
		answer, failed = result.Payload, result.FunctionError != ""
	} else {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.server.url+"/2015-03-31/functions/"+function+"/invocations", bytes.NewReader(payload))
		if err != nil {
			f.t.Error(err)
			return
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			answer, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		switch {
		case ctx.Err() != nil:
			f.count("client went away")
			return
		case err != nil && f.isClosing():
			f.count("session closed")
			f.breathe()
			return
		case err != nil:
			f.t.Errorf("%s over HTTP: %v", function, err)
			return
		case response.StatusCode == 404, response.StatusCode == 503, response.StatusCode == 500 && f.isClosing():
			f.count("refused: not served")
			f.breathe()
			return
		case response.StatusCode != 200:
			f.t.Errorf("%s over HTTP: %s %s", function, response.Status, answer)
			return
		}
		failed = response.Header.Get("X-Amz-Function-Error") != ""
	}
	if failed {
		var failure struct{ ErrorType string }
		_ = json.Unmarshal(answer, &failure)
		if failure.ErrorType != "Runtime.ExitError" && failure.ErrorType != "Sandbox.Timedout" {
			f.t.Errorf("%s failed: %s", function, answer)
		}
		f.count(failure.ErrorType)
		return
	}
	var a pairAnswer
	if err := json.Unmarshal(answer, &a); err != nil || a.Function != function || a.Nonce != nonce || a.Left != a.Right || fault == "exit" || fault == "hang" {
		f.t.Errorf("%s was asked %s and answered %s", function, payload, answer)
	}
	f.count("answered")
}

// breathe keeps clients of what is not there from asking without end.
func (f *faults) breathe() { time.Sleep(10 * time.Millisecond) }

// TestLoad has 50 clients invoke five functions over HTTP while something is saved every second. Every answer must be of a whole build, and
// match its request. GOLAM_WATCH_LOAD says for how long ("1m").
func TestLoad(t *testing.T) {
	testkit.Slow(t)
	duration := given(t, "GOLAM_WATCH_LOAD", 5*time.Second, 0)
	names := []string{"one", "two", "three", "four", "five"}
	w := start(t, pairs(t, names...), func(o *Options) { o.Timeout = time.Minute })
	w.settle()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
	defer client.CloseIdleConnections()
	var clients sync.WaitGroup
	var mu sync.Mutex
	answers, versions := 0, map[int]bool{}
	done := make(chan struct{})
	for n := range 50 {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				name, nonce := names[rng.IntN(len(names))], strconv.FormatUint(rng.Uint64(), 16)
				response, err := client.Post(w.server.url+"/2015-03-31/functions/"+name+"/invocations", "application/json",
					strings.NewReader(fmt.Sprintf(`{"Nonce":%q}`, nonce)))
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				var a pairAnswer
				if err != nil || json.Unmarshal(body, &a) != nil || response.Header.Get("X-Amz-Function-Error") != "" ||
					a.Function != name || a.Nonce != nonce || a.Left != a.Right {
					t.Errorf("%s, asked %s, answers %d %s, %v", name, nonce, response.StatusCode, body, err)
					return
				}
				mu.Lock()
				answers++
				versions[a.Left] = true
				mu.Unlock()
			}
		})
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	saves := 0
	for until := time.Now().Add(duration); time.Now().Before(until) && !t.Failed(); <-tick.C {
		saves++
		w.write("left/left.go", number("left", saves))
		w.write("right/right.go", number("right", saves))
	}
	close(done)
	clients.Wait()
	w.settle()
	for _, name := range names {
		w.answers(name, fmt.Sprintf(`{"Function":%q,"Nonce":"","Left":%d,"Right":%d}`, name, saves, saves))
	}
	t.Logf("%d answers of %d of %d saves", answers, len(versions), saves)
}
