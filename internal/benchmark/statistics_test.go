package benchmark

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// rounds makes rounds of one environment whose times are drawn by the functions.
func rounds(n int, warm func(round int) time.Duration) []Round {
	made := make([]Round, n)
	for i := range made {
		d := warm(i)
		made[i] = Round{{
			Init: 10 * d, First: 11 * d, CPU: 9 * d, Memory: 5 << 20, Billed: 2 * time.Millisecond,
			Warm: []Invocation{
				{Duration: d, CPU: d, Billed: time.Millisecond},
				{Duration: 2 * d, CPU: d, Billed: time.Millisecond},
				{Duration: 3 * d, CPU: d, Billed: 2 * time.Millisecond},
			},
		}}
	}
	return made
}

func TestFigures(t *testing.T) {
	figures := Figures(rounds(40, func(i int) time.Duration { return time.Duration(i+1) * time.Millisecond }))
	want := map[string]struct {
		count    int
		p50, max float64
		p99      bool
	}{
		"init":    {40, 205, 400, false},
		"first":   {40, 225.5, 440, false},
		"warm":    {120, 41, 120, true},
		"cpuCold": {40, 184.5, 360, false},
		"cpuWarm": {120, 20.5, 40, true},
		"memory":  {40, 5 << 20, 5 << 20, false},
	}
	if len(figures) != len(want) {
		t.Fatalf("%d figures", len(figures))
	}
	for _, f := range figures {
		w := want[f.Key]
		if f.Count != w.count || f.P50 != w.p50 || f.Max != w.max || (f.P99 != nil) != w.p99 {
			t.Errorf("%+v, not %+v", f, w)
		}
		if f.Low == nil || *f.Low > f.P90 || *f.High < *f.Low || f.P90 > f.Max {
			t.Errorf("%s: interval and percentiles out of order", f.Key)
		}
	}
	// Of 40 values the 14th and the 27th bound the median with 95% (binomial distribution: 96.2%).
	bounds := map[string][2]float64{"init": {140, 270}, "first": {154, 297}, "warm": {28, 54}, "cpuWarm": {14, 27}}
	for _, f := range figures {
		if want, given := bounds[f.Key]; given && (*f.Low != want[0] || *f.High != want[1]) {
			t.Errorf("%s: interval from %v to %v, not %v", f.Key, *f.Low, *f.High, want)
		}
	}
	for _, f := range Figures(rounds(3, func(int) time.Duration { return time.Millisecond })) {
		if f.Low != nil {
			t.Errorf("%s: three rounds have an interval", f.Key)
		}
	}
	// What could not be measured is left out.
	unmeasured := rounds(3, func(int) time.Duration { return time.Millisecond })
	for i := range unmeasured {
		unmeasured[i][0].Memory, unmeasured[i][0].CPU = 0, 0
	}
	for _, f := range Figures(unmeasured) {
		if f.Key == "memory" || f.Key == "cpuCold" {
			t.Errorf("%s was not measured", f.Key)
		}
	}
}

// noisy draws times like those of a busy machine: now and then ten times as long, and slower and slower.
func noisy(random *rand.Rand, base time.Duration) func(int) time.Duration {
	return func(round int) time.Duration {
		factor := (1 + 0.05*random.NormFloat64()) * (1 + 0.02*float64(round))
		if random.Float64() < 0.1 {
			factor *= 10
		}
		return time.Duration(float64(base) * max(factor, 0.5))
	}
}

func TestCompare(t *testing.T) {
	cases := map[string]struct {
		before, after time.Duration
		want          Verdict
	}{
		"the same":   {5 * time.Millisecond, 5 * time.Millisecond, NoDifference},
		"slower":     {5 * time.Millisecond, 6 * time.Millisecond, Worse},
		"faster":     {6 * time.Millisecond, 5 * time.Millisecond, Better},
		"negligible": {5 * time.Millisecond, 5020 * time.Microsecond, NoDifference},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			compared, err := Compare(rounds(30, noisy(random, c.before)), rounds(30, noisy(random, c.after)))
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, comparison := range compared {
				keys = append(keys, comparison.Key)
				want := c.want
				if comparison.Key == "memory" {
					want = NoDifference
				}
				if comparison.Verdict != want {
					t.Errorf("%s %s: %+v", name, comparison.Key, comparison)
				}
				if comparison.Low > comparison.Ratio || comparison.High < comparison.Ratio {
					t.Errorf("%s: the ratio is outside its interval: %+v", name, comparison)
				}
			}
			if got := strings.Join(keys, " "); got != "init first warmP50 cpuCold cpuWarm memory" {
				t.Errorf("compared %s", got)
			}
		})
	}
}

// TestQuantilesTakeValues: a percentile of fewer values would be the largest one.
func TestQuantilesTakeValues(t *testing.T) {
	for invocations, want := range map[int]string{
		9: "warmP50", 10: "warmP50 warmP90", 99: "warmP50 warmP90", 100: "warmP50 warmP90 warmP99",
	} {
		made := rounds(MinRounds, func(int) time.Duration { return time.Millisecond })
		for i := range made {
			made[i][0].Warm = slices.Repeat(made[i][0].Warm[:1], invocations)
		}
		compared, err := Compare(made, made)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, c := range compared {
			if strings.HasPrefix(c.Key, "warm") {
				keys = append(keys, c.Key)
			}
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%d invocations: compared %s, not %s", invocations, got, want)
		}
	}
}

