// Command local puts load on the Invoke API of the local Lambda, with 1, 8 and 64 clients, and prints throughput, latency, answers that
// were lost or went to the wrong client, and what the server uses. It talks to 127.0.0.1 only and stops by itself.
//
// Three kinds of process take part, all of this program: the clients, the server that is measured, and the function that it runs.
// Whatever belongs to this one measurement is here; nothing of it is part of golam.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"time"
)

func main() {
	os.Exit(start(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// roleVariable tells a child of this program what it is.
const roleVariable = "GOLAM_BENCH_ROLE"

func start(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		err = bench(ctx, args, stdout, stderr)
	case "server":
		err = serve(ctx, stdin, stdout)
	case "function":
		err = function(ctx, os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	default:
		err = fmt.Errorf("%s=%s: there is no such role", roleVariable, role)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

const maxDuration = 10 * time.Minute

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	duration := flags.Duration("duration", 20*time.Second, "how long each number of clients goes on, 10m at most")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *duration <= 0 || *duration > maxDuration {
		return fmt.Errorf("use -duration alone, with up to %s", maxDuration)
	}
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s on %s/%s, %d CPUs, %s for each number of clients\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *duration)
	results, err := measure(ctx, server, *duration)
	if err = errors.Join(err, server.stop()); ctx.Err() != nil {
		return ctx.Err()
	}
	printTable(stdout, results)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.lost > 0 || r.crossed > 0 {
			return fmt.Errorf("%d clients: %d lost, %d crossed; the first: %w", r.clients, r.lost, r.crossed, r.failure)
		}
	}
	return nil
}

func printTable(w io.Writer, results []result) {
	fmt.Fprintln(w, "                                                               resident MB                  open files")
	fmt.Fprintln(w, "clients  invocations   per s   p50 ms   p99 ms  lost  crossed  before  warm   end  after    before  warm   end  after")
	for _, r := range results {
		fmt.Fprintf(w, "%7d  %11d  %6.0f  %7.3f  %7.3f  %4d  %7d  %6.1f  %4.1f  %4.1f  %5.1f    %6d  %4d  %4d  %5d\n",
			r.clients, r.invocations, float64(r.invocations)/r.took.Seconds(), milliseconds(r.p50), milliseconds(r.p99), r.lost, r.crossed,
			megabytes(r.before.Resident), megabytes(r.warm.Resident), megabytes(r.end.Resident), megabytes(r.after.Resident),
			r.before.Files, r.warm.Files, r.end.Files, r.after.Files)
	}
	fmt.Fprintln(w, `
Resident memory and open files are the server's, which is golam without the function: before the load, after 20 invocations of each client,
at the end, and after the environments have ended and the clients have hung up. 0: not measured, for want of /proc.`)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
