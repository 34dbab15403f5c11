package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/golam-cli/golam/internal/benchmark"
)

const beginSummary, endSummary = "<!-- Written by make benchmarks. -->\n", "<!-- End of what make benchmarks writes. -->\n"

// readme returns what comes before and after the summary in README.md.
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

// headlines is the summary in README.md: one line for each of the main peers, with golam's functions beside it.
func (p page) headlines() string {
	var w strings.Builder
	fmt.Fprintf(&w, "Measured beside functions that do the same work, as a share of what the peer takes, so less is better. Each figure is the median of %d\n"+
		"rounds on one machine, in which golam and its peers took turns; \"same\" means no difference that the run could show:\n\n", p.rounds)
	for _, g := range p.groups {
		ready := g.ready()
		for j, peer := range ready {
			if peer.ours || peer.other || peer.minor {
				continue
			}
			var parts []string
			for i, ours := range ready {
				if ours.ours {
					parts = append(parts, p.headline(ours, peer, p.compare(g.full[j], g.full[i])))
				}
			}
			if len(parts) > 0 {
				fmt.Fprintf(&w, "- **%s**%s: %s.\n", peer.name, does(g.key), strings.Join(parts, "; "))
			}
		}
	}
	fmt.Fprint(&w, "\n[All figures, the method, and what they don't show](docs/benchmarks.md).\n")
	return w.String()
}

// does says what the functions of a group do beside customizing tokens.
func does(group string) string {
	switch group {
	case "eventbridge":
		return " (publishing an event)"
	case "otel":
		return " (sending a span)"
	}
	return ""
}

// headline compares a function of golam's with one peer.
func (p page) headline(ours, peer *subject, comparisons map[string]benchmark.Comparison) string {
	return fmt.Sprintf("%s takes %s to the first response, %s per warm invocation, %s of the package size", ours.name,
		headlineFigure(comparisons["first"]), headlineFigure(comparisons["warmP50"]), percent(float64(ours.packed())/float64(peer.packed())))
}

func headlineFigure(c benchmark.Comparison) string {
	if standing := standing(c); standing != "=" {
		return standing
	}
	return "the same"
}
