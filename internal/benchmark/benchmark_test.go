package benchmark

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/testkit"
	"github.com/golam-cli/golam/internal/units"
)

func TestRun(t *testing.T) {
	testkit.Slow(t)
	o := options("echo")
	o.Plan.Concurrency, o.Contents = 2, true
	var shown []string
	o.Progress = func(text string) { shown = append(shown, text) }
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Functions) != 1 || result.Rounds != 2 || result.Invocations != 3 || result.Concurrency != 2 || result.Throttled {
		t.Fatalf("got %+v", result)
	}
	f := result.Functions[0]
	counts := map[string]int{"init": 4, "first": 4, "warm": 12}
	if runtime.GOOS == "linux" {
		counts["cpuCold"], counts["cpuWarm"], counts["memory"] = 4, 12, 4
	}
	for _, figure := range f.Figures {
		if figure.Count != counts[figure.Key] || figure.P50 <= 0 || figure.Max < figure.P90 {
			t.Errorf("%+v", figure)
		}
		delete(counts, figure.Key)
	}
	if len(counts) > 0 {
		t.Errorf("not measured: %v", counts)
	}
	if f.Name != "official" || f.Zip <= 0 || f.Bootstrap <= f.Zip || len(f.Parts) < 50 || f.Cost.PerMillion < pricePerMillion {
		t.Errorf("%s: zip %d, bootstrap %d, %d parts, $%v", f.Name, f.Zip, f.Bootstrap, len(f.Parts), f.Cost.PerMillion)
	}
	for _, sample := range f.rounds[0] {
		if sample.First <= sample.Init || sample.Init <= 0 || sample.Billed < sample.First {
			t.Errorf("out of order: %+v", sample)
		}
	}
	if want := []string{"building", "official: run 1 of 3", "official: run 2 of 3", "official: run 3 of 3"}; fmt.Sprint(shown) != fmt.Sprint(want) {
		t.Errorf("progress %q", shown)
	}
	if _, err := os.Stat(filepath.Join(o.Invoke.Dir, "dist")); err == nil {
		t.Error("it wrote to the project")
	}
	var text bytes.Buffer
	if err := result.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if len([]rune(line)) > 81 || strings.TrimRight(line, " \n")+"\n" != line {
			t.Errorf("line %q", line)
		}
	}
}

func TestPictures(t *testing.T) {
	testkit.Slow(t)
	o := options("echo")
	o.Contents = true
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	paths, err := WritePictures(dir, result.Pictures())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"official-times.svg": "milliseconds", "official-contents.svg": "net/http"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("%s has no %q", name, want)
		}
	}
	if len(paths) != 2 {
		t.Errorf("drew %v", paths)
	}
}

func TestRunAgainstItself(t *testing.T) {
	testkit.Slow(t)
	o := options("echo")
	o.Plan.Rounds = MinRounds
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "baseline.json")
	if err := result.Save(name, cacheFolder); err != nil {
		t.Fatal(err)
	}
	if o.Baseline, err = LoadBaseline(name, cacheFolder); err != nil {
		t.Fatal(err)
	}
	if result, err = Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	f := result.Functions[0]
	exact := 0
	for _, c := range f.Comparisons {
		if c.Exact {
			exact++
			if c.Verdict != NoDifference {
				t.Errorf("the same package differs: %+v", c)
			}
		}
	}
	if exact != 2 || len(f.Comparisons) < 7 || len(f.before) != MinRounds || f.Incomparable != "" {
		t.Errorf("%d comparisons, %d exact, %d rounds before, %s", len(f.Comparisons), exact, len(f.before), f.Incomparable)
	}
	// From somebody else only sizes count.
	if o.Baseline, err = LoadBaseline(name, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if result, err = Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if f := result.Functions[0]; len(f.Comparisons) != 2 || f.Incomparable == "" || f.before != nil {
		t.Errorf("%d comparisons, %q", len(f.Comparisons), f.Incomparable)
	}
}

func TestFailures(t *testing.T) {
	testkit.Slow(t)
	for handler, want := range map[string][]string{
		"fail":  {"official failed at invocation 1", "no luck"},
		"panic": {"official failed at invocation 1", "at the disco"},
		"none":  {"official failed at invocation 1", "Runtime.ExitError"},
		// It answers all the same.
		"init-twice": {"official failed at invocation 1", "its init phase failed and was repeated"},
	} {
		t.Run(handler, func(t *testing.T) {
			o := options(handler)
			o.Invoke.Env["MARK"] = filepath.Join(t.TempDir(), "first")
			_, err := Run(t.Context(), o)
			testkit.ErrorSays(t, err, want...)
			if _, ok := errors.AsType[*FailureError](err); !ok {
				t.Errorf("error %v is no failure", err)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	testkit.Slow(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := options("echo")
	o.Progress = func(text string) {
		if strings.Contains(text, "run 1") {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestThrottled(t *testing.T) {
	testkit.Slow(t)
	o := options("burn")
	o.Throttle, o.Invoke.MemorySize, o.Plan = true, 128, Plan{Rounds: 1, Invocations: 1}
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if problem := local.CheckThrottle(); problem != nil {
		if result.Throttled || result.ThrottleProblem == "" {
			t.Errorf("not allowed here, and not said: %+v", result)
		}
		t.Skip(problem)
	}
	// 20 ms of processor time at 1.4 of every 20 ms.
	if warm := result.Functions[0].rounds[0][0].Warm[0].Duration; !result.Throttled || units.Milliseconds(warm) < 150 {
		t.Errorf("throttled %t, took %s", result.Throttled, warm)
	}
}

func TestMisuse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"event":       {func(o *Options) { o.Invoke.Event = []byte("{") }, "the event is not JSON"},
		"rounds":      {func(o *Options) { o.Plan.Rounds = maxRounds + 1 }, "10001 runs"},
		"invocations": {func(o *Options) { o.Plan.Invocations = -1 }, "-1 invocations"},
		"concurrency": {func(o *Options) { o.Plan.Concurrency = 2000 }, "a concurrency of 2000"},
		"few rounds":  {func(o *Options) { o.Baseline = &Baseline{} }, "2 runs are too few for a comparison: use 12 or more"},
		"memory":      {func(o *Options) { o.Invoke.MemorySize = 1 }, "a memory size of 1 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options("echo")
			c.change(&o)
			_, err := Run(t.Context(), o)
			testkit.ErrorSays(t, err, c.want)
		})
	}
}
