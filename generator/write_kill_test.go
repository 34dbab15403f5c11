package generator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// order is what a test wants of a helper process, which is this test binary running TestWriteHelper.
type order struct {
	Dir     string
	Edition int  // of sampleTree; 0 for Recover
	KillAt  int  // the step after which the helper kills itself; 0 for none
	Prepare bool // make .git/HEAD in the staging folder
	Hold    bool // say "holding" in Prepare and wait for a line
	Plain   bool // without Overwrite
	Here    bool // make Dir the current folder
	Edits   bool // make sampleEdits
}

const orderVariable = "GOLAM_TEST_WRITE_ORDER"

// TestWriteHelper carries out one order: it says "ready", waits for a line, works, and says how that ended.
func TestWriteHelper(t *testing.T) {
	text := os.Getenv(orderVariable)
	if text == "" {
		return // only other tests start this one, as a process that can be killed
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	input := bufio.NewReader(os.Stdin)
	say := func(what string) {
		fmt.Println(what)
		if _, err := input.ReadString('\n'); err != nil {
			os.Exit(3) // the test is gone
		}
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	w := writer{step: func() {
		if steps++; steps == o.KillAt {
			_ = self.Kill()
			select {}
		}
	}}
	options := WriteOptions{Overwrite: !o.Plain, Prepare: func(ctx context.Context, staging string) error {
		if o.Hold {
			say("holding")
		}
		if !o.Prepare {
			return nil
		}
		return makeGitHead(ctx, staging)
	}}
	var tree Tree
	if o.Edition > 0 {
		tree = sampleTree(t, o.Edition)
	}
	if o.Here {
		t.Chdir(o.Dir)
	}
	say("ready")
	start := time.Now()
	outcome := "written"
	switch {
	case o.Edits:
		err = w.apply(t.Context(), o.Dir, sampleEdits())
	case o.Edition > 0:
		_, err = w.write(t.Context(), o.Dir, tree, options)
	default:
		var recovery Recovery
		recovery, err = w.recover(target{dir: o.Dir, path: o.Dir})
		outcome = "recovered " + string(recovery)
	}
	took := time.Since(start)
	if err != nil {
		outcome = strings.ReplaceAll(fmt.Sprintf("%T %v", err, err), "\n", "; ")
	}
	fmt.Printf("%s\n%d\n%d\n", outcome, took, steps)
	os.Exit(0)
}

// helper is a process that carries out an order.
type helper struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

// startHelper returns when the helper is ready to begin.
func startHelper(t testing.TB, o order) *helper {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &helper{command: exec.CommandContext(t.Context(), binary, "-test.run=^TestWriteHelper$")}
	h.command.Env = append(os.Environ(), orderVariable+"="+string(text))
	h.command.Stderr = os.Stderr
	if h.input, err = h.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := h.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.output = bufio.NewReader(output)
	if err := h.command.Start(); err != nil {
		t.Fatal(err)
	}
	if line := h.line(); line != "ready" {
		t.Fatalf("the helper said %q", line)
	}
	return h
}

// line is the next line of the helper; "" when it has ended.
func (h *helper) line() string {
	line, _ := h.output.ReadString('\n')
	return strings.TrimSuffix(line, "\n")
}

func (h *helper) proceed() { _, _ = io.WriteString(h.input, "\n") }

// result is how a helper ended. The outcome is empty if it was killed.
type result struct {
	outcome string
	took    time.Duration
	steps   int
}

func (h *helper) wait(t testing.TB) result {
	t.Helper()
	var r result
	if r.outcome = h.line(); r.outcome != "" {
		nanoseconds, err1 := strconv.Atoi(h.line())
		steps, err2 := strconv.Atoi(h.line())
		if err := errors.Join(err1, err2); err != nil {
			r.outcome = "" // killed while it said so
		}
		r.took, r.steps = time.Duration(nanoseconds), steps
	}
	if err := h.command.Wait(); err == nil && r.outcome == "" {
		t.Fatal("the helper ended by itself and said nothing")
	}
	return r
}

func runHelper(t testing.TB, o order) result {
	t.Helper()
	h := startHelper(t, o)
	h.proceed()
	return h.wait(t)
}

// memoryDir is a temporary folder in memory where that is easy to have: thousands of files are made and removed there.
func memoryDir(t testing.TB) string {
	t.Helper()
	if info, err := os.Stat("/dev/shm"); runtime.GOOS != "linux" || err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "golam-test-") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// killCase is one way of writing that is killed. Its checks run in a folder in which setUp was called and an order for demo was killed.
type killCase struct {
	setUp func(t *testing.T, base string)
	order order
	check func(t *testing.T, what, base string)
	// outcome is how the order ends if it is not killed.
	outcome string
}

func killCases(t *testing.T) map[string]killCase {
	before, after, small := sampleTree(t, 1), sampleTree(t, 2), sampleTree(t, 3)
	mine := File{Path: "internal/customizer/mine.go", Content: []byte("package customizer\n")}

	absentOrWhole := func(t *testing.T, what, base string) {
		demo := filepath.Join(base, "a", "demo")
		if got := snapshot(t, demo); len(got) > 0 { // the empty folder may be there still
			checkSame(t, what, got, want(after, gitHead))
		}
		// The next golam, which makes another project, sweeps.
		if _, err := os.Stat(filepath.Join(base, "a")); err != nil {
			return
		}
		mustWrite(t, filepath.Join(base, "a", "other"), before[:1], WriteOptions{})
		for name := range snapshot(t, base) {
			if name != "a" && !strings.HasPrefix(name, "a/demo") && !strings.HasPrefix(name, "a/other") {
				t.Fatalf("%s: %s was not swept", what, name)
			}
		}
	}
	existing := func(t *testing.T, base string) {
		demo := filepath.Join(base, "a", "demo")
		mustWrite(t, demo, before, WriteOptions{})
		writeFile(t, filepath.Join(demo, mine.Path), string(mine.Content))
	}
	writes := order{Edition: 2, Prepare: true}
	return map[string]killCase{
		"absent": {setUp: mkdir("."), order: writes, check: absentOrWhole, outcome: "written"},
		"empty":  {setUp: mkdir("a/demo"), order: writes, check: absentOrWhole, outcome: "written"},
		"beside a stale one": {
			setUp: func(t *testing.T, base string) { staleStaging(t, base+"/a") },
			order: writes, check: absentOrWhole, outcome: "written",
		},
		"only .git": {
			setUp: func(t *testing.T, base string) { writeFile(t, base+"/a/demo/.git/HEAD", string(gitHead.Content)) },
			order: order{Edition: 3, Prepare: true}, check: recovers(want(nil, gitHead), small, gitHead), outcome: "written",
		},
		"current folder": {
			setUp: mkdir("a/demo"), order: order{Edition: 3, Prepare: true, Here: true},
			check: recovers(want(nil), small, gitHead), outcome: "written",
		},
		"existing": {setUp: existing, order: writes, check: recovers(want(before, mine), after, mine), outcome: "written"},
		"recovery, undoing": {
			setUp: func(t *testing.T, base string) { existing(t, base); interrupt(t, base, writing) },
			order: order{}, check: recovers(want(before, mine), after, mine), outcome: "recovered undone",
		},
		"recovery, finishing": {
			setUp: func(t *testing.T, base string) { existing(t, base); interrupt(t, base, committed) },
			order: order{}, check: recovers(want(before, mine), after, mine), outcome: "recovered finished",
		},
	}
}

// recovers checks what a kill in place leaves: each file is the old or the new one, what is not golam's is untouched, and Recover makes all
// of it the one or the other.
func recovers(old map[string]entry, tree Tree, more ...File) func(t *testing.T, what, base string) {
	new := want(tree, more...)
	return func(t *testing.T, what, base string) {
		demo := filepath.Join(base, "a", "demo")
		got := snapshot(t, demo)
		for name := range old {
			if _, ok := got[name]; !ok {
				t.Fatalf("%s: %s is gone", what, name)
			}
		}
		for name, e := range got {
			if e != old[name] && e != new[name] && name != journalName && !strings.HasPrefix(name, journalName+"/") {
				t.Fatalf("%s: %s is neither old nor new", what, name)
			}
		}
		_, err := os.Lstat(filepath.Join(demo, journalName))
		recovery, recoverErr := Recover(demo)
		if recoverErr != nil {
			t.Fatalf("%s: Recover: %v", what, recoverErr)
		}
		if err != nil && recovery != RecoveryNone {
			t.Fatalf("%s: %q without a journal", what, recovery)
		}
		got = snapshot(t, demo)
		switch recovery {
		case RecoveryUndone:
			checkSame(t, what+", undone", got, old)
		case RecoveryFinished:
			checkSame(t, what+", finished", got, new)
		default:
			if !cmp.Equal(got, old) {
				checkSame(t, what+", nothing to do", got, new)
			}
		}
		if recovery, err := Recover(demo); recovery != RecoveryNone || err != nil {
			t.Fatalf("%s: Recover again: %q, %v", what, recovery, err)
		}
		if recovery == RecoveryUndone {
			mustWrite(t, demo, tree, WriteOptions{Overwrite: true, Prepare: makeGitHead})
			checkSame(t, what+", written again", snapshot(t, demo), new)
		}
	}
}

// interrupt leaves the existing project with a journal that is complete, with half of its moves made if it is committed.
func interrupt(t *testing.T, base, state string) {
	t.Helper()
	demo := filepath.Join(base, "a", "demo")
	w := writer{}
	j, err := w.openJournal(target{dir: demo, path: demo})
	if err != nil {
		t.Fatal(err)
	}
	tree := sampleTree(t, 2)
	found, err := findTarget(demo)
	if err != nil {
		t.Fatal(err)
	}
	s, err := found.survey(tree, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.collect(t.Context(), s, nil); err != nil {
		t.Fatal(err)
	}
	moves, err := j.readMoves(committed)
	if err != nil {
		t.Fatal(err)
	}
	if state == committed {
		for _, m := range moves[:len(moves)/2] {
			if err := j.rename(committed+"/new/"+m.Path, m.Path); err != nil {
				t.Fatal(err)
			}
		}
	} else if err := j.rename(committed, state); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.lock.Unlock(), j.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestWriteKilledAtEachStep kills the process after its first step on the file system, after its second, and so on.
func TestWriteKilledAtEachStep(t *testing.T) {
	stride := 1
	if testing.Short() {
		stride = 61
	}
	for name, c := range killCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.killAtEachStep(t, memoryDir(t), 1, stride)
		})
	}
}

func (c killCase) killAtEachStep(t *testing.T, base string, first, stride int) {
	t.Helper()
	for kill := first; ; kill += stride {
		run := filepath.Join(base, strconv.Itoa(kill))
		mkdir(".")(t, run)
		c.setUp(t, run)
		c.order.Dir, c.order.KillAt = filepath.Join(run, "a", "demo"), kill
		r := runHelper(t, c.order)
		c.check(t, fmt.Sprintf("killed after step %d", kill), run)
		if err := os.RemoveAll(run); err != nil {
			t.Fatal(err)
		}
		if r.outcome == "" {
			continue
		}
		// It ended by itself: there are no more steps.
		if kill < 4 || !strings.HasPrefix(r.outcome, c.outcome) {
			t.Errorf("%d steps, then %q, want %q", r.steps, r.outcome, c.outcome)
		}
		return
	}
}

// TestWriteKilledAtAnyTime kills the process at moments that are spread over the time that it takes.
func TestWriteKilledAtAnyTime(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 5
	}
	if text := os.Getenv("GOLAM_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("GOLAM_KILLS: %v", err)
		}
	}
	cases := killCases(t)
	for _, name := range []string{"absent", "existing"} {
		t.Run(name, func(t *testing.T) {
			c, base := cases[name], memoryDir(t)
			random := rand.New(rand.NewPCG(20261, uint64(kills)))
			undisturbed := func() time.Duration {
				run := filepath.Join(base, "undisturbed")
				mkdir(".")(t, run)
				c.setUp(t, run)
				c.order.Dir = filepath.Join(run, "a", "demo")
				r := runHelper(t, c.order)
				if r.outcome != "written" {
					t.Fatal(r.outcome)
				}
				if err := os.RemoveAll(run); err != nil {
					t.Fatal(err)
				}
				return r.took
			}
			spread := slices.Sorted(slices.Values([]time.Duration{undisturbed(), undisturbed(), undisturbed()}))[1]
			killed := 0
			for i := range kills {
				run := filepath.Join(base, strconv.Itoa(i))
				mkdir(".")(t, run)
				c.setUp(t, run)
				c.order.Dir = filepath.Join(run, "a", "demo")
				after := time.Duration(random.Int64N(int64(spread) * 11 / 10))
				h := startHelper(t, c.order)
				h.proceed()
				timer := time.AfterFunc(after, func() { _ = h.command.Process.Kill() })
				if r := h.wait(t); r.outcome == "" {
					killed++
				} else if r.outcome != "written" {
					t.Fatal(r.outcome)
				}
				timer.Stop()
				c.check(t, fmt.Sprintf("kill %d, after %v of %v", i, after, spread), run)
				if err := os.RemoveAll(run); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d of %d were killed in time, within %v", killed, kills, spread)
		})
	}
}

