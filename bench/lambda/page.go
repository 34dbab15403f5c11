package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/golam-cli/golam/internal/benchmark"
	"github.com/golam-cli/golam/internal/chart"
)

// page is docs/benchmarks.md.
type page struct {
	settings
	machine         benchmark.Machine
	throttleProblem string
	roots           int // certificates in the file that SSL_CERT_FILE names
	groups          []measuredGroup
}

const picturesFolder = "docs/pictures/benchmarks"

// write replaces the page, its pictures and the summary in README.md.
func (p page) write() error {
	before, after, err := p.readme()
	if err != nil {
		return err
	}
	folder := filepath.Join(p.root, picturesFolder)
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if _, err := benchmark.WritePictures(folder, p.pictures()); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.root, "docs/benchmarks.md"), []byte(p.markdown()), 0o644); err != nil {
		return err
	}
	summary := beginSummary + "\n" + p.summary(true) + "\n" + endSummary
	return os.WriteFile(filepath.Join(p.root, "README.md"), slices.Concat(before, []byte(summary), after), 0o644)
}

const beginSummary, endSummary = "<!-- Written by make benchmarks. -->\n", "<!-- End of what make benchmarks writes. -->\n"

// readme is what stands before and after the summary in README.md.
func (s settings) readme() (before, after []byte, err error) {
	content, err := os.ReadFile(filepath.Join(s.root, "README.md"))
	if err != nil {
		return nil, nil, err
	}
	before, rest, found := bytes.Cut(content, []byte(beginSummary))
	_, after, closed := bytes.Cut(rest, []byte(endSummary))
	if !found || !closed {
		return nil, nil, fmt.Errorf("README.md has no place for the summary: add the line %q and the line %q", beginSummary, endSummary)
	}
	return before, after, nil
}

// markdown is the whole page.
func (p page) markdown() string {
	var w strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&w, format+"\n", args...) }
	line("# Benchmarks")
	line("")
	line("Written by `make benchmarks`; every figure is of that run. It measures processes on one machine, side by side. It does not measure AWS:")
	line("see [what this does not say](#what-this-does-not-say).")
	line("")
	line("## Where golam wins, ties and loses")
	line("")
	w.WriteString(p.summary(false))
	for _, g := range p.groups {
		p.group(&w, g)
	}
	line("")
	line("## Packages")
	line("")
	line("![Sizes of the packages](%s)", p.link("sizes"))
	line("")
	line("All are packed as `golam build` packs them.%s", p.unpacked())
	for _, name := range p.contents() {
		line("")
		line("![What fills the bootstrap of %s](%s)", name, p.link("contents-"+name))
	}
	p.method(&w)
	return w.String()
}

// unpacked says of whom there is no package for one of the architectures.
func (p page) unpacked() string {
	var text string
	for _, arch := range []struct {
		name string
		size func(*subject) int64
	}{
		{"x86_64", func(s *subject) int64 { return s.zip }},
		{"arm64", func(s *subject) int64 { return s.zipARM }},
	} {
		var names []string
		for _, g := range p.groups {
			for _, s := range g.ready() {
				if arch.size(s) == 0 && !slices.Contains(names, s.name) {
					names = append(names, s.name)
				}
			}
		}
		if len(names) > 0 {
			text += fmt.Sprintf(" Not built for %s here: %s.", arch.name, strings.Join(names, "; "))
		}
	}
	return text
}

func (p page) link(name string) string {
	return strings.TrimPrefix(picturesFolder, "docs/") + "/" + name + ".svg"
}

// compared are the figures of a summary, by their keys in a comparison.
var compared = []struct{ key, name string }{
	{"first", "first response"}, {"cpuCold", "CPU of a cold start"}, {"warmP50", "warm invocation"}, {"cpuWarm", "warm CPU"}, {"memory", "peak memory"},
}

