package main

import (
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
	summary := beginSummary + "\n" + p.headlines() + "\n" + endSummary
	return os.WriteFile(filepath.Join(p.root, "README.md"), slices.Concat(before, []byte(summary), after), 0o644)
}

// markdown is the whole page.
func (p page) markdown() string {
	var w strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&w, format+"\n", args...) }
	line("# Benchmarks")
	line("")
	line("`make benchmarks` writes this page, and every figure comes from one run of it. It measures processes on one machine, side by side. It does")
	line("not measure AWS: see [what these figures don't show](#what-these-figures-dont-show).")
	line("")
	line("## Summary")
	line("")
	w.WriteString(p.summary())
	for _, g := range p.groups {
		p.group(&w, g)
	}
	line("")
	line("## Packages")
	line("")
	line("![Sizes of the packages](%s)", p.link("sizes"))
	line("")
	line("`golam build` packed all of them.%s", p.unpacked())
	for _, name := range p.contents() {
		line("")
		line("![What fills the bootstrap of %s](%s)", name, p.link("contents-"+name))
	}
	if growth, err := os.ReadFile(filepath.Join(p.root, "bench/scale/growth.md")); err == nil {
		line("")
		line("## Growth")
		line("")
		line("What golam's commands take in projects of several functions.")
		line("")
		w.Write(growth)
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

// summary is a table of all peers and how golam compares with each.
func (p page) summary() string {
	var w strings.Builder
	fmt.Fprint(&w, "golam's functions as a share of what each peer takes:\n\n| golam | peer |")
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
				if peer.ours || peer.other {
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
	fmt.Fprint(&w, "\nLess is better. Figures in bold are those where golam takes more. A figure is shown only when its whole confidence interval is more than 1%\n"+
		"from parity (99% confidence for a row); = means that this run shows no difference. A warm invocation ends with its answer. Lambda also bills\n"+
		"what a function does afterwards, such as sending spans; the tables below have a column for that.\n")
	return w.String()
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
	line("Full speed: %d rounds of one cold start and %d warm invocations. The figures are medians, and for warm invocations also the 99th", p.rounds, p.invocations)
	line("percentile. \"Warm\" ends with the answer. \"Warm billed\" ends when the function is ready for the next event; Lambda rounds that up to whole")
	line("milliseconds and bills it. Load averages: %s before, %s after.", g.loads[0], g.loads[1])
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
	fmt.Fprintf(w, "\nRatios to %s. Each is the median of the ratios within single rounds, with its confidence interval:\n\n| |", ready[reference].name)
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
		line("Not measured with throttling: %s.", p.throttleProblem)
		return
	}
	line("Throttled to the CPU time that Lambda gives to %d MB: medians of %d rounds of one cold start and %d warm invocations. Load averages:", p.throttledMemory, p.throttled, p.throttledInvoked)
	line("%s before, %s after.", g.loads[1], g.loads[2])
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
	line("- Machine: %s, %d processors%s%s. Where the load averages beside a table are high, the machine was busy: trust ratios more than", p.machine.System,
		p.machine.Processors, prefixed(" of ", p.machine.Processor), prefixed(", kernel ", p.machine.Kernel))
	line("  absolute times.")
	line("- Versions: %s; %s. golam's functions and the peers in Go are built with `lambda.norpc`, `-s -w` and CGO off. Each peer in `bench/peers` has a", runtime.Version(), rustVersion())
	line("  lock file.")
	line("- `make benchmarks` took %s, including %s for building.", time.Since(p.began).Round(time.Second), p.builtBefore.Sub(p.began).Round(time.Second))
	line("- Each round starts every function once, in a new random order. A ratio is the median of the ratios within single rounds, so a machine that")
	line("  slows down for a while doesn't decide. The intervals use order statistics, and all intervals of a row hold together with 99%% confidence.")
	line("- Init: from the start of the process to its first request for an event. First response: from the start of the process to its first whole answer.")
	line("  CPU: user and system time of the process. Peak memory: resident memory at the end of all invocations of an execution environment.")
	line("  Times are taken where bytes leave for the function and arrive from it, so they do not include the work of golam's own server.")
	line("- Before measuring, each function answers one event, and the answer must satisfy Cognito's rules: claims in both tokens, groups intact. The bus")
	line("  and the collector count what arrives, throttled rounds included. Anything missing is listed below the table.")
	line("- Every function logs one line of JSON per invocation. The lines of the peers in Rust have no timestamp; the others do. golam's functions")
	line("  that publish events log a second line, which CloudWatch turns into metrics.")
	line("- The peer with OpenTelemetry uses the same OpenTelemetry version as golam, 1.47, with `otellambda` v0.69.0, which was made for 1.44.")
	line("- TLS: golam's functions embed Amazon's root certificates, plus the benchmark's own for this run. All others find the benchmark's certificate in")
	line("  a file of %d roots, which also holds the system's. `SSL_CERT_FILE` names that file, and `SSL_CERT_DIR` its folder, which holds nothing else.", p.roots)
	line("  This matches Amazon Linux 2023, where Go reads the file and then every file of the folder.")
	line("")
	line("To reproduce it you need Go, Python 3 and, for Rust, Cargo:")
	line("")
	line("```sh")
	line("make benchmarks")
	line("```")
	line("")
	line("## What these figures don't show")
	line("")
	line("- AWS's Init Duration. It includes starting the microVM, downloading the package and starting extensions, and Graviton is another processor.")
	line("  Differences of a millisecond are small beside that.")
	line("- Lambda's CPU during the init phase. Throttling here limits CPU time throughout, while Lambda gives small functions more during init.")
	line("- Pauses between invocations. Here one follows another at once, so a throttled invocation may wait for CPU time that the previous one used. On")
	line("  Lambda this happens only to a busy function.")
	line("- Work after the answer, in the columns for warm invocations. Lambda bills it: golam sends spans after the answer, the peer before it. The column")
	line("  of billed times includes both.")
	line("- A network. Everything runs on 127.0.0.1; a real PutEvents takes milliseconds that no language saves.")
	line("- The fastest possible peers. They are small and fair, not tuned to the last byte. Improvements are welcome.")
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