// Two processes write to one target at the same time: one wins, the other says so or finds the folder not empty, and nothing is mixed.
func TestWriteTwoAtOnce(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	base := memoryDir(t)
	trees := map[int]map[string]entry{1: want(sampleTree(t, 1)), 2: want(sampleTree(t, 2))}
	for name, setUp := range map[string]func(t *testing.T, demo string){
		"absent":    func(*testing.T, string) {},
		"empty":     mkdir("."),
		"only .git": func(t *testing.T, demo string) { writeFile(t, demo+"/.git/HEAD", "main") },
	} {
		t.Run(name, func(t *testing.T) {
			won := map[int]int{}
			for round := range rounds {
				parent := filepath.Join(base, name+strconv.Itoa(round))
				mkdir(".")(t, parent)
				demo := filepath.Join(parent, "demo")
				setUp(t, demo)
				var helpers [2]*helper
				for i := range helpers {
					helpers[i] = startHelper(t, order{Dir: demo, Edition: i + 1, Plain: true})
				}
				for i := range helpers {
					helpers[(i+round)%2].proceed()
				}
				var winners []int
				for i, h := range helpers {
					switch r := h.wait(t); {
					case r.outcome == "written":
						winners = append(winners, i+1)
					case !strings.HasPrefix(r.outcome, "*generator.BusyError ") && !strings.HasPrefix(r.outcome, "*generator.NotEmptyError "):
						t.Fatalf("round %d: %s", round, r.outcome)
					}
				}
				if len(winners) != 1 {
					t.Fatalf("round %d: winners %v", round, winners)
				}
				won[winners[0]]++
				got := snapshot(t, parent)
				expected := map[string]entry{"demo": got["demo"]}
				for name, e := range trees[winners[0]] {
					expected["demo/"+name] = e
				}
				if name == "only .git" {
					expected["demo/.git"], expected["demo/.git/HEAD"] = got["demo/.git"], got["demo/.git/HEAD"]
				}
				checkSame(t, fmt.Sprintf("round %d", round), got, expected)
			}
			t.Logf("won: %v", won)
		})
	}
}