// summary is a table of the peers and how golam stands beside each. The short one has the main ones of the peers.
func (p page) summary(short bool) string {
	var w strings.Builder
	fmt.Fprint(&w, "What golam's function takes, of what its peer takes:\n\n| golam | beside |")
	for _, c := range compared {
		fmt.Fprintf(&w, " %s |", c.name)
	}
	fmt.Fprint(&w, " package |\n|"+strings.Repeat(" --- |", len(compared)+3)+"\n")
	for _, g := range p.groups {
		ready := g.ready()
		for i, ours := range ready {
			if !ours.ours {
				continue
			}
			for j, peer := range ready {
				if peer.ours || peer.other || short && peer.minor {
					continue
				}
				what := ours.name
				if g.key != "customizer" {
					what += map[string]string{"eventbridge": ", events", "otel": ", OpenTelemetry"}[g.key]
				}
				fmt.Fprintf(&w, "| %s | %s |", what, peer.name)
				comparisons := p.compare(g.full[j], g.full[i])
				for _, c := range compared {
					fmt.Fprintf(&w, " %s |", standing(comparisons[c.key]))
				}
				fmt.Fprintf(&w, " %s |\n", percent(float64(ours.packed())/float64(peer.packed())))
			}
		}
	}
	text := "\nLess is better everywhere; where golam takes more, the figure is bold. A figure is there only if the whole of its interval is more than\n" +
		"1% to one side, with 99% confidence for a row; = means that this run shows no difference. An invocation is to its answer: what a function\n" +
		"does afterwards, as golam's sends its spans, is billed too, and is in the column of billed times of all figures.\n"
	if short {
		text += fmt.Sprintf("Medians of %d rounds in turns on one machine: [all figures, the method, and what they do not say](docs/benchmarks.md).\n", p.rounds)
	}
	return w.String() + text
}

// standing says how golam stands beside a peer in one figure.
func standing(c benchmark.Comparison) string {
	switch {
	case c.Key == "":
		return "not measured"
	case c.Verdict == benchmark.NoDifference:
		return "="
	}
	return percent(c.Ratio)
}

func percent(ratio float64) string {
	if ratio > 1 {
		return fmt.Sprintf("**%.0f%%**", 100*ratio)
	}
	return fmt.Sprintf("%.0f%%", 100*ratio)
}

// packed is the size of the package for this machine's processor.
func (s *subject) packed() int64 {
	if runtime.GOARCH == "arm64" {
		return s.zipARM
	}
	return s.zip
}

// compare gives comparisons by key.
func (p page) compare(before, after []benchmark.Round) map[string]benchmark.Comparison {
	byKey := map[string]benchmark.Comparison{}
	comparisons, err := benchmark.Compare(before, after)
	if err != nil {
		return byKey // too few rounds, which the flags rule out
	}
	for _, c := range comparisons {
		byKey[c.Key] = c
	}
	return byKey
}

func (p page) group(w *strings.Builder, g measuredGroup) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("")
	line("## %s", g.title)
	line("")
	line("%s", g.about)
	line("")
	line("At full speed, %d rounds of one cold start and %d warm invocations; medians, and the 99th percentile of warm invocations. Warm is to the", p.rounds, p.invocations)
	line("answer; warm billed until the function is ready for the next event, which Lambda rounds up to whole milliseconds and bills. Load")
	line("averages %s before and %s after.", g.loads[0], g.loads[1])
	line("")
	line("| | init ms | first response ms | CPU of both ms | peak MB | warm ms | warm p99 ms | warm billed ms | warm CPU ms | zip kB x86_64 | zip kB arm64 |")
	line("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |")
	ready := g.ready()
	for i, s := range ready {
		f := figures(g.full[i])
		line("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |", s.name, f.median("init", 1), f.median("first", 1), f.median("cpuCold", 1),
			f.median("memory", 1e6), f.median("warm", 1), f.p99("warm"), billed(g.full[i]), f.median("cpuWarm", 1), kilobytes(s.zip), kilobytes(s.zipARM))
	}
	line("")
	for _, s := range g.subjects {
		if s.problem != "" {
			line("- %s: not measured, because %s.", s.name, s.problem)
			continue
		}
		line("- %s: %s.", s.name, s.note)
	}
	for _, missing := range g.missing {
		line("- %s.", missing)
	}
	if len(ready) > 1 {
		line("")
		line("![Distribution of first responses](%s)", p.link("first-"+g.key))
		p.ratios(w, g)
	}
	p.slow(w, g)
}

