package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/httpevent"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/settings"
	"github.com/golam-cli/golam/internal/units"
)

// Options say what to watch, and how to serve it.
type Options struct {
	// Dir is a folder of the project.
	Dir string
	// Cache is the user's cache folder.
	Cache string
	// Environ are environment variables for the go command, each as "name=value".
	Environ []string
	// Address is host:port of everything that is served, [DefaultAddress] if it is empty. If that is taken, a free port is used instead;
	// one that was asked for must be free.
	Address string
	// EnvFile is a file of environment variables for the functions, as NAME=value lines, or "". It is watched.
	EnvFile string
	// Rules is a file of rules of the local event bus, or "". It is watched.
	Rules string
	// Env are environment variables for the functions. They win over those of EnvFile.
	Env map[string]string
	// Timeout and MemorySize (in MB) are those of [local.Function]. Zero is what golam.yaml says, or else Lambda's default.
	Timeout    time.Duration
	MemorySize int
	// Debugger is the absolute path of Delve, or "". With it, functions are built for debugging and run under it, one execution
	// environment each. Whoever wants to debug attaches to DebugAddress, [DefaultDebugAddress] if it is empty; a second function has the
	// next port, and so on.
	Debugger     string
	DebugAddress string
	// Poll looks at the project every half second instead of being told of changes.
	Poll bool
	// Events receives what happens, one call at a time. It must not call the Session, and holds everything up while it lasts.
	Events func(Event)
}

// Check tells all that is wrong with what was asked for, as a [misuse.Error].
func (o Options) Check() error {
	problems := []error{quotas.Check(o.MemorySize, o.Timeout)}
	_, _, err := parseAddress("--address", o.Address, DefaultAddress)
	problems = append(problems, err)
	if o.Debugger != "" {
		_, err = newDebugPorts(o.DebugAddress)
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return misuse.New("%s", err)
	}
	return nil
}

// Where watch serves by default. The port of the debugger is the one that Delve's clients try by themselves.
const (
	DefaultAddress      = "127.0.0.1:9001"
	DefaultDebugAddress = "127.0.0.1:2345"
)

// Times of the loop.
const (
	// settleTime is how long nothing must change before the project is looked at, so that all files of a save are there.
	settleTime = 20 * time.Millisecond
	// settleAtMost bounds it for whoever saves all the time.
	settleAtMost = 250 * time.Millisecond
	// retryTime is the time before another look after the machine, not the source, was at fault.
	retryTime = time.Second
	closeTime = 2 * time.Second
)

// Session keeps a project built and served until it is closed.
type Session struct {
	options Options
	live    *build.Live
	lambda  *local.Lambda
	server  *server
	notify  *notifier

	services []service
	finding  *running.Server // for other golams
	envFile  string          // the absolute path of the environment file of all functions, or ""

	ctx     context.Context
	cancel  context.CancelFunc
	ended   chan struct{} // the loop has ended
	settles chan settling
	first   chan struct{} // closed: the project has been looked at once

	events chan Event
	quit   chan struct{} // closed: no more events
	told   chan struct{} // closed: all have been received

	debug     debugPorts
	closeOnce sync.Once
	closeErr  error

	handing sync.WaitGroup // goroutines of handovers

	// Of the loop alone.
	stale    bool              // functions are to get new settings
	unread   bool              // the project as a whole could not be read
	pending  bool              // functions are out of date that the last look has not built
	notes    []string          // those of the last look at the project
	problems map[string]string // by path of a file of settings, why it could not be read the last time

	mu        sync.Mutex
	state     map[string]functionState
	handovers map[string]*handover // by function
	problem   string               // why the newest source is not what is served, or ""
	reasons   map[string]string
	uses      uses
	env       map[string]string  // of all functions
	made      bool               // golam made the project
	sizes     map[string]int     // by function, its memory in MB
	envFiles  map[string]envFile // by function, what golam.yaml names
}

