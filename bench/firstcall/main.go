// Command firstcall measures what the first sign-in of an execution environment waits for when it publishes an event over real TLS:
// golden projects beside a function that uses the AWS SDK as its documentation shows it. Runs are interleaved; everything stays on the
// loopback, and stops by itself.
//
// The endpoint's certificate is signed by an authority made for the run. It takes the place of Amazon's in the golden projects, and is one
// more in the system's bundle for the peer, which reads bundle and folders as it would on Amazon Linux 2023.
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
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/golam-cli/golam/internal/authority"
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
	// source is the folder of its module, below the repository, and program its package there.
	source, program string
	golden          bool // trusts what is in internal/awsroots/roots.pem first
}

// samples are what was measured of a contender, a value for each run.
type samples struct {
	init, first, sum []float64 // milliseconds
	memory           []float64 // MB at the end of the first invocation
}

const peer = "SDK, LoadDefaultConfig"

// contenders are the peer and every golden project that publishes, SAM's once.
func contenders(root string) ([]contender, error) {
	found := []contender{{name: peer, source: filepath.Join(root, "bench/peers/go-eventbridge"), program: "."}}
	projects, err := filepath.Glob(filepath.Join(root, "golden", "sam-*eventbridge*"))
	if err != nil {
		return nil, err
	}
	for _, project := range projects {
		found = append(found, contender{name: filepath.Base(project), source: project, program: "./cmd/token-customizer", golden: true})
	}
	return found, nil
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
	functions, err := contenders(root)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "firstcall-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // below the system's temporary folder

	endpoint, trusted, err := serve()
	if err != nil {
		return err
	}
	defer endpoint.Close()
	bundle, err := systemBundle(folder, trusted)
	if err != nil {
		return err
	}
	env := map[string]string{
		"AWS_ENDPOINT_URL_EVENTBRIDGE": strings.Replace(endpoint.URL, "127.0.0.1", "localhost", 1), "EVENT_BUS_NAME": "tokens",
		"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_SESSION_TOKEN": "bench", "AWS_LAMBDA_LOG_FORMAT": "JSON",
		"SSL_CERT_FILE": bundle,
	}
	var config local.Config
	for i, function := range functions {
		bootstrap := filepath.Join(folder, fmt.Sprint(i), "bootstrap")
		if err := function.build(ctx, folder, bootstrap, trusted); err != nil {
			return fmt.Errorf("building %s: %w", function.name, err)
		}
		config.Functions = append(config.Functions, local.Function{
			Name: name(i), Bootstrap: bootstrap, MemorySize: 256, Timeout: 4 * time.Second, Env: env,
		})
	}
	lambda, err := local.Start(ctx, config)
	if err != nil {
		return err
	}
	measured, err := measure(ctx, lambda, event, functions, runs)
	if err = errors.Join(err, lambda.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	load, _ := os.ReadFile("/proc/loadavg") // not on every system
	fmt.Fprintf(out, "%s on %s/%s, %d CPUs, load %.4s; medians of %d runs each, interleaved\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load, runs)
	return printTable(out, functions, measured)
}

func name(i int) string { return fmt.Sprintf("function-%d", i) }

// build makes the bootstrap for this machine by the one recipe.
func (c contender) build(ctx context.Context, folder, bootstrap string, root []byte) error {
	source := c.source
	if c.golden {
		source = filepath.Join(folder, c.name)
		if err := os.CopyFS(source, os.DirFS(c.source)); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(source, "internal/awsroots/roots.pem"), root, 0o600); err != nil {
			return err
		}
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", bootstrap, c.program)
	command.Dir = source
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}

// measure starts an execution environment of each function in turn, and gives it one event.
func measure(ctx context.Context, lambda *local.Lambda, event []byte, functions []contender, runs int) ([]samples, error) {
	measured := make([]samples, len(functions))
	for run := range runs + 1 {
		for i, function := range functions {
			result, err := lambda.Invoke(ctx, name(i), local.Invocation{Payload: event, Report: true})
			switch {
			case err != nil:
				return nil, err
			case result.FunctionError != "":
				return nil, fmt.Errorf("%s fails: %s", function.name, result.Payload)
			case !result.Cold:
				return nil, fmt.Errorf("%s was not started afresh", function.name)
			}
			if err := lambda.Reset(name(i)); err != nil {
				return nil, err
			}
			if run == 0 {
				continue // reads the files from the disk
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

// serve starts an EventBridge that takes everything, and returns the certificate of the authority that signed its own.
func serve() (*httptest.Server, []byte, error) {
	root, err := authority.New()
	if err != nil {
		return nil, nil, err
	}
	certificate, err := root.Sign("localhost", time.Now().Add(time.Hour))
	if err != nil {
		return nil, nil, err
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that end with their function
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	return server, root.PEM(), nil
}

// systemBundle is the system's bundle of authorities with one more.
func systemBundle(folder string, root []byte) (string, error) {
	var system []byte
	for _, file := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"} {
		if content, err := os.ReadFile(file); err == nil {
			system = content
			break
		}
	}
	if system == nil {
		return "", errors.New("this system has no bundle of authorities where Linux and macOS keep it, which the peer would read")
	}
	bundle := filepath.Join(folder, "bundle.pem")
	return bundle, os.WriteFile(bundle, append(system, root...), 0o600)
}
