package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Series is a set of times in milliseconds.
type Series struct {
	// Name and the times' median are in the legend.
	Name   string
	Median float64
	Times  []float64
	Dashed bool
	// Color is an index into the palette.
	Color int
}

const (
	plotHeight = 300
	plotLeft   = margin + 50 // has room for "100%"
	plotWidth  = width - margin - 30 - plotLeft
	tickDrop   = 25 // from the axis to the base line of its labels
	lineWidth  = 2
	swatch     = 34 // the piece of a line in the legend
)

// Distribution draws which share of its times each series has spent within how long, on a logarithmic axis. The legend is below it, with a
// line for each series.
func Distribution(title, share string, all []Series) []byte {
	c := newCanvas(title)
	c.lines(wrap(share, textSize, inner), margin, textSize, quiet())
	c.y += textSize
	axis := newAxis(all)
	top, bottom := c.y, c.y+plotHeight
	for percent := 0; percent <= 100; percent += 25 {
		y := bottom - plotHeight*float64(percent)/100
		c.path(fmt.Sprintf("M%d %.1fH%d", plotLeft, y, plotLeft+plotWidth), 1, false, faint())
		c.text(plotLeft-8, y+textSize/3.0, textSize, "end", quiet(), fmt.Sprintf("%d%%", percent))
	}
	for _, tick := range axis.ticks() {
		x := axis.x(tick)
		c.path(fmt.Sprintf("M%.1f %.1fV%.1f", x, top, bottom+5), 1, false, faint())
		c.text(x, bottom+tickDrop, textSize, "middle", quiet(), number(tick))
	}
	for _, series := range all {
		if d := axis.steps(series.Times, bottom); d != "" {
			c.path(d, lineWidth, series.Dashed, colorOf(series.Color))
		}
	}
	c.y = bottom + tickDrop + textSize/2
	c.lines([]string{"milliseconds, on a logarithmic axis"}, plotLeft, textSize, quiet())
	c.y += textSize
	for _, series := range all {
		y := c.y + textSize
		c.path(fmt.Sprintf("M%d %.1fh%d", margin, y-textSize/3.0, swatch), lineWidth, series.Dashed, colorOf(series.Color))
		text := fmt.Sprintf("%s (median %.3g ms)", series.Name, series.Median)
		c.lines(wrap(text, textSize, inner-swatch-10), margin+swatch+10, textSize, ink())
	}
	return c.svg()
}

// axis is a logarithmic axis from the shortest to the longest time.
type axis struct{ low, high float64 }

// newAxis leaves out times that are not above 0, for which a logarithmic axis has no place.
func newAxis(all []Series) axis {
	a := axis{math.Inf(1), 0}
	for _, series := range all {
		for _, time := range series.Times {
			if time > 0 {
				a.low, a.high = min(a.low, time), max(a.high, time)
			}
		}
	}
	if a.high == 0 {
		return axis{1, 10}
	}
	if a.high < a.low*1.1 {
		a.low, a.high = a.low/1.05, a.high*1.05
	}
	return a
}

func (a axis) x(value float64) float64 {
	return plotLeft + plotWidth*math.Log(value/a.low)/math.Log(a.high/a.low)
}

// steps is the path of the share of the times that are at most as long. Times that fall on the same half pixel make one step.
func (a axis) steps(times []float64, bottom float64) string {
	times = slices.DeleteFunc(slices.Clone(times), func(time float64) bool { return !(time > 0) })
	slices.Sort(times)
	place := func(i int) float64 { return math.Round(2*a.x(times[i])) / 2 }
	var d strings.Builder
	for i := range times {
		if i == 0 {
			fmt.Fprintf(&d, "M%.1f %.1f", place(0), bottom)
		}
		if i+1 < len(times) && place(i+1) == place(i) {
			continue
		}
		fmt.Fprintf(&d, "H%.1fV%.1f", place(i), bottom-plotHeight*float64(i+1)/float64(len(times)))
	}
	return d.String()
}

// maxTicks are as many as a reader can use.
const maxTicks = 12

// ticks are the values to label: as many round ones as have room for their labels, up to maxTicks.
func (a axis) ticks() []float64 {
	var best []float64
	for _, candidate := range a.candidates() {
		if len(candidate) > len(best) && len(candidate) <= maxTicks && a.fit(candidate) {
			best = candidate
		}
	}
	return best
}

// candidates are sets of round values on the axis: in each decade the same digits, or multiples of a step.
func (a axis) candidates() [][]float64 {
	var all [][]float64
	for _, stride := range []int{5, 2} { // of decades
		var ticks []float64
		for exponent := exponentOf(a.low); exponent <= exponentOf(a.high); exponent++ {
			if exponent%stride == 0 {
				ticks = append(ticks, round(1, exponent))
			}
		}
		all = append(all, a.within(ticks))
	}
	for _, digits := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5, 7}, {1, 1.5, 2, 3, 4, 5, 7}} {
		var ticks []float64
		for exponent := exponentOf(a.low); exponent <= exponentOf(a.high); exponent++ {
			for _, digit := range digits {
				ticks = append(ticks, round(digit, exponent))
			}
		}
		all = append(all, a.within(ticks))
	}
	for exponent := exponentOf(a.high - a.low); exponent >= exponentOf(a.high-a.low)-1; exponent-- {
		for _, digit := range []float64{5, 2, 1} {
			step := round(digit, exponent)
			first, last := math.Ceil(a.low/step), math.Floor(a.high/step)
			if last-first >= maxTicks {
				continue
			}
			var ticks []float64
			for multiple := first; multiple <= last; multiple++ {
				ticks = append(ticks, round(digit*multiple, exponent))
			}
			all = append(all, a.within(ticks))
		}
	}
	return all
}

func exponentOf(value float64) int { return int(math.Floor(math.Log10(value))) }

// round is digits x 10^exponent, as exactly as it can be.
func round(digits float64, exponent int) float64 {
	value, _ := strconv.ParseFloat(fmt.Sprintf("%ge%d", digits, exponent), 64) // a number by its making
	return value
}

func (a axis) within(ticks []float64) []float64 {
	return slices.DeleteFunc(ticks, func(tick float64) bool { return tick < a.low || tick > a.high })
}

// fit reports whether the labels of ticks do not touch, with a space in between.
func (a axis) fit(ticks []float64) bool {
	for i := 1; i < len(ticks); i++ {
		if a.x(ticks[i])-a.x(ticks[i-1]) < (room(number(ticks[i]))+room(number(ticks[i-1])))/2+room(" ") {
			return false
		}
	}
	return true
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', 5, 64) }
