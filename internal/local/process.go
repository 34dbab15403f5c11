package local

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// process is one run of a bootstrap, with whatever it starts itself.
type process struct {
	cmd *exec.Cmd
	// mark is an environment variable, "KEY=value", that only this process and its descendants have.
	mark string
	// exited is closed when the bootstrap has ended and its descendants have been killed. The fields below are set by then.
	exited chan struct{}
	err    error // nil for exit status 0
	peak   int64 // bytes of resident memory of the bootstrap at most, 0 if unknown

	started time.Time // when the system was asked for the process

	memoryFiles memoryFiles // for whoever drives the environment
	group       *cpuGroup   // nil if its processor time is not limited

	mu     sync.Mutex
	reaped bool // the process id may belong to another by now
	frozen bool
}

// startProcess starts a program with arguments in a process group of its own, and in the group of limited processor time unless that is
// nil. Output is where its stdout and stderr go. When the process has ended, so has its cpuGroup.
func startProcess(args []string, dir string, env []string, mark string, output *os.File, group *cpuGroup) (*process, error) {
	p := &process{
		cmd: &exec.Cmd{
			Path: args[0], Args: args, Dir: dir, Env: env, Stdout: output, Stderr: output, SysProcAttr: processAttributes(),
		},
		mark:   mark,
		exited: make(chan struct{}),
		group:  group,
	}
	started := make(chan error)
	go p.supervise(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// supervise starts the process and sees it to its end. It keeps its thread for as long, because on Linux a child is killed when the
// thread that started it ends, which is meant for the end of golam (golang/go#27505).
func (p *process) supervise(started chan<- error) {
	runtime.LockOSThread()
	err := p.group.start(p.cmd, func() error {
		p.started = time.Now()
		return p.cmd.Start()
	})
	if err != nil {
		if p.cmd.Process != nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		p.group.remove()
		started <- err
		return // with its thread: that may have been left in the group, where no other work belongs
	}
	defer runtime.UnlockOSThread()
	started <- nil
	defer close(p.exited)
	defer p.group.remove()
	p.err = p.reap()
	p.peak = peakMemory(p.cmd.ProcessState)
}

// hasExited reports whether the process has ended.
func (p *process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// freeze stops the process group until thaw.
func (p *process) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped && !p.frozen {
		p.frozen = p.stopGroup()
	}
}

func (p *process) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thawLocked()
}

func (p *process) thawLocked() {
	if !p.reaped && p.frozen {
		p.continueGroup()
		p.frozen = false
	}
}

// kill ends the process group at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.killGroup()
	}
}

// end asks the process to end if there is any grace to do so, then kills it, and returns when it has exited. Closing force ends the
// grace.
func (p *process) end(grace time.Duration, force <-chan struct{}) {
	if grace > 0 {
		p.mu.Lock()
		// A stopped process gets no SIGTERM before it continues.
		p.thawLocked()
		if !p.reaped {
			p.terminate()
		}
		p.mu.Unlock()
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.exited:
		case <-timer.C:
		case <-force:
		}
	}
	p.kill()
	<-p.exited
}
