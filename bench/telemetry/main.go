// Command telemetry measures what telemetry adds to an answer of the generated token customizer: warm, on the local Lambda, without
// telemetry and with endpoints that are healthy, slow, gone or hanging. Calls of all take turns in one run, and each waits until the spans
// of its predecessor are gone. It talks to 127.0.0.1 only and stops by itself. Run it in the folder of golam's repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/ports"
)

func main() {
	os.Exit(start(os.Args[1:], os.Stdout, os.Stderr))
}

func start(arguments []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := bench(ctx, arguments, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

const (
	maxRounds = 1000
	// perRound is how many calls in a round each state gets; the hanging one gets one, since each takes the 2 s of a flush.
	perRound = 10
	warmUp   = 20
)

// state is a function and what is behind it.
type state struct {
	name      string
	function  string
	rounds    int // calls in a round
	durations []time.Duration
}

func bench(ctx context.Context, arguments []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("telemetry", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rounds := flags.Int("rounds", 60, "how often all take their turns, 1000 at most; each round takes 3 s")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 || *rounds > maxRounds {
		return fmt.Errorf("use --rounds with 1 to %d, and nothing else", maxRounds)
	}
	folder, err := os.MkdirTemp("", "golam-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	event, err := os.ReadFile("golden/sam-otlp/events/token-customizer/authentication.json")
	if err != nil {
		return fmt.Errorf("run it in the folder of golam's repository: %w", err)
	}
	states, functions, stop, err := prepare(ctx, folder)
	defer stop()
	if err != nil {
		return err
	}
	lambda, err := local.Start(ctx, local.Config{Functions: functions})
	if err != nil {
		return err
	}
	err = errors.Join(measure(ctx, lambda, states, event, *rounds), lambda.Close(context.WithoutCancel(ctx)))
	if err != nil {
		return err
	}
	return report(stdout, states)
}

// prepare builds the functions and starts the endpoints.
func prepare(ctx context.Context, folder string) (states []*state, functions []local.Function, stop func(), err error) {
	var servers []*http.Server
	var refusing *ports.Port
	stop = func() {
		for _, server := range servers {
			_ = server.Close() // what is under way is of no use any more
		}
		if refusing != nil {
			_ = refusing.Close()
		}
	}
	serve := func(wait time.Duration) (string, error) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the spans
			select {
			case <-time.After(wait):
			case <-r.Context().Done():
			}
		})}
		servers = append(servers, server)
		go func() { _ = server.Serve(listener) }()
		return "http://" + listener.Addr().String(), nil
	}
	const slow, hanging = 50 * time.Millisecond, 20 * time.Second
	if refusing, err = ports.Reserve(); err != nil {
		return nil, nil, stop, err
	}
	endpoints := map[string]string{"refused": "http://" + refusing.Address, "silent": ""}
	for name, wait := range map[string]time.Duration{"healthy": 0, "slow": slow, "hanging": hanging} {
		if endpoints[name], err = serve(wait); err != nil {
			return nil, nil, stop, err
		}
	}
	bootstraps := map[string]string{}
	for name, project := range map[string]string{"none": "golden/sam", "traced": "golden/sam-otlp"} {
		if bootstraps[name], err = buildProject(ctx, project, filepath.Join(folder, name), name == "traced"); err != nil {
			return nil, nil, stop, err
		}
	}
	for _, name := range []string{"none", "silent", "healthy", "slow", "refused", "hanging"} {
		s := &state{name: name, function: name, rounds: perRound}
		function := local.Function{
			Name: name, Bootstrap: bootstraps["traced"], MemorySize: 256, Timeout: 4 * time.Second, Concurrency: 1,
			Env: map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoints[name]},
		}
		switch name {
		case "none":
			function.Bootstrap = bootstraps["none"]
		case "hanging":
			s.rounds = 1
		}
		states, functions = append(states, s), append(functions, function)
	}
	return states, functions, stop, nil
}

// buildProject builds a project's function as it is deployed, for this machine, but so that it tries to send spans in every invocation: it would
// wait after a failure.
func buildProject(ctx context.Context, project, folder string, traced bool) (string, error) {
	source := filepath.Join(folder, "project")
	if err := os.CopyFS(source, os.DirFS(project)); err != nil {
		return "", err
	}
	if traced {
		name := filepath.Join(source, "internal", "telemetry", "buffer.go")
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		const pause = "longestPause = 30 * time.Second"
		if !strings.Contains(string(content), pause) {
			return "", fmt.Errorf("%s has no %q", name, pause)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(string(content), pause, "longestPause = time.Nanosecond", 1)), 0o600); err != nil {
			return "", err
		}
	}
	host, err := build.ForHost(ctx, build.HostOptions{
		Dir: source, Function: "token-customizer", Cache: filepath.Join(folder, "cache"), Environ: os.Environ(),
	})
	return host.Bootstrap, err
}

// measure calls all functions in turns. The report of a call is there when its spans are gone.
func measure(ctx context.Context, lambda *local.Lambda, states []*state, event []byte, rounds int) error {
	call := func(s *state) (time.Duration, error) {
		result, err := lambda.Invoke(ctx, s.function, local.Invocation{Payload: event, Report: true})
		if err == nil && (result.FunctionError != "" || result.Report.ErrorType != "") {
			err = fmt.Errorf("%s: %s %s", s.name, result.Payload, result.Report.ErrorType)
		}
		return result.Duration, err
	}
	for _, s := range states {
		for range min(warmUp, 2*s.rounds) {
			if _, err := call(s); err != nil {
				return err
			}
		}
	}
	// Whoever comes after a long wait finds cold caches, so the order changes from turn to turn.
	order := slices.Clone(states)
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		for turn := range perRound {
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			for _, s := range order {
				if turn >= s.rounds {
					continue
				}
				duration, err := call(s)
				if err != nil {
					return err
				}
				s.durations = append(s.durations, duration)
			}
		}
	}
	return nil
}

func report(stdout io.Writer, states []*state) error {
	median := map[string]float64{}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "endpoint\tcalls\tmedian ms\tp90 ms\tto none ms\tto healthy ms\t")
	for _, s := range states {
		slices.Sort(s.durations)
		median[s.name] = milliseconds(s.durations[len(s.durations)/2])
	}
	for _, s := range states {
		fmt.Fprintf(table, "%s\t%d\t%.3f\t%.3f\t%+.3f\t%+.3f\t\n", s.name, len(s.durations), median[s.name],
			milliseconds(s.durations[len(s.durations)*9/10]), median[s.name]-median["none"], median[s.name]-median["healthy"])
	}
	return table.Flush()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
