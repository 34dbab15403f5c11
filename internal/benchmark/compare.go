package benchmark

import (
	"fmt"
	"math"
)

// Verdict is what a comparison comes to.
type Verdict string

// Verdicts.
const (
	NoDifference Verdict = "no difference"
	Better       Verdict = "better"
	Worse        Verdict = "worse"
)

// Comparison is one figure of a function beside that of its baseline.
type Comparison struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Unit Unit   `json:"unit"`
	// Before and After are medians.
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	// Ratio is After by Before; with several rounds the median of their ratios. Low and High bound it.
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Exact tells that this is a size, which has no noise.
	Exact   bool    `json:"exact"`
	Verdict Verdict `json:"verdict"`
}

const (
	// mistake is how likely any of the measured figures of one comparison is said to differ when nothing has changed.
	mistake = 0.01
	// negligible is the change below which there is no verdict. Two copies of one program can differ by that much for good, by where
	// their pages happen to lie in memory.
	negligible = 0.01
)

// MinRounds is the number of rounds from which on a comparison can find anything.
const MinRounds = 12

// Compare compares the rounds of two subjects that were measured in turns, [MinRounds] of each at least. All intervals of one comparison
// hold together, by Bonferroni's correction. Quantiles that rounds have too few values for are left out.
func Compare(before, after []Round) ([]Comparison, error) {
	var compared []Comparison
	var ratios [][]float64
	for _, m := range metrics() {
		for _, quantile := range m.compared {
			if !m.enough(before, quantile) || !m.enough(after, quantile) {
				continue
			}
			b, a := m.perRound(before, quantile), m.perRound(after, quantile)
			ratio := make([]float64, 0, len(a))
			for i := range a {
				if b[i] > 0 {
					ratio = append(ratio, a[i]/b[i])
				}
			}
			if len(ratio) < len(a) {
				continue // this system can't measure it
			}
			c := Comparison{Key: m.key, Name: m.name, Unit: m.unit, Before: quantileOf(b, 0.5), After: quantileOf(a, 0.5)}
			if len(m.compared) > 1 {
				c.Key += fmt.Sprintf("P%g", quantile*100)
				c.Name += fmt.Sprintf(" p%g", quantile*100)
			}
			compared, ratios = append(compared, c), append(ratios, ratio)
		}
	}
	for i := range compared {
		summary := median(ratios[i], 1-mistake/float64(len(compared)))
		if math.IsInf(summary.Lo, 0) {
			return nil, fmt.Errorf("compare: %d rounds are too few", len(ratios[i]))
		}
		c := &compared[i]
		c.Ratio, c.Low, c.High = summary.Center, summary.Lo, summary.Hi
		c.Verdict = verdict(c.Low, c.High)
	}
	return compared, nil
}

// verdict says something only if the whole interval does. All figures are better when they are less.
func verdict(low, high float64) Verdict {
	switch {
	case low > 1+negligible:
		return Worse
	case high < 1-negligible:
		return Better
	}
	return NoDifference
}

// compareSize compares sizes in bytes, by which every byte counts.
func compareSize(key, name string, before, after int64) Comparison {
	c := Comparison{Key: key, Name: name, Unit: Bytes, Before: float64(before), After: float64(after), Exact: true, Verdict: NoDifference}
	c.Ratio = c.After / c.Before
	c.Low, c.High = c.Ratio, c.Ratio
	switch {
	case after > before:
		c.Verdict = Worse
	case after < before:
		c.Verdict = Better
	}
	return c
}