// Start serves a project until ctx is done or Close is called; Close must be called in any case. It returns when the address takes
// requests; invocations wait for the first build. Errors: [misuse.Error], [build.LockedError], and what the machine
// could not do. Broken source is no error.
func Start(ctx context.Context, options Options) (_ *Session, err error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	s := &Session{
		options: options,
		ended:   make(chan struct{}), settles: make(chan settling), first: make(chan struct{}),
		events: make(chan Event, 1024), quit: make(chan struct{}), told: make(chan struct{}),
		state: map[string]functionState{}, handovers: map[string]*handover{}, reasons: map[string]string{}, uses: newUses(), sizes: map[string]int{},
		envFiles: map[string]envFile{}, problems: map[string]string{},
	}
	if s.live, err = build.OpenLive(build.LiveOptions{
		Dir: options.Dir, Cache: options.Cache, Environ: options.Environ, Debug: options.Debugger != "", Next: s.next,
	}); err != nil {
		return nil, err
	}
	live := s.live
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	s.ctx, s.cancel = context.WithCancel(ctx)
	if options.Debugger != "" {
		if s.debug, err = newDebugPorts(options.DebugAddress); err != nil {
			return nil, err
		}
	}
	if s.services, err = s.newServices(); err != nil {
		return nil, err
	}
	if s.envFile, err = absolute(options.EnvFile); err != nil {
		return nil, err
	}
	s.env, err = readEnv(s.envFile, options.Env)
	if err := errors.Join(err, s.loadServices()); err != nil {
		return nil, misuse.New("%s", err)
	}
	s.lambda, err = local.Start(s.ctx, local.Config{
		Changing: true, Sampled: true, Log: s.log, Ended: s.invocationEnded,
	})
	if err != nil {
		return nil, fmt.Errorf("start the local Lambda: %w", err)
	}
	s.finding = running.NewServer(s.status, s.waitUntilServed)
	if s.server, err = listen(s, options.Address); err != nil {
		return nil, err
	}
	var reason error
	s.notify, reason = newNotifier(options.Poll)
	if err := s.finding.Announce(live.Dir(), s.server.url); err != nil {
		return nil, err
	}
	go s.report()
	s.tell(Event{Type: EventServing, Serving: &Serving{URL: s.server.url, Root: live.Root()}})
	if s.server.moved {
		s.note("%s is taken: serving at %s instead; --address chooses another", DefaultAddress, s.server.url)
	}
	if reason != nil {
		s.notePolling(reason)
	}
	go s.run()
	return s, nil
}

// Close ends the functions, frees the port and removes what was built. Invocations under way get an error. When ctx is done first, it
// does not wait for whoever receives events. Closing twice is fine.
func (s *Session) Close(ctx context.Context) error {
	s.closeOnce.Do(func() { s.closeErr = s.close(ctx) })
	return s.closeErr
}

func (s *Session) close(ctx context.Context) error {
	s.cancel()
	<-s.ended
	s.handing.Wait()
	err := s.lambda.Close(ctx)
	err = errors.Join(err, s.release())
	close(s.quit)
	select {
	case <-s.told:
	case <-ctx.Done(): // the reader of the output has stopped reading, say
	}
	return err
}

// release frees what Start has taken.
func (s *Session) release() error {
	if s.cancel != nil {
		s.cancel()
	}
	if s.server != nil {
		s.server.close()
	}
	if s.notify != nil {
		s.notify.close()
	}
	var err error
	if s.lambda != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), closeTime)
		defer cancel()
		err = s.lambda.Close(closing)
	}
	return errors.Join(err, s.live.Close())
}

// tell passes an event on, and drops it once the session is being closed and nobody takes any more.
func (s *Session) tell(e Event) {
	e.Time = time.Now()
	select {
	case s.events <- e:
	default:
		select {
		case s.events <- e:
		case <-s.ctx.Done():
		}
	}
}

func (s *Session) report() {
	defer close(s.told)
	for {
		select {
		case e := <-s.events:
			s.options.Events(e)
		case <-s.quit:
			for len(s.events) > 0 {
				s.options.Events(<-s.events)
			}
			return
		}
	}
}

func (s *Session) note(format string, args ...any) {
	s.tell(Event{Type: EventNote, Note: fmt.Sprintf(format, args...)})
}

func (s *Session) notePolling(reason error) {
	s.note("the system does not tell of changes (%v), so the project is looked at every %s; on Linux raise "+
		"fs.inotify.max_user_watches and fs.inotify.max_user_instances", reason, pollInterval)
}

