//go:build linux

// Command slim measures bootstraps side by side as processes: from exec to the first request for an event (init), from exec to the first
// response, processor time and peak memory until then, and the time from an event to its response once it is warm. Golden projects and the
// peers in Rust are built here, run in turns, and compared by their medians. It talks to 127.0.0.1 only, but for what Go and Cargo fetch,
// and stops by itself.
//
// Usage: go run ./bench/slim [-runs 50] [-publish]
//
// With -publish each of them puts an event on a bus in each invocation, over TLS to an endpoint here. Its certificate is signed by an
// authority made for the run, which is one more beside Amazon's in the golden projects, and in the system's bundle for the peers.
//
// Nobody is measured who does less: Cognito's rules are applied to the first response, and each invocation must put its event.
//
// Responses are awaited by system calls that block, in one thread: what a server in Go does between an event and its response would take
// longer than the functions themselves. Whatever belongs to this one measurement is here; nothing of it is part of golam.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/golam-cli/golam/internal/cognito"
)

func main() { os.Exit(start(os.Args[1:], os.Stdout, os.Stderr)) }

func start(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := bench(ctx, args, stdout, stderr); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// subject is a bootstrap that is measured, under a name.
type subject struct {
	name   string
	golden string // the golden project's name; a crate has none
	// crate is the folder of a crate, below the repository, and feature what it is built with.
	crate, feature string
	path           string // of the bootstrap
	samples        []sample
}

// candidates are what is compared, the one first that ratios are to.
func candidates(publish bool) []*subject {
	if publish {
		return []*subject{
			{name: "Rust, SDK's defaults", crate: "bench/peers/rust-eventbridge", feature: "defaults"},
			{name: "Rust, lean", crate: "bench/peers/rust-eventbridge", feature: "lean"},
			{name: "golam, official", golden: "sam-eventbridge"},
			{name: "golam, slim", golden: "sam-eventbridge-slim"},
		}
	}
	return []*subject{
		{name: "Rust, threads", crate: "bench/peers/rust-customizer"},
		{name: "Rust, one thread", crate: "bench/peers/rust-customizer", feature: "one-thread"},
		{name: "golam, official", golden: "sam"},
		{name: "golam, slim", golden: "sam-slim"},
	}
}

// sample is what one run took.
type sample struct {
	initialized, first, cpu, warm time.Duration
	firstMemory, warmMemory       int // KiB
}

const (
	maxRuns  = 1000
	patience = 10 * time.Second // for one request; the slowest takes a tenth of a second
)

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("slim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	runs := flags.Int("runs", 50, "how often each bootstrap is started")
	warm := flags.Int("warm", 300, "events after the first one of each run")
	publish := flags.Bool("publish", false, "measure those that publish to EventBridge")
	root := flags.String("root", ".", "the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *runs < 1 || *runs > maxRuns || *warm < 1 || *warm > maxRuns {
		return fmt.Errorf("use flags alone, with from 1 to %d runs and warm events", maxRuns)
	}
	event, err := os.ReadFile(filepath.Join(*root, "golden/sam/events/token-customizer/authentication.json"))
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "golam-slim-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var events *bus
	var env []string
	var trusted []byte
	if *publish {
		if events, err = startBus(folder); err != nil {
			return err
		}
		defer events.close()
		env, trusted = events.env, events.authority.PEM()
	}
	var subjects []*subject
	for i, s := range candidates(*publish) {
		if missing := s.missing(); missing != "" {
			fmt.Fprintf(stderr, "%s: not measured, because %s\n", s.name, missing)
			continue
		}
		subjects = append(subjects, s)
		if err := s.build(ctx, *root, filepath.Join(folder, strconv.Itoa(i)), trusted); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	runtime.LockOSThread()
	for run := range *runs + 1 {
		for _, i := range rand.Perm(len(subjects)) {
			if err := ctx.Err(); err != nil {
				return err
			}
			s, before := subjects[i], events.count()
			taken, err := s.run(ctx, env, event, *warm)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if arrived := events.count() - before; *publish && arrived != *warm+1 {
				return fmt.Errorf("%s: %d events of %d invocations arrived, so there is nothing to measure", s.name, arrived, *warm+1)
			}
			if run > 0 { // the first reads the files from the disk
				s.samples = append(s.samples, taken)
			}
		}
	}
	report(stdout, subjects)
	return nil
}

func (s *subject) run(ctx context.Context, env []string, event []byte, warm int) (taken sample, err error) {
	server, err := listen()
	if err != nil {
		return taken, err
	}
	defer server.close()
	command := exec.CommandContext(ctx, s.path)
	command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + server.address, "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=function",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_GROUP_NAME=group",
		"AWS_LAMBDA_LOG_STREAM_NAME=stream", "_HANDLER=bootstrap", "TZ=:UTC",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_SESSION_TOKEN=session",
	}, env...)
	began := time.Now()
	if err := command.Start(); err != nil {
		return taken, err
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait() // killed: how it exits tells nothing
	}()
	if err := server.expect("GET /2018-06-01/runtime/invocation/next "); err != nil {
		return taken, err
	}
	taken.initialized = time.Since(began)
	if err := server.invoke(event); err != nil {
		return taken, err
	}
	taken.first = time.Since(began)
	answer, err := server.body()
	if err != nil {
		return taken, err
	}
	if err := check(event, answer); err != nil {
		return taken, err
	}
	if taken.firstMemory, taken.cpu, err = usage(command.Process.Pid); err != nil {
		return taken, err
	}
	times := make([]time.Duration, warm)
	for i := range times {
		if err := server.accepted(); err != nil {
			return taken, err
		}
		sent := time.Now()
		if err := server.invoke(event); err != nil {
			return taken, err
		}
		times[i] = time.Since(sent)
	}
	if err := server.accepted(); err != nil {
		return taken, err
	}
	slices.Sort(times)
	taken.warm = times[len(times)/2]
	taken.warmMemory, _, err = usage(command.Process.Pid)
	return taken, err
}

