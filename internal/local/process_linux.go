package local

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// processAttributes: a group of its own, and SIGKILL if golam itself is killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the bootstrap, kills what it leaves behind, and only then gives up its process id, so that no signal can hit another
// process that got the same id.
func (p *process) reap() error {
	pid := p.cmd.Process.Pid
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	p.mu.Lock()
	p.killGroup()
	p.reaped = true
	p.mu.Unlock()
	p.killDetached()
	return p.cmd.Wait()
}

// killDetached kills descendants that left the process group. They are known by an environment variable; one that cleared its
// environment too stays unseen. A descendant may fork while it is looked for, so the search ends when it finds nothing; the number of
// rounds bounds it.
func (p *process) killDetached() {
	for range 20 {
		found := false
		for _, pid := range processes() {
			found = killMarked(pid, p.mark) || found
		}
		if !found {
			return
		}
	}
}

// killMarked kills a process that has the variable, and reports whether it did. The process is held on to before it is looked at, lest
// another one gets its id in between.
func killMarked(pid int, mark string) bool {
	held, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		defer func() { _ = unix.Close(held) }()
	} else if !errors.Is(err, unix.ENOSYS) {
		return false
	}
	noHold := err != nil
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil || !hasVariable(env, mark) {
		return false
	}
	if noHold { // Linux before 5.3
		return syscall.Kill(pid, syscall.SIGKILL) == nil
	}
	return unix.PidfdSendSignal(held, unix.SIGKILL, nil, 0) == nil
}

// hasVariable reports whether the contents of an environ file hold the variable.
func hasVariable(environ []byte, variable string) bool {
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if string(v) == variable {
			return true
		}
	}
	return false
}

// processes are the ids of the processes of this machine.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