// A living golam keeps its staging folder, and loses if another one finishes first; a living one that writes in place keeps others out.
func TestWriteBesideALivingOne(t *testing.T) {
	base := t.TempDir()
	demo := filepath.Join(base, "demo")
	tree := sampleTree(t, 1)
	slow := startHelper(t, order{Dir: demo, Edition: 2, Hold: true})
	slow.proceed()
	if line := slow.line(); line != "holding" {
		t.Fatalf("the helper said %q", line)
	}
	staged := func() map[string]entry {
		entries := snapshot(t, base)
		for name := range entries {
			if !strings.HasPrefix(name, ".demo.golam-") {
				delete(entries, name)
			}
		}
		return entries
	}
	before := staged()
	if len(before) < 60 {
		t.Fatalf("the staging folder holds %d files", len(before))
	}
	mustWrite(t, demo, tree, WriteOptions{})
	checkSame(t, "its staging folder", staged(), before)
	slow.proceed()
	if r := slow.wait(t); !strings.HasPrefix(r.outcome, "*generator.BusyError") {
		t.Errorf("the slow one: %s", r.outcome)
	}
	checkSame(t, "what the fast one wrote", snapshot(t, demo), want(tree))
	checkSame(t, "staging folders", staged(), map[string]entry{})

	t.Run("in place", func(t *testing.T) {
		t.Chdir(t.TempDir())
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		slow := startHelper(t, order{Dir: ".", Edition: 2, Hold: true})
		slow.proceed()
		if line := slow.line(); line != "holding" {
			t.Fatalf("the helper said %q", line)
		}
		if _, err := Write(t.Context(), here, tree, WriteOptions{Overwrite: true}); !isError[*BusyError](err) {
			t.Errorf("Write: %v", err)
		}
		if _, err := Recover(here); !isError[*BusyError](err) {
			t.Errorf("Recover: %v", err)
		}
		slow.proceed()
		if r := slow.wait(t); r.outcome != "written" {
			t.Errorf("the slow one: %s", r.outcome)
		}
		checkSame(t, "what it wrote", snapshot(t, here), want(sampleTree(t, 2)))
	})
}
