package benchmark

import (
	"math"
	"slices"
	"time"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"

	"github.com/golam-cli/golam/internal/units"
)

// Unit is what a figure counts.
type Unit string

// Units of figures.
const (
	Milliseconds Unit = "ms"
	Bytes        Unit = "bytes"
)

// metric is a figure that every execution environment gives.
type metric struct {
	key, name string
	unit      Unit
	// of gives the values of a sample: one, or one for each warm invocation.
	of func(Sample) []float64
	// compared are the quantiles of a round that a comparison looks at.
	compared []float64
}

func metrics() []metric {
	one := func(value func(Sample) float64) func(Sample) []float64 {
		return func(s Sample) []float64 { return []float64{value(s)} }
	}
	each := func(value func(Invocation) time.Duration) func(Sample) []float64 {
		return func(s Sample) []float64 {
			values := make([]float64, len(s.Warm))
			for i, invocation := range s.Warm {
				values[i] = units.Milliseconds(value(invocation))
			}
			return values
		}
	}
	median := []float64{0.5}
	return []metric{
		{"init", "init", Milliseconds, one(func(s Sample) float64 { return units.Milliseconds(s.Init) }), median},
		{"first", "first response", Milliseconds, one(func(s Sample) float64 { return units.Milliseconds(s.First) }), median},
		{"warm", "warm invocation", Milliseconds, each(func(i Invocation) time.Duration { return i.Duration }), []float64{0.5, 0.9, 0.99}},
		{"cpuCold", "CPU, cold start", Milliseconds, one(func(s Sample) float64 { return units.Milliseconds(s.CPU) }), median},
		{"cpuWarm", "CPU, warm invocation", Milliseconds, each(func(i Invocation) time.Duration { return i.CPU }), median},
		{"memory", "peak memory", Bytes, one(func(s Sample) float64 { return float64(s.Memory) }), median},
	}
}

// pool gathers a metric's values of a round.
func (m metric) pool(rounds ...Round) []float64 {
	var values []float64
	for _, round := range rounds {
		for _, sample := range round {
			values = append(values, m.of(sample)...)
		}
	}
	return values
}

// perRound is a quantile of each round.
func (m metric) perRound(rounds []Round, quantile float64) []float64 {
	values := make([]float64, len(rounds))
	for i, round := range rounds {
		values[i] = quantileOf(m.pool(round), quantile)
	}
	return values
}

// enough tells that each round has values for a quantile beyond the median: with fewer it would be the largest one or nearly.
func (m metric) enough(rounds []Round, quantile float64) bool {
	least := int(math.Round(1 / (1 - quantile)))
	return quantile <= 0.5 || !slices.ContainsFunc(rounds, func(round Round) bool { return len(m.pool(round)) < least })
}

// quantileOf sorts the values.
func quantileOf(values []float64, quantile float64) float64 {
	slices.Sort(values)
	return stats.Sample{Xs: values, Sorted: true}.Quantile(quantile)
}

// Figure sums up what was measured of a metric.
type Figure struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Unit Unit   `json:"unit"`
	// Count is how many values there are.
	Count int `json:"count"`
	// P50 is the median of the rounds' medians, which is what Low and High bound. The others are of all values together.
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	// P99 is nil if there are fewer than 100 values: it would be the largest one.
	P99 *float64 `json:"p99"`
	Max float64  `json:"max"`
	// Low and High bound the median of a round with 95% confidence. They are nil if there are too few rounds.
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// enoughForP99 is how many values it takes until the largest hundredth has one.
const enoughForP99 = 100

// Figures sums up rounds. What this system could not measure is left out.
func Figures(rounds []Round) []Figure {
	var figures []Figure
	for _, m := range metrics() {
		values := m.pool(rounds...)
		if len(values) == 0 || slices.Max(values) == 0 {
			continue
		}
		summary := median(m.perRound(rounds, 0.5), 0.95)
		figure := Figure{
			Key: m.key, Name: m.name, Unit: m.unit, Count: len(values),
			P50: summary.Center, P90: quantileOf(values, 0.9), Max: slices.Max(values),
		}
		if len(values) >= enoughForP99 {
			p99 := quantileOf(values, 0.99)
			figure.P99 = &p99
		}
		if !math.IsInf(summary.Lo, 0) {
			figure.Low, figure.High = &summary.Lo, &summary.Hi
		}
		figures = append(figures, figure)
	}
	return figures
}

// median is the median of values and its interval, by order statistics: no distribution is assumed.
func median(values []float64, confidence float64) benchmath.Summary {
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), confidence)
}
