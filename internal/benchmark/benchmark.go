package benchmark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/invoke"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
)

// Options say what to measure, and how.
type Options struct {
	// Invoke says how functions are invoked: project, event, memory size, timeout, environment variables. Its Function, Address and Log
	// are not used.
	Invoke invoke.Options
	// Functions are names; all functions if there are none.
	Functions []string
	// Plan has defaults where it is zero: 30 rounds of 100 invocations, one at a time.
	Plan Plan
	// Throttle asks for no more processor time than Lambda gives for the memory size.
	Throttle bool
	// Baseline is what to compare with, or nil.
	Baseline *Baseline
	// Gates are limits to hold the functions against.
	Gates []Gate
	// Contents asks for what fills the bootstraps.
	Contents bool
	// Events gives the event of a function. If it is nil, all get that of Invoke.
	Events func(function string) ([]byte, error)
	// Progress is told what takes long; it may be nil.
	Progress func(string)
}

// Defaults and limits of a plan.
const (
	DefaultRounds      = 30
	DefaultInvocations = 100
	maxRounds          = 10_000
	maxInvocations     = 1_000_000
	maxConcurrency     = 1_000
)

// Result is what was measured.
type Result struct {
	Machine Machine `json:"machine"`
	// Go is the version that built the functions, such as go1.26.8.
	Go          string `json:"go"`
	Rounds      int    `json:"rounds"`
	Invocations int    `json:"invocations"`
	Concurrency int    `json:"concurrency"`
	// Throttled tells that the processor time was limited; ThrottleProblem why it was not although that was asked for.
	Throttled       bool       `json:"throttled"`
	ThrottleProblem string     `json:"throttleProblem,omitempty"`
	Functions       []Function `json:"functions"`
}

// Function is what was measured of one function.
type Function struct {
	Name string `json:"name"`
	// Arch is that of the package; the bootstrap that was measured is one for this machine.
	Arch string `json:"arch"`
	// Zip and Bootstrap are sizes of the package in bytes.
	Zip       int64 `json:"zipBytes"`
	Bootstrap int64 `json:"bootstrapBytes"`
	// Parts are what fills the bootstrap, the largest first.
	Parts        []build.Part `json:"parts"`
	PartsProblem string       `json:"partsProblem,omitempty"`
	MemorySize   int          `json:"memoryMB"`
	Figures      []Figure     `json:"figures"`
	Cost         Cost         `json:"cost"`
	// Comparisons are with the baseline, if there is one. Incomparable says why times and memory are not among them.
	Comparisons  []Comparison `json:"comparisons,omitempty"`
	Incomparable string       `json:"incomparable,omitempty"`
	Gates        []Gate       `json:"gates,omitempty"`

	rounds, before []Round
	program        []byte // the bootstrap that was measured
}

// Passed tells that no limit was exceeded.
func (r Result) Passed() bool {
	return !slices.ContainsFunc(r.Functions, func(f Function) bool {
		return slices.ContainsFunc(f.Gates, func(g Gate) bool { return !g.Passed })
	})
}