// ratios compares everybody with the first of golam's.
func (p page) ratios(w *strings.Builder, g measuredGroup) {
	ready := g.ready()
	reference := slices.IndexFunc(ready, func(s *subject) bool { return s.ours })
	if reference < 0 {
		return
	}
	fmt.Fprintf(w, "\nRatios to %s, each the median of the ratios of single rounds, with its interval:\n\n| |", ready[reference].name)
	for _, c := range compared {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprint(w, "\n|"+strings.Repeat(" --- |", len(compared)+1)+"\n")
	for i, s := range ready {
		if i == reference {
			continue
		}
		fmt.Fprintf(w, "| %s |", s.name)
		comparisons := p.compare(g.full[reference], g.full[i])
		for _, c := range compared {
			if found, ok := comparisons[c.key]; ok {
				fmt.Fprintf(w, " %.2f (%.2f - %.2f) |", found.Ratio, found.Low, found.High)
			} else {
				fmt.Fprint(w, " not measured |")
			}
		}
		fmt.Fprintln(w)
	}
}

// slow is the table of the throttled rounds.
func (p page) slow(w *strings.Builder, g measuredGroup) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("")
	if g.slow == nil {
		line("Not measured throttled: %s.", p.throttleProblem)
		return
	}
	line("Throttled to what %d MB give, %d rounds of one cold start and %d warm invocations; medians. Load averages", p.throttledMemory, p.throttled, p.throttledInvoked)
	line("%s before and %s after.", g.loads[1], g.loads[2])
	line("")
	line("| | init ms | first response ms | CPU of both ms | warm ms | warm billed ms | warm CPU ms |")
	line("| --- | --: | --: | --: | --: | --: | --: |")
	for i, s := range g.ready() {
		f := figures(g.slow[i])
		line("| %s | %s | %s | %s | %s | %s | %s |", s.name, f.median("init", 1), f.median("first", 1), f.median("cpuCold", 1), f.median("warm", 1),
			billed(g.slow[i]), f.median("cpuWarm", 1))
	}
	for i, missing := range g.slowMissing {
		if i == 0 {
			line("")
		}
		line("- %s.", missing)
	}
}

// billed is the median of what Lambda bills for warm invocations, before it rounds.
func billed(rounds []benchmark.Round) string {
	var phases []time.Duration
	for _, round := range rounds {
		for _, sample := range round {
			for _, invocation := range sample.Warm {
				phases = append(phases, invocation.Phase)
			}
		}
	}
	if len(phases) == 0 {
		return "-"
	}
	slices.Sort(phases)
	return fmt.Sprintf("%.3g", float64(phases[len(phases)/2])/float64(time.Millisecond))
}

type figureSet []benchmark.Figure

func figures(rounds []benchmark.Round) figureSet { return benchmark.Figures(rounds) }

func (f figureSet) find(key string) (benchmark.Figure, bool) {
	i := slices.IndexFunc(f, func(figure benchmark.Figure) bool { return figure.Key == key })
	if i < 0 {
		return benchmark.Figure{}, false
	}
	return f[i], true
}

func (f figureSet) median(key string, by float64) string {
	figure, ok := f.find(key)
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.3g", figure.P50/by)
}

func (f figureSet) p99(key string) string {
	figure, ok := f.find(key)
	if !ok || figure.P99 == nil {
		return "-"
	}
	return fmt.Sprintf("%.3g", *figure.P99)
}

func kilobytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%d", (n+500)/1000)
}

// contents names the projects whose bootstraps are drawn.
func (p page) contents() []string {
	var names []string
	for _, g := range p.groups {
		for _, s := range g.ready() {
			if s.ours && g.key == "customizer" && len(s.parts) > 0 {
				names = append(names, filepath.Base(s.dir))
			}
		}
	}
	return names
}