// check applies Cognito's rules to a response, and looks for a claim in both tokens.
func check(event, answer []byte) error {
	outcome, err := cognito.Apply(event, answer)
	if err != nil {
		return err
	}
	if outcome.Failed() {
		return fmt.Errorf("Cognito would refuse the response: %v", outcome.Findings) //nolint:staticcheck // a name
	}
	for _, token := range []*cognito.Token{outcome.IDToken, outcome.AccessToken} {
		if claim, _ := token.Claim("tenant_id"); string(claim.Value) != `"acme-42"` {
			return fmt.Errorf("a token has %q as tenant_id", claim.Value)
		}
	}
	return nil
}

// usage returns the peak of a process's resident memory in KiB, and the time that its threads have run.
func usage(pid int) (memory int, cpu time.Duration, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return 0, 0, errors.New("the process has ended") // a zombie has no memory
	}
	if memory, err = strconv.Atoi(strings.Fields(rest)[0]); err != nil {
		return 0, 0, err
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, 0, err
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		ran, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(ran)
	}
	return memory, cpu, nil
}

// server is the other end of a bootstrap's connections to the Runtime API. A runtime on several threads may open more than one.
type server struct {
	address         string
	listener, epoll int
	connection      int // the one that the last request came on
	connections     []int
	buffer          []byte
	request         []byte // the last one, in the buffer
	out             []byte
}

func listen() (*server, error) {
	s := &server{connection: -1, buffer: make([]byte, 1<<20)}
	var err error
	if s.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	if s.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if err := syscall.Bind(s.listener, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, err
	}
	if err := syscall.Listen(s.listener, 8); err != nil {
		return nil, err
	}
	name, err := syscall.Getsockname(s.listener)
	if err != nil {
		return nil, err
	}
	s.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	return s, s.watch(s.listener)
}

func (s *server) watch(fd int) error {
	return syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (s *server) close() {
	for _, fd := range append(s.connections, s.listener, s.epoll) {
		_ = syscall.Close(fd)
	}
}

// wait returns a descriptor that has something to read.
func (s *server) wait() (int, error) {
	var events [1]syscall.EpollEvent
	for {
		n, err := syscall.EpollWait(s.epoll, events[:], int(patience.Milliseconds()))
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, fmt.Errorf("nothing comes for %s", patience)
		}
		return int(events[0].Fd), nil
	}
}