// Run builds functions, measures them, and compares them with the baseline. It writes nothing to the project.
//
// Errors: [misuse.Error], [FailureError], [build.GoError], the context's, and what the machine
// could not do.
func Run(ctx context.Context, options Options) (result Result, err error) {
	if err := options.check(); err != nil {
		return Result{}, err
	}
	progress := options.Progress
	if progress == nil {
		progress = func(string) {}
	}
	progress("building")
	// All are built before the first is measured, so that what is measured is what was weighed, whatever is edited meanwhile.
	weight, err := build.Weigh(ctx, build.WeighOptions{
		Options: build.Options{
			Dir: options.Invoke.Dir, Functions: options.Functions, Cache: options.Invoke.Cache, Environ: options.Invoke.Environ,
		},
		Contents: options.Contents, Host: true,
	})
	if err != nil {
		return Result{}, err
	}
	if err := options.Baseline.check(weight); err != nil {
		return Result{}, err
	}
	machine := ThisMachine() // as it is before this runs
	folder, err := os.MkdirTemp("", "golam-bench-")
	if err != nil {
		return Result{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	result = Result{
		Machine: machine, Go: weight.Go, Rounds: options.Plan.Rounds, Invocations: options.Plan.Invocations,
		Concurrency: options.Plan.Concurrency,
	}
	if options.Throttle {
		if problem := local.CheckThrottle(); problem != nil {
			result.ThrottleProblem = problem.Error()
		}
		result.Throttled = result.ThrottleProblem == ""
	}
	for _, weighed := range weight.Functions {
		run := run{options: options, weight: weight, weighed: weighed, throttled: result.Throttled, folder: folder, progress: progress}
		function, err := run.function(ctx)
		if err != nil {
			return Result{}, err
		}
		result.Functions = append(result.Functions, function)
	}
	return result, nil
}

// check finds what is not in order before anything is built, and fills in the defaults.
func (o *Options) check() error {
	if err := o.Invoke.Check(); err != nil {
		return err
	}
	plan := &o.Plan
	plan.Concurrency = max(plan.Concurrency, 1)
	if plan.Rounds == 0 {
		plan.Rounds = DefaultRounds
	}
	if plan.Invocations == 0 {
		plan.Invocations = DefaultInvocations
	}
	switch {
	case plan.Rounds < 1 || plan.Rounds > maxRounds:
		return misuse.New("%d runs: use 1 to %d", plan.Rounds, maxRounds)
	case plan.Invocations < 1 || plan.Invocations > maxInvocations:
		return misuse.New("%d invocations: use 1 to %d", plan.Invocations, maxInvocations)
	case plan.Concurrency > maxConcurrency:
		return misuse.New("a concurrency of %d: use 1 to %d", plan.Concurrency, maxConcurrency)
	case o.Baseline != nil && plan.Rounds < MinRounds:
		return misuse.New("%d runs are too few for a comparison: use %d or more", plan.Rounds, MinRounds)
	}
	return nil
}

// run is the measurement of one function.
type run struct {
	options   Options
	weight    build.Weight
	weighed   build.Weighed
	throttled bool
	folder    string
	progress  func(string)
}

func (r run) function(ctx context.Context) (Function, error) {
	name := r.weighed.Name
	host, err := r.weight.Host(r.weighed, "", r.folder)
	if err != nil {
		return Function{}, err
	}
	configured, err := r.options.Invoke.Configure(host)
	if err != nil {
		return Function{}, err
	}
	configured.Throttle = r.throttled
	event := r.options.Invoke.Event
	if r.options.Events != nil {
		if event, err = r.options.Events(name); err != nil {
			return Function{}, err
		}
	}
	function := Function{
		Name: name, Arch: r.weight.Arch, Zip: r.weighed.Zip, Bootstrap: r.weighed.Bootstrap,
		Parts: r.weighed.Parts, PartsProblem: r.weighed.PartsProblem, MemorySize: configured.MemorySize, program: r.weighed.Program,
	}
	programs, labels := [][]byte{function.program}, []string{name}
	saved := r.options.Baseline.function(name)
	if saved != nil {
		if function.Incomparable = r.options.Baseline.incomparable(); function.Incomparable == "" {
			programs, labels = append(programs, saved.Program), append(labels, "the baseline of "+name)
		}
	}
	var subjects []Subject
	for i, program := range programs {
		configured.Bootstrap = filepath.Join(r.folder, fmt.Sprintf("%s-%d", name, i), "bootstrap")
		if err := writeProgram(configured.Bootstrap, program); err != nil {
			return Function{}, err
		}
		subjects = append(subjects, Subject{Label: labels[i], Function: configured, Event: event})
	}
	plan := r.options.Plan
	plan.Progress = func(done, all int) { r.progress(fmt.Sprintf("%s: run %d of %d", name, done, all)) }
	measured, err := Measure(ctx, subjects, plan)
	if err != nil {
		return Function{}, err
	}
	function.rounds = measured[0]
	function.Figures = Figures(function.rounds)
	function.Cost = estimate(function.rounds, function.MemorySize, function.Arch)
	if saved != nil {
		function.Comparisons = r.sizes(saved)
	}
	if len(measured) > 1 {
		function.before = measured[1]
		compared, err := Compare(function.before, function.rounds)
		if err != nil {
			return Function{}, err
		}
		function.Comparisons = append(function.Comparisons, compared...)
	}
	for _, gate := range r.options.Gates {
		function.Gates = append(function.Gates, gate.check(function))
	}
	return function, nil
}

// sizes compares packages, which needs neither the same machine nor a run.
func (r run) sizes(saved *savedFunction) []Comparison {
	if saved.Arch != r.weight.Arch {
		return nil
	}
	return []Comparison{
		compareSize("zip", "package", saved.Zip, r.weighed.Zip),
		compareSize("bootstrap", "bootstrap", saved.Bootstrap, r.weighed.Bootstrap),
	}
}

func writeProgram(path string, content []byte) error {
	err := os.Mkdir(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, content, 0o700) //nolint:gosec // it is to be run, by this user
	}
	if err != nil {
		return fmt.Errorf("write the bootstrap to measure: %w", err)
	}
	return nil
}

// names joins what a baseline or a project has.
func names(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
