package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golam-cli/golam/internal/localhttp"
	"github.com/golam-cli/golam/internal/quotas"
)

// Config says what a Lambda serves. The zero value of every field but Functions is a sensible default.
type Config struct {
	// Functions are served side by side; their names differ.
	Functions []Function
	// Changing tells that functions come and go, with Set and Remove: there may be none at first.
	Changing bool
	// Region, "us-east-1" by default, and Account, "123456789012" by default, are what ARNs and environment variables say.
	Region, Account string
	// Log receives every line that the functions print and the lines that Lambda adds to them, one call at a time. A slow Log slows
	// down the functions. It must not call the Lambda. Nil drops the lines.
	Log func(Line)
	// Ended receives every invocation that a function was given, at the end of its invoke phase: the result, Report included, or an error.
	// Several may be received at a time. It must not call the Lambda. Nil drops them.
	Ended func(function string, result Result, err error)
	// InvokeAddress is the host:port of the Invoke API, "127.0.0.1:0" for a free port. Without a host it is 127.0.0.1. Empty means no
	// Invoke API.
	InvokeAddress string
	// Sampled makes up trace headers with Sampled=1, as Lambda does with active tracing, for invocations that come without one.
	Sampled bool
	// SharedRuntimeAPI serves all execution environments from one port and tells them apart by a path in AWS_LAMBDA_RUNTIME_API.
	// By default each one has a port of its own, because Lambda's value is a bare host:port and not every runtime takes more:
	// aws-lambda-go does, Rust's refuses it.
	SharedRuntimeAPI bool
}

// Function is a bootstrap and how Lambda would be configured to run it.
type Function struct {
	// Name has the form that Lambda allows: 1 to 64 letters, digits, hyphens and underscores.
	Name string
	// Bootstrap is the path of an executable file.
	Bootstrap string
	// Wrapper is a program that the bootstrap is run by, such as a debugger, with arguments that the path of the bootstrap is added to.
	Wrapper []string
	// Dir is the working directory and LAMBDA_TASK_ROOT; the folder of Bootstrap by default.
	Dir string
	// Handler is the value of _HANDLER, "bootstrap" by default.
	Handler string
	// Env is added to the environment variables that Lambda sets, and wins over them but for AWS_LAMBDA_RUNTIME_API. Nothing of this process's own environment
	// reaches the function, so what it needs of it (credentials, say) goes here.
	Env map[string]string
	// MemorySize in MB, 128 to 10240, 128 by default. A process group that is seen to use more is killed; on Linux only.
	MemorySize int
	// Timeout of the invoke phase, up to 15 minutes, 3 s by default.
	Timeout time.Duration
	// InitTimeout limits the init phase, 10 s by default.
	InitTimeout time.Duration
	// Concurrency is how many execution environments may exist at a time, 10 by default. Invocations beyond it are throttled.
	Concurrency int
	// Freeze stops an idle execution environment (SIGSTOP) until its next invocation, as Lambda does. Not on Windows.
	Freeze bool
	// Idle ends an execution environment that has had no invocation for so long, as Lambda does after a while. The one that was used last
	// stays ten times as long. Zero keeps them all.
	Idle time.Duration
	// BareRuntimeAPI says that the runtime takes only host:port in AWS_LAMBDA_RUNTIME_API. Where the system cannot tell whose process a
	// connection comes from, the value otherwise ends in a path that other users of this machine cannot guess.
	BareRuntimeAPI bool
	// Throttle gives each execution environment no more processor time than Lambda gives for MemorySize, in the init phase too. Where
	// that cannot be done, [CheckThrottle] says why and no invocation succeeds.
	Throttle bool
}

// Defaults of a Function, those of Lambda but for the concurrency.
const (
	DefaultMemorySize  = 128
	DefaultTimeout     = 3 * time.Second
	DefaultInitTimeout = 10 * time.Second
	DefaultConcurrency = 10
)

const (
	maxAsync    = 1 << 20                 // bytes of an event of an asynchronous invocation
	maxResponse = quotas.MaxPayload + 100 // bytes of a response: Lambda allows 100 more than for an event
	maxContext  = 3583                    // bytes of a client context in base64 (Lambda API Reference, Invoke)
	maxBodies   = 64 << 20                // bytes of responses that are being read at the same time
	version     = "$LATEST"
)

