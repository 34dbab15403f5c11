package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

// official and raw are the bootstraps of testdata/functions.
var official, raw string

func TestMain(m *testing.M) {
	if mark := os.Getenv("GOLAM_TEST_ABANDON"); mark != "" {
		abandon(mark, os.Args[1])
	}
	dir, err := os.MkdirTemp("", "golam-local-")
	if err == nil {
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	official, raw = filepath.Join(dir, "official"), filepath.Join(dir, "raw")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func build(dir string) error {
	cmd := exec.Command("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w",
		"-o", dir+string(filepath.Separator), "./...")
	cmd.Dir = filepath.Join("testdata", "functions")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the test functions: %w\n%s", err, out)
	}
	return nil
}

// abandon runs a function until this process is killed.
func abandon(mark, bootstrap string) {
	key, value, _ := strings.Cut(mark, "=")
	l, err := Start(context.Background(), Config{
		Functions: []Function{{Name: "fn", Bootstrap: bootstrap, Handler: "hang", Timeout: time.Minute, Env: map[string]string{key: value}}},
		Log:       LogTo(os.Stdout),
	})
	if err == nil {
		_, err = l.Invoke(context.Background(), "fn", Invocation{})
	}
	fmt.Println(err)
	os.Exit(1)
}

// testLambda is a Lambda under test that leaves nothing behind.
type testLambda struct {
	*Lambda
	t    *testing.T
	mark string // an environment variable, "KEY=value", that only its functions have

	mu    sync.Mutex
	lines []Line
}

// start starts a Lambda and, at the end of the test, closes it and looks for leftovers.
func start(t *testing.T, cfg Config) *testLambda {
	t.Helper()
	mark := "GOLAM_TEST=" + newUUID()
	nothingLeft := testkit.Leftovers(t, mark)
	key, value, _ := strings.Cut(mark, "=")
	for i := range cfg.Functions {
		f := &cfg.Functions[i]
		if f.Env == nil {
			f.Env = make(map[string]string)
		}
		f.Env[key] = value
		setDefault(&f.Dir, t.TempDir())
	}
	l := &testLambda{t: t, mark: mark}
	cfg.Log = func(line Line) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, line)
	}
	var err error
	if l.Lambda, err = Start(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", l.log())
		}
		nothingLeft()
		if url := l.InvokeURL(); url != "" {
			requirePortFree(t, strings.TrimPrefix(url, "http://"))
		}
	})
	return l
}

// one starts a Lambda with one function, named fn.
func one(t *testing.T, bootstrap, handler string, change ...func(*Config, *Function)) *testLambda {
	t.Helper()
	cfg := Config{Functions: []Function{{Name: "fn", Bootstrap: bootstrap, Handler: handler}}}
	for _, c := range change {
		c(&cfg, &cfg.Functions[0])
	}
	return start(t, cfg)
}

func timeout(d time.Duration) func(*Config, *Function) {
	return func(_ *Config, f *Function) { f.Timeout = d }
}

func initTimeout(d time.Duration) func(*Config, *Function) {
	return func(_ *Config, f *Function) { f.InitTimeout = d }
}

func concurrency(n int) func(*Config, *Function) {
	return func(_ *Config, f *Function) { f.Concurrency = n }
}

// invoke invokes fn and waits for the report.
func (l *testLambda) invoke(payload string) Result {
	l.t.Helper()
	return l.invokeWith(Invocation{Payload: []byte(payload), Report: true})
}

func (l *testLambda) invokeWith(in Invocation) Result {
	l.t.Helper()
	result, err := l.Invoke(l.t.Context(), "fn", in)
	if err != nil {
		l.t.Fatalf("invoke: %v", err)
	}
	return result
}

// log is what has been logged, without what differs from run to run.
func (l *testLambda) log() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.lines {
		b.Write(line.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

func (l *testLambda) logLines() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// requireLog fails the test unless the log gets to have all the texts.
func (l *testLambda) requireLog(texts ...string) {
	l.t.Helper()
	for _, text := range texts {
		testkit.Eventually(l.t, fmt.Sprintf("the log has %q", text), func() bool { return strings.Contains(l.log(), text) })
	}
}

// requirePortFree wants this process to listen at the address no more. Another process may have taken the port by now.
func requirePortFree(t *testing.T, address string) {
	t.Helper()
	if listensAt(t, address) {
		t.Errorf("%s still listens", address)
	}
}

// requireFailure checks a function error.
func requireFailure(t *testing.T, r Result, errorType, message string) {
	t.Helper()
	var got errorBody
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatalf("payload %q: %v", r.Payload, err)
	}
	want := errorBody{errorType, message}
	if r.FunctionError != "Unhandled" || got != want {
		t.Errorf("got function error %q, payload %s, want %+v", r.FunctionError, r.Payload, want)
	}
}

func requirePayload(t *testing.T, r Result, want string) {
	t.Helper()
	if r.FunctionError != "" || string(r.Payload) != want {
		t.Errorf("got function error %q, payload %s, want payload %s", r.FunctionError, bytes.TrimSpace(r.Payload), want)
	}
}