// settling is a wait for what has been saved.
type settling struct {
	function string // "" for all
	done     chan struct{}
}

// waitUntilServed returns when everything that was saved before has been looked at, and is served if it builds. With the name of a function it
// waits for that one only, which is built first.
func (s *Session) waitUntilServed(ctx context.Context, function string) error {
	if function != "" {
		defer s.await(function)()
	}
	w := settling{function: function, done: make(chan struct{})}
	select {
	case s.settles <- w:
	case <-s.ctx.Done():
		return local.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.passed(ctx, w.done)
}

// run looks at the project until the session ends.
func (s *Session) run() {
	defer close(s.ended)
	var waiting []settling
	begin := sync.OnceFunc(func() { close(s.first) })
	defer begin()
	retry, asked := false, false
	for {
		retry = s.look(retry, asked)
		s.mu.Lock()
		broken := s.problem != ""
		s.mu.Unlock()
		added, reason := s.notify.watch(scope{
			root: s.live.Root(), folders: s.live.Folders(), inputs: s.live.Inputs(), settings: s.settingsPaths(), all: broken,
		})
		if reason != nil {
			s.notePolling(reason)
		}
		begin()
		if s.ctx.Err() != nil {
			return
		}
		if added {
			s.notify.notify()
		} else {
			waiting = s.settled(waiting)
		}
		if !s.wait(&waiting, retry) {
			return
		}
		asked = len(waiting) > 0
	}
}

// settled lets those go who wait for what the last look has built, and returns the others.
func (s *Session) settled(waiting []settling) (left []settling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range waiting {
		if s.pending && (w.function == "" || s.state[w.function].Pending) {
			left = append(left, w)
		} else {
			close(w.done)
		}
	}
	return left
}

// wait returns when there is reason to look again, false at the end of the session.
func (s *Session) wait(waiting *[]settling, retry bool) bool {
	var again <-chan time.Time
	if retry {
		timer := time.NewTimer(retryTime)
		defer timer.Stop()
		again = timer.C
	}
	switch {
	case len(*waiting) > 0:
		return true
	case s.pending:
		select {
		case <-s.ctx.Done():
			return false
		case settled := <-s.settles:
			*waiting = append(*waiting, settled)
			return true
		case <-s.notify.changes: // a save is given its time even if there is still something to build
		default:
			return true
		}
	default:
		select {
		case <-s.ctx.Done():
			return false
		case settled := <-s.settles:
			*waiting = append(*waiting, settled)
			return true
		case <-again:
			return true
		case <-s.notify.changes:
		}
	}
	// The other files of a save, or of a thousand, follow.
	atMost := time.After(settleAtMost)
	for {
		quiet := time.NewTimer(settleTime)
		select {
		case <-s.ctx.Done():
			quiet.Stop()
			return false
		case <-s.notify.changes:
			quiet.Stop()
		case settled := <-s.settles:
			quiet.Stop()
			*waiting = append(*waiting, settled)
			return true
		case <-quiet.C:
			return true
		case <-atMost:
			quiet.Stop()
			return true
		}
	}
}

// look builds and swaps what has changed. Retry tells that it is to be tried again without a change: the machine was at fault, not the
// source. Again tells that this is such a try, asked that somebody waits for the outcome.
func (s *Session) look(again, asked bool) (retry bool) {
	began := time.Now()
	if asked && s.unread {
		s.live.Again() // what it lacked may be outside of the project: a network, say
	}
	s.stale = s.readSettings() || s.stale
	building, resumed := false, s.pending
	update, err := s.live.Update(s.ctx, func() {
		if !again {
			building = true
			if !resumed {
				s.tell(Event{Type: EventBuilding})
			}
		}
	})
	s.pending = update.Pending && err == nil
	if s.ctx.Err() != nil {
		return false
	}
	if err == nil {
		for _, note := range update.Notes {
			if !slices.Contains(s.notes, note) {
				s.note("%s", note)
			}
		}
		s.notes = update.Notes
	}
	s.unread = err != nil
	s.mu.Lock()
	s.made = s.live.Made()
	s.mu.Unlock()
	made := Build{}
	if err != nil {
		made.Error = s.shorten(err)
	}
	var reported []error
	reasons := map[string]string{}
	for _, f := range update.Functions {
		if f.Err != nil {
			reasons[f.Name] = s.shorten(f.Err)
			if !slices.Contains(reported, f.Err) {
				reported = append(reported, f.Err)
				made.Error = strings.TrimPrefix(made.Error+"\n"+s.shorten(f.Err), "\n")
			}
		}
	}
	swapped := s.swap(update.Functions, err != nil, reasons, &made)
	if s.ctx.Err() != nil {
		return false
	}
	if swapped == nil {
		s.stale = false
	} else {
		made.Error = strings.TrimPrefix(made.Error+"\n"+swapped.Error(), "\n")
	}
	retry = swapped != nil || slices.ContainsFunc(append(reported, err), build.MachineFault)
	if retry {
		s.live.Again()
	}
	made.Milliseconds = float64(time.Since(began)) / float64(time.Millisecond)

	s.mu.Lock()
	news := s.problem != made.Error || building || len(made.Added)+len(made.Changed)+len(made.Removed) > 0
	s.problem, s.reasons = made.Error, reasons
	functions := s.functionStates()
	s.uses.looked()
	s.mu.Unlock()
	if news {
		s.tell(Event{Type: EventBuilt, Build: &made, Functions: functions})
	}
	return retry
}

// shorten leaves out what the screen says anyway, and the folder that everything is in.
func (s *Session) shorten(err error) string {
	text := err.Error()
	if failure, ok := errors.AsType[*build.GoError](err); ok {
		text = strings.TrimSpace(failure.Output + "\n" + failure.Note)
	}
	return strings.ReplaceAll(text, s.live.Root()+string(filepath.Separator), "")
}

// status is what the session says to other golams.
func (s *Session) status() running.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return running.Status{Root: s.live.Root(), Problem: s.problem, Functions: s.functionStates()}
}