func (p page) pictures() []benchmark.Picture {
	var pictures []benchmark.Picture
	var bars []chart.Bar
	for _, g := range p.groups {
		var subjects []benchmark.FirstResponse
		for i, s := range g.ready() {
			subjects = append(subjects, benchmark.FirstResponse{Name: plain(s.name), Ours: s.ours, Rounds: g.full[i]})
			bar := chart.Bar{Group: g.title, Name: plain(s.name), Value: float64(s.packed()), Label: kilobytes(s.packed())}
			if !s.ours {
				bar.Color = 1
			}
			bars = append(bars, bar)
			if g.key == "customizer" && s.ours && len(s.parts) > 0 {
				name := filepath.Base(s.dir)
				pictures = append(pictures, benchmark.Contents("contents-"+name, name+": what fills the bootstrap (arm64)", s.parts))
			}
		}
		if len(subjects) > 1 {
			pictures = append(pictures, benchmark.FirstResponses("first-"+g.key, g.title, subjects))
		}
	}
	sizes := chart.Bars("Packages for this machine's processor", "kB, zipped; golam's in blue, the peers' in orange", bars)
	return append(pictures, benchmark.Picture{Name: "sizes", SVG: sizes})
}

// plain is a name without the marks of Markdown.
func plain(name string) string { return strings.ReplaceAll(name, "`", "") }

func (p page) method(w *strings.Builder) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("")
	line("## Machine and method")
	line("")
	line("- %s, %d processors%s%s. Load averages stand with each table: the machine was not idle if they are high, and then", p.machine.System,
		p.machine.Processors, prefixed(" of ", p.machine.Processor), prefixed(", kernel ", p.machine.Kernel))
	line("  absolute times are worth little and ratios much.")
	line("- %s; %s; `lambda.norpc`, `-s -w`, CGO off for golam and the peers in Go, each peer with its lock file in `bench/peers`.", runtime.Version(), rustVersion())
	line("- `make benchmarks` took %s, of which building %s.", time.Since(p.began).Round(time.Second), p.builtBefore.Sub(p.began).Round(time.Second))
	line("- In each round everybody is started once, in a new random order. A ratio is the median of the ratios of single rounds, so what slows the")
	line("  machine down for a while does not decide. Its interval is by order statistics, and all intervals of a row hold together with 99%% confidence.")
	line("- Init: from the start of the process to its first request for an event. First response: to the first whole answer. CPU: user and")
	line("  system time of the process. Peak memory: resident, at the end of all invocations of an environment. Times are taken where bytes leave for")
	line("  the function and come from it, so the work of golam's own server is not in them.")
	line("- Before it is measured everybody is asked once, and Cognito's rules are applied to the answer: claims in both tokens, groups intact. What")
	line("  arrives at the bus and the collector is counted, throttled too; where something is missing, it stands below the table.")
	line("- Everybody logs one line of JSON for an invocation. That of the peers in Rust has no time in it, which the others' have. golam's functions")
	line("  that publish events log a second line, which CloudWatch turns into metrics of what was published.")
	line("- The peer with OpenTelemetry uses golam's version of it, 1.47, with `otellambda` v0.69.0, which was made for 1.44.")
	line("- TLS: golam's functions carry Amazon's roots, and for this benchmark its own among them; everybody else finds it in a file of %d roots,", p.roots)
	line("  the system's and its own. `SSL_CERT_FILE` names it, and `SSL_CERT_DIR` its folder, which has nothing else: as on Amazon Linux 2023, where")
	line("  Go reads the file and then all files of the folder.")
	line("")
	line("Reproduce it, with Go, Python 3 and, for Rust, Cargo:")
	line("")
	line("```sh")
	line("make benchmarks")
	line("```")
	line("")
	line("## What this does not say")
	line("")
	line("- Not AWS's Init Duration, which has the start of the microVM, the download of the package and an extension in it, and on Graviton another")
	line("  processor. Differences of a millisecond are small beside that.")
	line("- Throttling limits processor time alone, in the init phase too, while AWS gives more in the init phase of small functions.")
	line("- Warm invocations follow one another without a pause, so a throttled one may wait for the time that the one before has used. On Lambda")
	line("  that happens to a busy function alone.")
	line("- A warm invocation ends with its answer, which is what a user waits for. Lambda bills what follows too: golam sends spans after the answer,")
	line("  the peer before it, and the column of billed times has both.")
	line("- The network is 127.0.0.1: a real PutEvents takes milliseconds that no language saves.")
	line("- The peers are small and honest, not tuned to the last byte; whoever can make one better is invited to.")
}

// rustVersion says which compiler built the peers.
func rustVersion() string {
	output, err := exec.Command("rustc", "--version").Output() //nolint:noctx // it takes no time
	if err != nil {
		return "no Rust"
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(output)), " (")
	return version
}