// Lambda runs functions until it is closed.
type Lambda struct {
	cfg       Config
	shared    *sharedAPI // nil if each environment has its own address
	invokeAPI *invokeServer
	groups    groups
	bodies    *localhttp.Budget // of the Runtime APIs
	// tellsPeers: the system tells whose process a connection comes from.
	tellsPeers bool

	ctx    context.Context // done: no new work, end what runs
	cancel context.CancelFunc
	force  chan struct{} // closed: end without grace

	mu        sync.Mutex
	functions map[string]*function
	closed    bool
	forced    bool
	work      sync.WaitGroup

	logMu sync.Mutex
}

// Start serves the functions of cfg until ctx is done or Close is called; Close must be called in any case. No process is started
// before the first invocation. The error lists everything that is wrong with cfg.
func Start(ctx context.Context, cfg Config) (*Lambda, error) {
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Account == "" {
		cfg.Account = "123456789012"
	}
	l := &Lambda{
		cfg: cfg, functions: make(map[string]*function), force: make(chan struct{}), bodies: localhttp.NewBudget(maxBodies), tellsPeers: canTellPeers(),
	}
	var problems []error
	if len(cfg.Functions) == 0 && !cfg.Changing {
		problems = append(problems, errors.New("no function to serve: name at least one"))
	}
	for _, f := range cfg.Functions {
		f, err := f.complete()
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if l.functions[f.Name] != nil {
			problems = append(problems, fmt.Errorf("function %q is there twice: give each its own name", f.Name))
			continue
		}
		l.functions[f.Name] = newFunction(f, l)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}

	l.ctx, l.cancel = context.WithCancel(ctx)
	if cfg.SharedRuntimeAPI {
		shared, err := l.newSharedAPI()
		if err != nil {
			l.cancel()
			return nil, err
		}
		l.shared = shared
	}
	if cfg.InvokeAddress != "" {
		api, err := newInvokeServer(l, cfg.InvokeAddress)
		if err != nil {
			l.cancel()
			l.shared.close()
			return nil, err
		}
		l.invokeAPI = api
	}
	l.work.Go(func() {
		<-l.ctx.Done()
		l.mu.Lock()
		functions := slices.Collect(maps.Values(l.functions))
		l.mu.Unlock()
		var ended sync.WaitGroup
		for _, fn := range functions {
			ended.Go(fn.reset)
		}
		ended.Wait()
	})
	return l, nil
}

// Reset makes the next invocations of a function start afresh, from what its bootstrap is then: it ends the idle execution environments
// and returns when they are gone. The others end after their invocation.
func (l *Lambda) Reset(function string) error {
	fn := l.function(function)
	if fn == nil {
		return l.notFound(function)
	}
	fn.reset()
	return nil
}

// Set adds a function, or puts it in the place of the one that has its name. Invocations that have got, or wait for, an execution
// environment of the old one end there; later ones get the new one. Gone is closed when nothing of the old one is left, or needed any
// more: neither its processes nor its bootstrap.
func (l *Lambda) Set(f Function) (gone <-chan struct{}, err error) {
	f, err = f.complete()
	if err != nil {
		return nil, err
	}
	return l.swap(f.Name, newFunction(f, l))
}

// Remove ends a function as Set does.
func (l *Lambda) Remove(function string) (gone <-chan struct{}, err error) {
	return l.swap(function, nil)
}

// swap puts a function, or none, in the place of another, or of none.
func (l *Lambda) swap(name string, fresh *function) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.ctx.Err() != nil {
		return nil, ErrClosed
	}
	old := l.functions[name]
	if fresh == nil {
		delete(l.functions, name)
	} else {
		l.functions[name] = fresh
	}
	if old == nil {
		gone := make(chan struct{})
		close(gone)
		return gone, nil
	}
	l.work.Go(old.retire)
	return old.gone, nil
}

// function gives nil if there is none of that name.
func (l *Lambda) function(name string) *function {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.functions[name]
}