// functionStates is called with the session locked.
func (s *Session) functionStates() []running.Function {
	states := make([]running.Function, 0, len(s.state))
	for _, name := range slices.Sorted(maps.Keys(s.state)) {
		states = append(states, s.state[name].Function)
	}
	return states
}

// functionState is a function, with what it was served with last. That may be older than the newest source.
type functionState struct {
	running.Function
	bootstrap string
	serves    build.Payload
	dir       string            // the folder that it runs in
	settings  build.Settings    // what golam.yaml said about it
	variables map[string]string // of the environment file that golam.yaml names
}

// swap serves what has been built, and nothing else. Unread tells that this may not be the newest source of any function. Why something
// cannot be served is added to the reasons.
func (s *Session) swap(functions []build.Current, unread bool, reasons map[string]string, made *Build) error {
	var problems []error
	present := map[string]bool{}
	for _, f := range functions {
		present[f.Name] = true
		s.mu.Lock()
		before, known := s.state[f.Name]
		s.mu.Unlock()
		state := before
		state.Function = running.Function{
			Name: f.Name, Serving: before.Serving, Broken: f.Err != nil || unread, URL: functionURL(s.server.url, f.Name),
			Debug: s.debug.of(f.Name), Payload: f.Payload, Pending: f.Stale && !unread,
		}
		variables := s.readEnvFile(f)
		if f.Bootstrap != "" && (f.Bootstrap != before.bootstrap || s.stale || f.Dir != before.dir || f.Settings != before.settings ||
			!maps.Equal(variables, before.variables)) {
			if err := s.serve(f, before.bootstrap); err != nil {
				problems = append(problems, err)
				reasons[f.Name] = strings.TrimPrefix(reasons[f.Name]+"\n"+err.Error(), "\n")
				state.Broken = true
			} else {
				state.Serving, state.bootstrap, state.serves = true, f.Bootstrap, f.Payload
				state.dir, state.settings, state.variables = f.Dir, f.Settings, variables
				if known && before.Serving {
					made.Changed = append(made.Changed, f.Name)
				} else {
					made.Added = append(made.Added, f.Name)
				}
			}
		}
		if state.Serving && state.bootstrap == f.Bootstrap && f.Err == nil && !f.Stale {
			// The build is the newest source's, and so is the format, which golam.yaml may choose without another build.
			state.serves = f.Payload
		}
		if said := describePayload(f.Payload); said != "" && f.Payload != before.Payload {
			s.note("%s %s", f.Name, said)
		}
		s.mu.Lock()
		s.state[f.Name] = state
		s.mu.Unlock()
	}
	s.mu.Lock()
	var removed []functionState
	for name, state := range s.state {
		if !present[name] {
			removed = append(removed, state)
			delete(s.state, name)
			delete(s.envFiles, name)
		}
	}
	s.mu.Unlock()
	for _, state := range removed {
		made.Removed = append(made.Removed, state.Name)
		if !state.Serving {
			continue
		}
		if err := s.end(state); err != nil {
			problems = append(problems, err)
		}
	}
	slices.Sort(made.Removed)
	return errors.Join(problems...)
}

