// Command lambda measures generated functions beside their peers (bench/peers) and writes docs/benchmarks.md with its pictures, and the
// summary in README.md.
//
// Everything that takes part in a table is built here from pinned sources, is asked once for the right answer, and is then run in turns on
// the local Lambda: at full speed, and throttled to a small memory size. What is missing on this machine is said in the page. It talks to
// 127.0.0.1 only, but for what Go, Cargo and SAM fetch to build.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/golam-cli/golam/internal/benchmark"
	"github.com/golam-cli/golam/internal/local"
)

func main() {
	os.Exit(start(os.Args[1:], os.Stdout, os.Stderr))
}

func start(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, args, stdout, stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// settings are what the command line says.
type settings struct {
	root               string // of the repository
	rounds, throttled  int
	invocations        int
	throttledMemory    int
	throttledInvoked   int
	only               string
	write              bool
	progress           io.Writer
	began, builtBefore time.Time
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	s := settings{progress: stderr, throttledMemory: local.DefaultMemorySize, began: time.Now()}
	flags := flag.NewFlagSet("lambda", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.root, "root", ".", "the repository")
	flags.IntVar(&s.rounds, "rounds", 40, "cold starts of each at full speed")
	flags.IntVar(&s.invocations, "invocations", 50, "warm invocations after each")
	flags.IntVar(&s.throttled, "throttled", 20, "throttled cold starts of each")
	flags.IntVar(&s.throttledInvoked, "throttled-invocations", 10, "warm invocations after each")
	flags.StringVar(&s.only, "only", "", "measure one group alone: "+strings.Join(groupKeys(), ", "))
	flags.BoolVar(&s.write, "write", false, "write docs/benchmarks.md, its pictures, and the summary in README.md")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || min(s.rounds, s.throttled) < benchmark.MinRounds || min(s.invocations, s.throttledInvoked) < 1 {
		return fmt.Errorf("use flags alone, with %d rounds and 1 invocation at least", benchmark.MinRounds)
	}
	switch {
	case s.only != "" && !slices.Contains(groupKeys(), s.only):
		return fmt.Errorf("there is no group %q: use one of %s", s.only, strings.Join(groupKeys(), ", "))
	case s.only != "" && s.write:
		return errors.New("-only measures one group, and -write replaces the whole page: use one of them")
	}
	root, err := filepath.Abs(s.root)
	if err != nil {
		return err
	}
	s.root = root
	if s.write { // before 20 minutes of measuring
		if _, _, err := s.readme(); err != nil {
			return err
		}
	}
	folder, err := os.MkdirTemp("", "golam-benchmarks-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	services, err := startServices(folder)
	if err != nil {
		return err
	}
	defer services.close()
	groups, err := s.findGroups(ctx, services, folder)
	if err != nil {
		return err
	}
	s.builtBefore = time.Now()
	page := page{
		machine: benchmark.ThisMachine(), settings: s, throttleProblem: throttleProblem(), roots: services.trust.Roots,
	}
	for _, group := range groups {
		measured, err := s.measure(ctx, group, page.throttleProblem == "")
		if err != nil {
			return err
		}
		page.groups = append(page.groups, measured)
	}
	if !s.write {
		_, err := io.WriteString(stdout, page.markdown())
		return err
	}
	return page.write()
}

func throttleProblem() string {
	if err := local.CheckThrottle(); err != nil {
		return err.Error()
	}
	return ""
}

// say reports what goes on.
func (s settings) say(format string, args ...any) {
	fmt.Fprintf(s.progress, "%s  %s\n", time.Since(s.began).Round(time.Second), fmt.Sprintf(format, args...))
}

// measuredGroup is a group with its rounds, in the order of the subjects that could be built.
type measuredGroup struct {
	group
	full, slow [][]benchmark.Round
	// loads are the load averages before the rounds at full speed, after them, and after the throttled ones.
	loads [3]string
	// missing and slowMissing say what did not arrive at full speed, and throttled.
	missing, slowMissing []string
}

// ready are the subjects of a group that can be measured.
func (g group) ready() []*subject {
	var ready []*subject
	for _, s := range g.subjects {
		if s.problem == "" {
			ready = append(ready, s)
		}
	}
	return ready
}

func (s settings) measure(ctx context.Context, g group, throttle bool) (measuredGroup, error) {
	measured := measuredGroup{group: g}
	measured.loads[0] = benchmark.ThisMachine().LoadAverages
	ready := g.ready()
	rounds := func(what string, rounds, invocations, memory int, throttled bool) ([][]benchmark.Round, []string, error) {
		var subjects []benchmark.Subject
		for _, subject := range ready {
			subject.reset()
			subjects = append(subjects, subject.benchmark(memory, throttled))
		}
		plan := benchmark.Plan{Rounds: rounds, Invocations: invocations, Concurrency: 1, Progress: func(done, all int) {
			if done%10 == 0 || done == all {
				s.say("%s, %s: round %d of %d", g.key, what, done, all)
			}
		}}
		taken, err := benchmark.Measure(ctx, subjects, plan)
		var missing []string
		for _, subject := range ready {
			missing = append(missing, subject.missing((rounds+1)*(invocations+1))...)
		}
		return taken, missing, err
	}
	var err error
	if measured.full, measured.missing, err = rounds("full speed", s.rounds, s.invocations, local.DefaultMemorySize*8, false); err != nil {
		return measured, err
	}
	measured.loads[1] = benchmark.ThisMachine().LoadAverages
	if throttle {
		measured.slow, measured.slowMissing, err = rounds("throttled", s.throttled, s.throttledInvoked, s.throttledMemory, true)
		measured.loads[2] = benchmark.ThisMachine().LoadAverages
	}
	return measured, err
}