// expect reads one request and wants it to begin so.
func (s *server) expect(start string) error {
	for read := 0; ; {
		fd, err := s.wait()
		if err != nil {
			return fmt.Errorf("await %s: %w", start, err)
		}
		if fd == s.listener {
			connection, _, err := syscall.Accept4(fd, syscall.SOCK_CLOEXEC)
			if err != nil {
				return err
			}
			s.connections = append(s.connections, connection)
			if err := syscall.SetsockoptInt(connection, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
				return err
			}
			if err := s.watch(connection); err != nil {
				return err
			}
			continue
		}
		n, err := syscall.Read(fd, s.buffer[read:])
		switch {
		case err != nil:
			return fmt.Errorf("await %s: %w", start, err)
		case n == 0: // closed: nothing more comes from it
			if err := syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_DEL, fd, nil); err != nil {
				return err
			}
			continue
		}
		s.connection = fd
		if read += n; complete(s.buffer[:read]) {
			if !bytes.HasPrefix(s.buffer[:read], []byte(start)) {
				return fmt.Errorf("await %s, got %.300q", start, s.buffer[:read])
			}
			s.request = s.buffer[:read]
			return nil
		}
		if read == len(s.buffer) {
			return errors.New("the request is too long")
		}
	}
}

// body is that of the last request.
func (s *server) body() ([]byte, error) {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.request)))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(request.Body)
}

// complete tells that a request is here as a whole.
func complete(request []byte) bool {
	head, body, found := bytes.Cut(request, []byte("\r\n\r\n"))
	if !found {
		return false
	}
	lower := bytes.ToLower(head)
	if _, rest, found := bytes.Cut(lower, []byte("content-length: ")); found {
		digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
		length, err := strconv.Atoi(string(digits))
		return err == nil && len(body) >= length
	}
	return !bytes.Contains(lower, []byte("transfer-encoding: chunked")) || bytes.HasSuffix(body, []byte("0\r\n\r\n"))
}

// invoke answers a request for an event and awaits the response to it.
func (s *server) invoke(event []byte) error {
	s.out = fmt.Appendf(s.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"+
		"Lambda-Runtime-Deadline-Ms: %d\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:function\r\n"+
		"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\nContent-Length: %d\r\n\r\n",
		time.Now().Add(4*time.Second).UnixMilli(), len(event))
	if err := s.write(append(s.out, event...)); err != nil {
		return err
	}
	return s.expect("POST /2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response ")
}

// accepted answers a response and awaits the request for the next event.
func (s *server) accepted() error {
	if err := s.write([]byte("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")); err != nil {
		return err
	}
	return s.expect("GET /2018-06-01/runtime/invocation/next ")
}

func (s *server) write(text []byte) error {
	for len(text) > 0 {
		n, err := syscall.Write(s.connection, text)
		if err != nil && err != syscall.EINTR {
			return err
		}
		text = text[max(n, 0):]
	}
	return nil
}

func report(to io.Writer, subjects []*subject) {
	median := func(s *subject, of func(sample) float64) float64 {
		values := make([]float64, len(s.samples))
		for i, sample := range s.samples {
			values[i] = of(sample)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	columns := []struct {
		name string
		of   func(sample) float64
	}{
		{"init ms", func(s sample) float64 { return float64(s.initialized) / 1e6 }},
		{"first ms", func(s sample) float64 { return float64(s.first) / 1e6 }},
		{"CPU ms", func(s sample) float64 { return float64(s.cpu) / 1e6 }},
		{"warm us", func(s sample) float64 { return float64(s.warm) / 1e3 }},
		{"first KiB", func(s sample) float64 { return float64(s.firstMemory) }},
		{"warm KiB", func(s sample) float64 { return float64(s.warmMemory) }},
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "bootstrap\t")
	for _, column := range columns {
		fmt.Fprintf(table, "%s\t\t", column.name)
	}
	fmt.Fprintln(table)
	for _, s := range subjects {
		fmt.Fprintf(table, "%s\t", s.name)
		for _, column := range columns {
			value, base := median(s, column.of), median(subjects[0], column.of)
			digits := 0
			if strings.HasSuffix(column.name, "ms") {
				digits = 2
			}
			fmt.Fprintf(table, "%.*f\t%.2fx\t", digits, value, value/base)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush() // a writer that fails has nobody to tell
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("not known")
	}
	fmt.Fprintf(to, "medians of %d runs that took turns in random order; ratios are to the first; load averages %s\n", len(subjects[0].samples), bytes.TrimSpace(load))
}