// InvokeURL is the base URL of the Invoke API, "" if there is none.
func (l *Lambda) InvokeURL() string {
	if l.invokeAPI == nil {
		return ""
	}
	return l.invokeAPI.server.URL
}

// Close aborts invocations, ends every execution environment as Lambda would and frees all ports. When ctx is done first, what is
// left is killed at once. The error says that something would not die. Closing twice is fine.
func (l *Lambda) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()

	ended := make(chan struct{})
	go func() {
		l.work.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		l.mu.Lock()
		if !l.forced {
			l.forced = true
			close(l.force)
		}
		l.mu.Unlock()
		select {
		case <-ended:
		case <-time.After(killWait):
			err = fmt.Errorf("a function's process did not die within %s of SIGKILL: %w", killWait, context.Cause(ctx))
		}
	}
	l.invokeAPI.close()
	l.shared.close()
	return err
}

// killWait is how long Close waits for a process that got SIGKILL, which takes milliseconds unless the kernel holds it.
const killWait = 5 * time.Second

// spawn runs work in a goroutine that Close waits for, or reports false if the Lambda is closed.
func (l *Lambda) spawn(work func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.ctx.Err() != nil {
		return false
	}
	l.work.Go(work)
	return true
}

// complete fills in the defaults and checks the rest.
func (f Function) complete() (Function, error) {
	if !quotas.IsName(f.Name) {
		return f, fmt.Errorf("function name %q: use %s", f.Name, quotas.NameRule)
	}
	fail := func(format string, args ...any) (Function, error) {
		return f, fmt.Errorf("function %s: "+format, append([]any{f.Name}, args...)...)
	}
	var err error
	if f.Bootstrap, err = filepath.Abs(f.Bootstrap); err != nil {
		return fail("path of the bootstrap: %w", err)
	}
	info, err := os.Stat(f.Bootstrap)
	switch {
	case err != nil:
		return fail("build its bootstrap first: %w", err)
	case !info.Mode().IsRegular():
		return fail("bootstrap %s is not a regular file", f.Bootstrap)
	case runtime.GOOS != "windows" && info.Mode()&0o111 == 0:
		return fail("bootstrap %s is not executable: run chmod +x", f.Bootstrap)
	}
	if len(f.Wrapper) > 0 && !filepath.IsAbs(f.Wrapper[0]) {
		return fail("wrapper %q: give its absolute path", f.Wrapper[0])
	}
	if f.Dir == "" {
		f.Dir = filepath.Dir(f.Bootstrap)
	}
	if f.Dir, err = filepath.Abs(f.Dir); err != nil {
		return fail("path of its folder: %w", err)
	}
	if info, err := os.Stat(f.Dir); err != nil || !info.IsDir() {
		return fail("%s is not a folder", f.Dir)
	}
	for key, value := range f.Env {
		if key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(value, "\x00") {
			return fail("environment variable %q: a name has no '=', and neither name nor value a NUL byte", key)
		}
	}
	f.Env, f.Wrapper = maps.Clone(f.Env), slices.Clone(f.Wrapper)

	setDefault(&f.Handler, "bootstrap")
	setDefault(&f.MemorySize, DefaultMemorySize)
	setDefault(&f.Timeout, DefaultTimeout)
	setDefault(&f.InitTimeout, DefaultInitTimeout)
	setDefault(&f.Concurrency, DefaultConcurrency)
	if err := quotas.Check(f.MemorySize, f.Timeout); err != nil {
		return fail("%w", err)
	}
	switch {
	case f.InitTimeout < 0 || f.InitTimeout > quotas.MaxTimeout:
		return fail("init timeout of %s: use up to %s", f.InitTimeout, quotas.MaxTimeout)
	case f.Idle < 0:
		return fail("idle time of %s: use 0 or more", f.Idle)
	case f.Concurrency < 0:
		return fail("concurrency of %d: use 1 or more", f.Concurrency)
	}
	return f, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// arn is the function's ARN, unqualified.
func (l *Lambda) arn(name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", l.cfg.Region, l.cfg.Account, name)
}
