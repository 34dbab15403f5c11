package benchmark

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/golam-cli/golam/internal/units"
)

// WriteText writes a result as tables for people.
func (r Result) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s, %d processors%s, load %s, %s", r.Machine.System, r.Machine.Processors, before(r.Machine.Processor, " of "),
		orUnknown(r.Machine.LoadAverages), r.Go)
	concurrently := ""
	if r.Concurrency > 1 {
		concurrently = fmt.Sprintf(", %d at a time", r.Concurrency)
	}
	p.line("%d cold starts, %d warm invocations after each%s", r.Rounds, r.Invocations, concurrently)
	for _, f := range r.Functions {
		p.line("")
		p.function(r, f)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	_, err := fmt.Fprintf(p.w, strings.TrimRight(format, " ")+"\n", args...)
	p.err = errors.Join(p.err, err)
}

// table aligns rows of cells, all columns but the first to the right.
func (p *printer) table(rows [][]string) {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		fmt.Fprintf(table, "%-*s\t%s\t\n", width, row[0], strings.Join(row[1:], "\t"))
	}
	p.err = errors.Join(p.err, table.Flush())
	for line := range strings.Lines(text.String()) {
		p.line("%s", strings.TrimRight(strings.TrimPrefix(line, "  "), " \n"))
	}
}

func (p *printer) function(r Result, f Function) {
	speed := "at this machine's full speed"
	switch {
	case r.Throttled:
		speed = fmt.Sprintf("throttled to what %d MB give", f.MemorySize)
	case r.ThrottleProblem != "":
		speed += ", not throttled:\n" + r.ThrottleProblem
	}
	p.line("%s, %s", f.Name, speed)
	p.line("package for %s: %s, bootstrap %s", f.Arch, units.Megabytes(f.Zip), units.Megabytes(f.Bootstrap))
	p.line("")
	rows := [][]string{{"", "median", "95% interval", "p90", "p99", "max"}}
	for _, figure := range f.Figures {
		interval, p99 := "-", "-"
		if figure.Low != nil {
			interval = number(*figure.Low, figure.Unit) + " - " + number(*figure.High, figure.Unit)
		}
		if figure.P99 != nil {
			p99 = number(*figure.P99, figure.Unit)
		}
		rows = append(rows, []string{
			figure.Name + " " + unitName(figure.Unit), number(figure.P50, figure.Unit), interval, number(figure.P90, figure.Unit), p99,
			number(figure.Max, figure.Unit),
		})
	}
	p.table(rows)
	p.line("")
	p.line("cost of a million invocations at %d MB: $%.3f, with a cold start each $%.3f", f.Cost.MemorySize, f.Cost.PerMillion,
		f.Cost.PerMillionCold)
	p.line("  %s", f.Cost.Formula)
	p.line("  %s", f.Cost.Prices)
	throttled := ""
	if r.Throttled {
		throttled = " (throttled)"
	}
	p.line("  durations of this machine's processor%s, invoked without a", throttled)
	p.line("  pause; Lambda's differ")
	p.comparisons(f)
	p.gates(f)
}

func (p *printer) comparisons(f Function) {
	if f.Comparisons == nil && f.Incomparable == "" {
		return
	}
	p.line("")
	if f.Incomparable != "" {
		p.line("warning: %s", f.Incomparable)
	}
	if f.Comparisons == nil {
		p.line("the baseline's package is for another processor: there is nothing to compare")
		return
	}
	rows := [][]string{{"beside the baseline", "before", "now", "ratio", "interval", ""}}
	for _, c := range f.Comparisons {
		interval := "exact"
		if !c.Exact {
			interval = fmt.Sprintf("%.3f - %.3f", c.Low, c.High)
		}
		rows = append(rows, []string{
			c.Name + " " + unitName(c.Unit), number(c.Before, c.Unit), number(c.After, c.Unit), fmt.Sprintf("%.3f", c.Ratio), interval,
			string(c.Verdict),
		})
	}
	p.table(rows)
	p.line("")
	p.line("ratio: median of the ratios of single rounds, in which both programs ran in turns. All")
	p.line("intervals hold together with %g%% confidence; below %g%% there is no verdict.", 100*(1-mistake), 100*negligible)
}

func (p *printer) gates(f Function) {
	if len(f.Gates) > 0 {
		p.line("")
	}
	for _, g := range f.Gates {
		switch {
		case g.Problem != "":
			p.line("FAIL  --max-%s: %s", g.Key, g.Problem)
		case g.Passed:
			p.line("pass  %s: %s of %s", g.Name, amount(g.Value, g.Unit), amount(g.Limit, g.Unit))
		default:
			p.line("FAIL  %s: %s, and %s is the limit", g.Name, amount(g.Value, g.Unit), amount(g.Limit, g.Unit))
		}
	}
}

// number writes a figure in the unit of unitName.
func number(value float64, unit Unit) string {
	if unit == Bytes {
		return fmt.Sprintf("%.2f", value/1e6)
	}
	switch {
	case value < 1:
		return fmt.Sprintf("%.3f", value)
	case value < 100:
		return fmt.Sprintf("%.2f", value)
	}
	return fmt.Sprintf("%.0f", value)
}

func unitName(unit Unit) string {
	if unit == Bytes {
		return "MB"
	}
	return string(unit)
}

func amount(value float64, unit Unit) string { return number(value, unit) + " " + unitName(unit) }

func before(text, prefix string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}
