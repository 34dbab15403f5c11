// Command firstcall measures what the first sign-in of an execution environment waits for when it publishes an event over real TLS:
// golden projects beside a function that uses the AWS SDK as its documentation shows it. Runs are interleaved; everything stays on the
// loopback, and stops by itself.
//
// The endpoint's certificate is signed by an authority made for the run. It is one more beside Amazon's in the golden projects, and in the
// system's bundle for the peer, which reads it from a file and its folder as it would on Amazon Linux 2023.
//
// Nobody is measured who does less: Cognito's rules are applied to the first answer of each, and each invocation must put its event.
//
// Usage: go run ./bench/firstcall [-runs 50]
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/authority"
	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/goldenproject"
	"github.com/golam-cli/golam/internal/local"
)

const maxRuns = 1000

func main() {
	os.Exit(start())
}

func start() int {
	runs := flag.Int("runs", 50, "execution environments of each function, 1000 at most")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *runs, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "firstcall:", err)
		return 1
	}
	return 0
}

// contender is a function in the comparison.
type contender struct {
	name string
	// source is the folder of its module. A golden project has none until it is built.
	source string
}

// samples are what was measured of a contender, a value for each run.
type samples struct {
	init, first, sum []float64 // milliseconds
	memory           []float64 // MB at the end of the first invocation
}

const peer = "SDK, LoadDefaultConfig"

// contenders are the peer and every golden project that publishes with SAM. The CDK's have the same functions.
func contenders(root string) []contender {
	found := []contender{{name: peer, source: filepath.Join(root, "bench/peers/go-eventbridge")}}
	for _, variant := range kinds.All().Golden() {
		if variant.Answers["iac"] == "sam" && variant.Answers["eventbridge"] == "true" {
			found = append(found, contender{name: variant.Name})
		}
	}
	return found
}

