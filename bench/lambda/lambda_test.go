package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/benchmark"
	"github.com/golam-cli/golam/internal/build"
)

func TestGroupOfGoldenProject(t *testing.T) {
	groups := map[string][]string{}
	for _, variant := range kinds.All().Golden() {
		spec, err := kinds.All().Resolve(variant.Answers, variant.Functions...)
		if err != nil {
			t.Fatal(err)
		}
		if key := groupOf(spec.Answers()); key != "" {
			groups[key] = append(groups[key], variant.Name)
		}
	}
	want := map[string][]string{
		"customizer":  {"sam", "sam-slim"},
		"eventbridge": {"sam-eventbridge", "sam-eventbridge-slim"},
		"otel":        {"sam-otlp", "sam-otlp-slim"},
		"both":        {"sam-eventbridge-otlp", "sam-eventbridge-otlp-slim"},
	}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("golden projects in groups (-want +got):\n%s", diff)
	}
}

// TestCheckTokens: nobody is measured who does less.
func TestCheckTokens(t *testing.T) {
	event, err := os.ReadFile("../../golden/sam/events/token-customizer/authentication.json")
	if err != nil {
		t.Fatal(err)
	}
	const claims = `{"claimsToAddOrOverride":{"tenant_id":"acme-42","plan":"gold","roles":["admins","billing"]}}`
	answer := func(details string) []byte {
		return []byte(strings.Replace(string(event), `"claimsAndScopeOverrideDetails": null`, `"claimsAndScopeOverrideDetails": `+details, 1))
	}
	good := `{"idTokenGeneration":` + claims + `,"accessTokenGeneration":` + claims
	if err := checkTokens(event, answer(good+"}")); err != nil {
		t.Error(err)
	}
	for name, details := range map[string]string{
		"nothing":        `null`,
		"one token":      `{"idTokenGeneration":` + claims + `}`,
		"another tenant": strings.ReplaceAll(good, "acme-42", "acme") + "}",
		"no groups":      good + `,"groupOverrideDetails":{}}`,
		"a reserved one": strings.Replace(good, `"plan":`, `"sub":"x","plan":`, 1) + "}",
	} {
		if err := checkTokens(event, answer(details)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if err := checkTokens(event, []byte("{}")); err == nil {
		t.Error("an empty answer passes")
	}
	if err := checkGreeting(nil, []byte(`{"body":"Hello"}`)); err == nil {
		t.Error("a greeting of nobody passes")
	}
}

// measured makes rounds with a steady first response and noise-free figures.
func measured(d time.Duration) []benchmark.Round {
	rounds := make([]benchmark.Round, 40)
	for i := range rounds {
		rounds[i] = benchmark.Round{{
			Init: d, First: 2 * d, CPU: d, Memory: 5 << 20, Warm: []benchmark.Invocation{{Duration: d, CPU: d, Phase: 3 * d / 2}},
		}}
	}
	return rounds
}

// TestMissing: nothing that does not arrive goes unseen.
func TestMissing(t *testing.T) {
	bus, collector := &service{what: "events"}, &service{what: "requests with spans"}
	s := &subject{name: "golam", services: []*service{bus, collector}}
	s.reset()
	bus.received.Add(2)
	collector.received.Add(1)
	if got := s.missing(2); len(got) != 1 || got[0] != "golam: 1 of 2 requests with spans arrived" {
		t.Errorf("missing %q", got)
	}
	if got := s.missing(1); got != nil {
		t.Errorf("missing %q", got)
	}
}

func TestOnly(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-only", "foo"}, "there is no group"},
		{[]string{"-only", "otel", "-write"}, "use one of them"},
		{[]string{"-write", "-root", t.TempDir()}, "README.md"},
	} {
		if err := run(t.Context(), c.args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, not %q", c.args, err, c.want)
		}
	}
}

func TestPage(t *testing.T) {
	g := measuredGroup{
		group: group{key: "customizer", title: "Token customizer", about: "It works.", subjects: []*subject{
			{name: "golam", note: "the golden project `sam`", ours: true, dir: "golden/sam", zip: 2_000_000, zipARM: 2_000_000, parts: []build.Part{{Name: "runtime", Bytes: 1000}}},
			{name: "Rust", note: "in Rust", zip: 500_000},
			{name: "Absent", problem: "there is no cargo on this machine"},
		}},
		missing: []string{"golam: 3 of 4 events arrived"},
		full:    [][]benchmark.Round{measured(2 * time.Millisecond), measured(time.Millisecond)},
	}
	p := page{settings: settings{rounds: 40, invocations: 1}, throttleProblem: "there are no control groups", groups: []measuredGroup{g}}
	text := p.markdown()
	for _, want := range []string{
		"| golam | Rust | **200%** | **200%** | **200%** | **200%** | = | **400%** |",
		"| golam | 2 | 4 | 2 | 5.24 | 2 | - | 3 | 2 | 2000 | 2000 |",
		"Not built for arm64 here: Rust.",
		"- golam: 3 of 4 events arrived.",
		"| Rust | 0.50 (0.50 - 0.50) |",
		"- Absent: not measured, because there is no cargo on this machine.",
		"Not measured with throttling: there are no control groups.",
		"![Distribution of first responses](pictures/benchmarks/first-customizer.svg)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "%!") {
		t.Errorf("a format went wrong:\n%s", text)
	}
	if pictures := p.pictures(); len(pictures) != 3 {
		t.Errorf("%d pictures", len(pictures))
	}
}