// describePayload says how a function gets HTTP requests, "" if that is the usual way and nobody has asked for it.
func describePayload(p build.Payload) string {
	from := map[string]string{
		build.PayloadV1: "a REST API (payload 1.0)", build.PayloadV2: "an HTTP API or a function URL (payload 2.0)", build.PayloadALB: "a load balancer",
	}[p.Format]
	if p.Reason == "" || p.Format == build.PayloadV2 && !p.Configured {
		return ""
	}
	return fmt.Sprintf("gets HTTP requests as from %s: %s", from, p.Reason)
}

// serve puts a build in the place of the one before.
func (s *Session) serve(f build.Current, before string) error {
	if s.options.Debugger != "" {
		return s.handOver(f.Name, &f, before) // the port of the debugger must be free first
	}
	gone, err := s.lambda.Set(s.function(f))
	if err != nil {
		return fmt.Errorf("serve %s: %w", f.Name, err)
	}
	if before != f.Bootstrap {
		s.forget(before, gone)
	}
	return nil
}

// end ends a function that is there no more.
func (s *Session) end(f functionState) error {
	if s.options.Debugger != "" {
		return s.handOver(f.Name, nil, f.bootstrap)
	}
	gone, err := s.lambda.Remove(f.Name)
	if err != nil {
		return fmt.Errorf("end %s: %w", f.Name, err)
	}
	s.forget(f.bootstrap, gone)
	return nil
}

// forget removes a build when nothing needs it any more.
func (s *Session) forget(bootstrap string, gone <-chan struct{}) {
	if bootstrap == "" {
		return
	}
	go func() {
		select {
		case <-gone:
			s.live.Forget(bootstrap)
		case <-s.ended: // everything is removed
		}
	}()
}

// function says how to run a build.
func (s *Session) function(f build.Current) local.Function {
	s.mu.Lock()
	given := settings.Given{Timeout: s.options.Timeout, MemorySize: s.options.MemorySize, Env: s.env}
	variables, made := s.envFiles[f.Name].variables, s.made
	timeout, memorySize := given.Limits(f.Settings)
	s.sizes[f.Name] = memorySize
	s.mu.Unlock()
	function := local.Function{
		Name: f.Name, Bootstrap: f.Bootstrap, Dir: f.Dir, Env: given.Environment(variables, made, s.options.Environ),
		Timeout: timeout, MemorySize: memorySize, Concurrency: concurrency, Idle: idleTime,
	}
	s.setVariables(function.Env)
	if s.options.Debugger != "" {
		const patience = 15 * time.Minute
		function.Timeout, function.InitTimeout, function.Concurrency, function.MemorySize = patience, patience, 1, quotas.MaxMemory
		function.Idle = 0 // breakpoints are set in it
		function.Wrapper = []string{
			s.options.Debugger, "exec", "--headless", "--listen=" + s.debug.of(f.Name), "--api-version=2", "--accept-multiclient",
			"--continue", "--check-go-version=false",
		}
	}
	return function
}

const (
	concurrency = 100
	idleTime    = time.Minute
)

func (s *Session) log(line local.Line) {
	s.tell(Event{Type: EventLog, Log: &Log{
		Function: line.Function, RequestID: line.RequestID, Platform: line.Platform, Text: strings.ToValidUTF8(string(line.Text), "�"),
	}})
}