// independent makes rounds of one environment whose figures have nothing to do with one another.
func independent(random *rand.Rand, n int) []Round {
	made := make([]Round, n)
	for i := range made {
		// So much noise that what is negligible doesn't hide a mistake.
		drawn := func() time.Duration {
			return time.Duration(float64(time.Millisecond) * math.Exp(0.5*random.NormFloat64()) * (1 + 0.02*float64(i)))
		}
		made[i] = Round{{Init: drawn(), First: drawn(), CPU: drawn(), Memory: int64(drawn()), Warm: []Invocation{{Duration: drawn(), CPU: drawn()}}}}
	}
	return made
}

// TestFalseAlarms compares a machine that slows down with itself, many times. Without the correction for as many figures a few percent
// of the comparisons would find something.
func TestFalseAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	alarms := 0
	const times = 2000
	for range times {
		compared, err := Compare(independent(random, 30), independent(random, 30))
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(compared, func(c Comparison) bool { return c.Verdict != NoDifference }) {
			alarms++
		}
	}
	if most := int(mistake * times); alarms > most {
		t.Errorf("%d of %d comparisons of the same find a difference, and %d are to be expected at most", alarms, times, most)
	}
}

func TestTooFewRounds(t *testing.T) {
	few := rounds(MinRounds-3, func(int) time.Duration { return time.Millisecond })
	if _, err := Compare(few, few); err == nil {
		t.Error("a comparison of too few rounds has a result")
	}
	enough := rounds(MinRounds, func(int) time.Duration { return time.Millisecond })
	if _, err := Compare(enough, enough); err != nil {
		t.Error(err)
	}
}

func TestCompareSize(t *testing.T) {
	for _, c := range []struct {
		before, after int64
		want          Verdict
	}{{100, 100, NoDifference}, {100, 101, Worse}, {100, 99, Better}} {
		got := compareSize("zip", "package", c.before, c.after)
		if got.Verdict != c.want || !got.Exact || got.Ratio != float64(c.after)/float64(c.before) {
			t.Errorf("%d to %d: %+v", c.before, c.after, got)
		}
	}
}

func TestEstimate(t *testing.T) {
	made := rounds(10, func(int) time.Duration { return time.Millisecond })
	cost := estimate(made, 512, "arm64")
	// (1 + 1 + 2) / 3 ms billed at half a gigabyte.
	want := 0.20 + 1e6*(4.0/3)/1000*0.5*0.0000133334
	if diff := cost.PerMillion - want; diff > 1e-9 || diff < -1e-9 {
		t.Errorf("$%v, not $%v", cost.PerMillion, want)
	}
	if want := "$0.20 + 1,000,000 x 1.33 ms billed x 0.5 GB x $0.0000133334 per GB-second"; cost.Formula != want {
		t.Errorf("formula %q", cost.Formula)
	}
	if x86 := estimate(made, 512, "x86_64"); x86.PerMillion <= cost.PerMillion || cost.PerMillionCold <= cost.PerMillion {
		t.Errorf("%+v, %+v", cost, x86)
	}
}

func TestParseGates(t *testing.T) {
	gates, err := ParseGates(map[string]string{"first": "5ms", "zip": "900kB", "memory": "64MiB", "warm-p99": "1.5s"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, g := range gates {
		got[g.Key] = g.Limit
	}
	for key, want := range map[string]float64{"first": 5, "zip": 900_000, "memory": 64 << 20, "warm-p99": 1500} {
		if got[key] != want {
			t.Errorf("%s: %v, not %v", key, got[key], want)
		}
	}
	_, err = ParseGates(map[string]string{"zip": "2,5MB"})
	testkit.ErrorSays(t, err, `--max-zip "2,5MB": use a size such as 900kB, 2.5MB or 64MiB`)
	_, err = ParseGates(map[string]string{"first": "900kB", "zip": "5ms", "init": "-1ms", "warm": "", "bootstrap": "900", "memory": "0B"})
	testkit.ErrorSays(t, err, `--max-first "900kB": use a duration such as 5ms`, `--max-zip "5ms": use a size such as 900kB`,
		`--max-init "-1ms"`, `--max-warm ""`, `--max-bootstrap "900"`, `--max-memory "0B"`)
}

func TestGates(t *testing.T) {
	f := Function{Zip: 900_000, Bootstrap: 2_000_000, Figures: Figures(rounds(40, func(int) time.Duration { return time.Millisecond }))}
	for limit, want := range map[string]bool{
		"zip 900kB": true, "zip 899kB": false, "bootstrap 2MB": true, "first 11ms": true, "first 10.9ms": false,
		"warm 2ms": true, "warm 1ms": false, "warm-p99 3ms": true, "warm-p99 2ms": false, "memory 6MB": true, "memory 5MB": false,
	} {
		key, text, _ := strings.Cut(limit, " ")
		gates, err := ParseGates(map[string]string{key: text})
		if err != nil {
			t.Fatal(err)
		}
		if got := gates[0].check(f); got.Passed != want || got.Problem != "" {
			t.Errorf("%s: %+v", limit, got)
		}
	}
	gates, _ := ParseGates(map[string]string{"warm-p99": "1h", "cpu-cold": "1h"})
	f.Figures = Figures(rounds(3, func(int) time.Duration { return time.Millisecond }))
	f.Figures = slices.DeleteFunc(f.Figures, func(f Figure) bool { return f.Key == "cpuCold" })
	for _, g := range gates {
		if got := g.check(f); got.Passed || got.Problem == "" {
			t.Errorf("a gate without a figure passes: %+v", got)
		}
	}
}