func bench(ctx context.Context, runs int, out io.Writer) error {
	if flag.NArg() > 0 || runs < 1 || runs > maxRuns {
		return fmt.Errorf("use -runs alone, with 1 to %d", maxRuns)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	event, err := os.ReadFile(filepath.Join(root, "internal/invoke/examples/cognito/v2-authentication.json"))
	if err != nil {
		return fmt.Errorf("run it in the repository's root: %w", err)
	}
	functions := contenders(root)
	folder, err := os.MkdirTemp("", "firstcall-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // below the system's temporary folder

	certifier, err := authority.New()
	if err != nil {
		return err
	}
	endpoint, err := serve(certifier)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	trust, err := certifier.Trust(folder)
	if err != nil {
		return err
	}
	if trust.Roots == 1 {
		return errors.New("this system has no bundle of authorities where Linux and macOS keep it, which the peer would read")
	}
	env := map[string]string{
		"AWS_ENDPOINT_URL_EVENTBRIDGE": strings.Replace(endpoint.URL, "127.0.0.1", "localhost", 1), "EVENT_BUS_NAME": "tokens",
		"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_SESSION_TOKEN": "bench", "AWS_LAMBDA_LOG_FORMAT": "JSON",
	}
	maps.Copy(env, trust.Env)
	var config local.Config
	for i, function := range functions {
		bootstrap, err := function.build(ctx, folder, certifier.PEM())
		if err != nil {
			return fmt.Errorf("building %s: %w", function.name, err)
		}
		config.Functions = append(config.Functions, local.Function{
			Name: name(i), Bootstrap: bootstrap, MemorySize: 256, Timeout: 4 * time.Second, Env: env,
			BareRuntimeAPI: true, // which is all that Rust's runtime takes
		})
	}
	lambda, err := local.Start(ctx, config)
	if err != nil {
		return err
	}
	measured, err := measure(ctx, lambda, endpoint, event, functions, runs)
	if err = errors.Join(err, lambda.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	load, _ := os.ReadFile("/proc/loadavg") // not on every system
	fmt.Fprintf(out, "%s on %s/%s, %d CPUs, load %.4s; medians of %d runs each, in turns in random order\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load, runs)
	return printTable(out, functions, measured)
}

func name(i int) string { return fmt.Sprintf("function-%d", i) }

// build makes the bootstrap for this machine by the one recipe. A golden project trusts what is in its roots.pem first, so it gets one root more.
func (c contender) build(ctx context.Context, folder string, trusted []byte) (string, error) {
	source, function := c.source, ""
	if source == "" {
		source, function = filepath.Join(folder, c.name), "token-customizer"
		if err := goldenproject.Write(ctx, c.name, source); err != nil {
			return "", err
		}
		name := filepath.Join(source, "internal/platform/awsroots/roots.pem")
		own, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(name, append(own, trusted...), 0o600); err != nil {
			return "", err
		}
	}
	host, err := build.ForHost(ctx, build.HostOptions{
		Dir: source, Function: function, Cache: filepath.Join(folder, "cache"), Environ: os.Environ(),
	})
	return host.Bootstrap, err
}

// measure starts an execution environment of each function in turn, and gives it one event.
func measure(ctx context.Context, lambda *local.Lambda, endpoint *endpoint, event []byte, functions []contender, runs int) ([]samples, error) {
	measured := make([]samples, len(functions))
	for run := range runs + 1 {
		for _, i := range rand.Perm(len(functions)) {
			function, before := functions[i], endpoint.received.Load()
			result, err := lambda.Invoke(ctx, name(i), local.Invocation{Payload: event, Report: true})
			switch {
			case err != nil:
				return nil, err
			case result.FunctionError != "":
				return nil, fmt.Errorf("%s fails: %s", function.name, result.Payload)
			case !result.Cold:
				return nil, fmt.Errorf("%s was not started afresh", function.name)
			case endpoint.received.Load() != before+1:
				return nil, fmt.Errorf("%s published %d events, not one", function.name, endpoint.received.Load()-before)
			}
			if err := lambda.Reset(name(i)); err != nil {
				return nil, err
			}
			if run == 0 { // reads the files from the disk
				if err := check(event, result.Payload); err != nil {
					return nil, fmt.Errorf("%s: %w: %s", function.name, err, result.Payload)
				}
				continue
			}
			m := &measured[i]
			m.init = append(m.init, milliseconds(result.InitDuration))
			m.first = append(m.first, milliseconds(result.Duration))
			m.sum = append(m.sum, milliseconds(result.InitDuration+result.Duration))
			m.memory = append(m.memory, float64(result.Report.MaxMemory)/1e6)
		}
	}
	return measured, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func printTable(out io.Writer, functions []contender, measured []samples) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "function\tinit ms\tfirst answer ms\tof the peer's\tboth ms\tof the peer's\tMB\t")
	for i, function := range functions {
		m := measured[i]
		fmt.Fprintf(table, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t\n", function.name, median(m.init), median(m.first),
			median(m.first)/median(measured[0].first), median(m.sum), median(m.sum)/median(measured[0].sum), median(m.memory))
	}
	return table.Flush()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// check applies Cognito's rules to an answer, and looks for a claim in both tokens.
func check(event, answer []byte) error {
	outcome, err := cognito.Apply(event, answer)
	if err != nil {
		return err
	}
	if outcome.Failed() {
		return fmt.Errorf("Cognito would refuse it: %v", outcome.Findings) //nolint:staticcheck // a name
	}
	for _, token := range []*cognito.Token{outcome.IDToken, outcome.AccessToken} {
		if _, found := token.Claim("tenant_id"); !found {
			return errors.New("a token has no tenant_id")
		}
	}
	return nil
}

// endpoint is an EventBridge that takes everything, and counts.
type endpoint struct {
	*httptest.Server

	received atomic.Int64
}

func serve(root *authority.Authority) (*endpoint, error) {
	certificate, err := root.Sign("localhost", time.Now().Add(time.Hour))
	if err != nil {
		return nil, err
	}
	e := &endpoint{}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n == 0 || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" || r.Header.Get("Authorization") == "" {
			http.Error(w, "not PutEvents", http.StatusBadRequest)
			return
		}
		e.received.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
	}))
	e.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that end with their function
	e.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	e.StartTLS()
	return e, nil
}