// maxShown is the size in bytes up to which a response is part of an event.
const maxShown = 64 << 10

func (s *Session) invocationEnded(function string, result local.Result, err error) {
	invocation := Invocation{
		Function: function, RequestID: result.RequestID, TraceID: result.TraceID, Cold: result.Cold, Init: units.Milliseconds(result.InitDuration),
	}
	if report := result.Report; report != nil {
		invocation.Duration, invocation.Billed, invocation.MaxMemory = units.Milliseconds(report.Duration), report.BilledDuration.Milliseconds(), report.MaxMemory
	}
	s.mu.Lock()
	invocation.MemorySize = s.sizes[function]
	s.mu.Unlock()
	switch {
	case err != nil:
		invocation.Error = &FunctionError{Type: "Golam", Message: err.Error()}
	case result.FunctionError != "":
		invocation.Error = &FunctionError{}
		_ = json.Unmarshal(result.Payload, invocation.Error)
	case result.Report != nil && result.Report.ErrorType != "":
		invocation.Error = &FunctionError{Type: result.Report.ErrorType, Message: "after the answer"}
	case len(result.Payload) <= maxShown && json.Valid(result.Payload):
		invocation.Response = result.Payload
	}
	s.tell(Event{Type: EventInvocation, Invocation: &invocation})
}

// deliver invokes a function with an event of a service, in the background.
func (s *Session) deliver(function string, event []byte, traceHeader string) {
	go func() {
		_, err := s.Invoke(s.ctx, function, local.Invocation{Payload: event, TraceID: traceHeader})
		if err != nil && s.ctx.Err() == nil {
			s.note("an event was not delivered to %s: %v", function, err)
		}
	}()
}

// Invoke runs an event through a function as it is served now. It waits for the first build.
func (s *Session) Invoke(ctx context.Context, function string, in local.Invocation) (local.Result, error) {
	if err := s.ready(ctx, function); err != nil {
		return local.Result{}, err
	}
	return s.lambda.Invoke(ctx, function, in)
}

// byHost finds a function by the name of a host, in which capital letters are small ones, and the format of its HTTP requests. It waits until
// the function is served, if it builds.
func (s *Session) byHost(ctx context.Context, name string) (function string, format httpevent.Format, err error) {
	if err := s.passed(ctx, s.first); err != nil {
		return "", "", err
	}
	s.mu.Lock()
	if _, known := s.state[name]; !known {
		for _, f := range s.functionStates() {
			if strings.EqualFold(f.Name, name) {
				name = f.Name
				break
			}
		}
	}
	s.mu.Unlock()
	if err := s.ready(ctx, name); err != nil {
		return "", "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return name, httpevent.Format(s.state[name].serves.Format), nil
}

// passed waits until a channel is closed.
func (s *Session) passed(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return local.ErrClosed
	}
}

// ready waits for the first build, and for a handover, and says why a function is not served.
func (s *Session) ready(ctx context.Context, function string) error {
	if err := s.passed(ctx, s.first); err != nil {
		return err
	}
	waits := false
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.state[function]; known {
		s.uses.use(function)
	}
	for {
		var done <-chan struct{}
		if h := s.handovers[function]; h != nil {
			done = h.done
		} else if state := s.state[function]; state.Pending && !state.Serving {
			done = s.uses.next
			if !waits {
				waits = true
				s.uses.waited[function]++
				defer s.uses.leave(function)
			}
		}
		if done == nil {
			break
		}
		s.mu.Unlock()
		err := s.passed(ctx, done)
		s.mu.Lock()
		if err != nil {
			return err
		}
	}
	state, known := s.state[function]
	switch {
	case state.Serving:
		return nil
	case known:
		reason := s.reasons[function]
		if reason == "" {
			reason = s.problem
		}
		return &local.RequestError{
			StatusCode: 503, Type: "ServiceUnavailableException", Message: function + " has not been built yet: " + reason,
		}
	case s.problem != "" && len(s.state) == 0:
		return &local.RequestError{
			StatusCode: 503, Type: "ServiceUnavailableException", Message: "the project has not been built yet: " + s.problem,
		}
	}
	return nil // the local Lambda knows what to say
}
