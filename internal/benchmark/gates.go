package benchmark

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/units"
)

// gate is a limit that can be put on a figure.
type gate struct {
	key, name string
	unit      Unit
	quantile  string // "p50" or "p99" of a measured figure, "" for a size
}

func gates() []gate {
	return []gate{
		{"zip", "package", Bytes, ""},
		{"bootstrap", "bootstrap", Bytes, ""},
		{"init", "init", Milliseconds, "p50"},
		{"first", "first response", Milliseconds, "p50"},
		{"warm", "warm invocation", Milliseconds, "p50"},
		{"warm-p99", "warm invocation", Milliseconds, "p99"},
		{"cpu-cold", "CPU, cold start", Milliseconds, "p50"},
		{"cpu-warm", "CPU, warm invocation", Milliseconds, "p50"},
		{"memory", "peak memory", Bytes, "p50"},
	}
}

// GateHelp describes a limit that [ParseGates] takes.
type GateHelp struct {
	Key, Help string
}

// GateHelps lists the limits.
func GateHelps() []GateHelp {
	var helps []GateHelp
	for _, g := range gates() {
		what := strings.TrimSpace(g.quantile + " of the " + g.name)
		if g.quantile == "" {
			what = "the " + g.name
		}
		example := "5ms"
		if g.unit == Bytes {
			example = "900kB"
		}
		helps = append(helps, GateHelp{g.key, fmt.Sprintf("fail if %s is more than a `LIMIT` such as %s", what, example)})
	}
	return helps
}

// Gate is a limit and, after a measurement, whether it was kept.
type Gate struct {
	Key     string  `json:"key"`
	Name    string  `json:"name"`
	Unit    Unit    `json:"unit"`
	Limit   float64 `json:"limit"`
	Value   float64 `json:"value"`
	Passed  bool    `json:"passed"`
	Problem string  `json:"problem,omitempty"` // why there is no value

	gate gate
}

// ParseGates reads limits by their keys, durations such as 5ms and sizes such as 900kB. The error lists everything that is wrong, as an
// [misuse.Error].
func ParseGates(limits map[string]string) ([]Gate, error) {
	var parsed []Gate
	var problems []string
	for _, g := range gates() {
		text, given := limits[g.key]
		if !given {
			continue
		}
		limit, err := g.parse(text)
		if err != nil {
			problems = append(problems, fmt.Sprintf("--max-%s %q: %v", g.key, text, err))
			continue
		}
		parsed = append(parsed, Gate{Key: g.key, Name: strings.TrimSpace(g.name + " " + g.quantile), Unit: g.unit, Limit: limit, gate: g})
	}
	if len(problems) > 0 {
		return nil, misuse.New("%s", strings.Join(problems, "\n"))
	}
	return parsed, nil
}

func (g gate) parse(text string) (float64, error) {
	if g.unit == Milliseconds {
		limit, err := time.ParseDuration(text)
		if err != nil || limit <= 0 {
			return 0, fmt.Errorf("use a duration such as 5ms or 1.5s")
		}
		return units.Milliseconds(limit), nil
	}
	limit, err := humanize.ParseBytes(text)
	// The library takes commas for separators of thousands, so 2,5MB would be 25.
	if err != nil || limit == 0 || strings.Contains(text, ",") || !strings.HasSuffix(strings.ToLower(text), "b") {
		return 0, fmt.Errorf("use a size such as 900kB, 2.5MB or 64MiB")
	}
	return float64(limit), nil
}

// check holds a function against the limit.
func (g Gate) check(f Function) Gate {
	switch g.Key {
	case "zip":
		g.Value = float64(f.Zip)
	case "bootstrap":
		g.Value = float64(f.Bootstrap)
	default:
		i := slices.IndexFunc(f.Figures, func(figure Figure) bool { return figure.Name == g.gate.name })
		switch {
		case i < 0:
			g.Problem = "it can't be measured on this system"
			return g
		case g.gate.quantile == "p99" && f.Figures[i].P99 == nil:
			g.Problem = fmt.Sprintf("%d values are too few for a p99: raise --runs or --invocations", f.Figures[i].Count)
			return g
		case g.gate.quantile == "p99":
			g.Value = *f.Figures[i].P99
		default:
			g.Value = f.Figures[i].P50
		}
	}
	g.Passed = g.Value <= g.Limit
	return g
}
