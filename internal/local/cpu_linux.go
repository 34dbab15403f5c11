package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time of a process that has not been reaped, all its threads together. The clock is that of
// clock_getcpuclockid(3): it counts nanoseconds, where proc(5) has ticks of 10 ms.
func (p *process) cpuTime() (time.Duration, bool) {
	const scheduled = 2 // CPUCLOCK_SCHED of the kernel's posix-timers.h
	var now unix.Timespec
	if unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &now) != nil { //nolint:gosec // the kernel's encoding of a process id
		return 0, false
	}
	return time.Duration(now.Nano()), true
}

// cpuGroup is a control group that limits the processor time of one process and its descendants. All methods are fine with a nil receiver.
type cpuGroup struct {
	dir string
	// home is the file of version 1 that takes a thread back to where golam is, "" in version 2.
	home string
}

// newCPUGroup makes a group. The error says what a user can do about it.
func newCPUGroup(quota time.Duration) (*cpuGroup, error) {
	place, err := findCPUGroups("/")
	if err != nil {
		return nil, fmt.Errorf("limit processor time: %w", err)
	}
	place.sweep()
	group, err := place.make(quota)
	if err != nil {
		return nil, fmt.Errorf("limit processor time: %w: it takes control groups that this user may write to, as root or in a scope of "+
			"systemd-run --user --scope -p Delegate=yes", err)
	}
	return group, nil
}

// cpuGroups is where groups can be made.
type cpuGroups struct {
	dir string
	v1  bool
}

// findCPUGroups finds the control group of this process that limits processor time (cgroups(7)), in the file system of that root.
func findCPUGroups(root string) (cpuGroups, error) {
	own, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return cpuGroups{}, err
	}
	mounts, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return cpuGroups{}, err
	}
	paths := map[string]string{} // by controllers, "" for version 2
	for line := range strings.Lines(string(own)) {
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); len(parts) == 3 {
			paths[parts[1]] = parts[2]
		}
	}
	for controllers, path := range paths {
		if !slices.Contains(strings.Split(controllers, ","), "cpu") {
			continue
		}
		if dir, ok := mounted(root, mounts, "cgroup", path); ok {
			return cpuGroups{dir, true}, nil
		}
	}
	path, found := paths[""]
	dir, ok := mounted(root, mounts, "cgroup2", path)
	if !found || !ok {
		return cpuGroups{}, errors.New("there is no control group with the controller cpu")
	}
	// A group that holds processes cannot hold limited groups, so the new one goes beside it.
	if path != "/" {
		dir = filepath.Dir(dir)
	}
	controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
	if err != nil {
		return cpuGroups{}, err
	}
	if !slices.Contains(strings.Fields(string(controllers)), "cpu") {
		return cpuGroups{}, fmt.Errorf("the controller cpu is not switched on in %s/cgroup.subtree_control", dir)
	}
	return cpuGroups{dir: dir}, nil
}

// mounted finds the folder of a control group in proc(5)'s mountinfo.
func mounted(root string, mountinfo []byte, kind, path string) (string, bool) {
	for line := range bytes.Lines(mountinfo) {
		before, after, _ := strings.Cut(string(line), " - ")
		fields, details := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(details) < 3 || details[0] != kind {
			continue
		}
		if kind == "cgroup" && !slices.Contains(strings.Split(details[2], ","), "cpu") {
			continue
		}
		if relative, err := filepath.Rel(fields[3], path); err == nil && filepath.IsLocal(relative) {
			return filepath.Join(root, fields[4], relative), true
		}
	}
	return "", false
}

const cpuGroupPrefix = "golam-"

// sweep removes what golams left that were killed. Groups that hold processes stay: the system refuses.
func (c cpuGroups) sweep() {
	left, _ := filepath.Glob(filepath.Join(c.dir, cpuGroupPrefix+"*"))
	for _, dir := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cpuGroupPrefix), "-")
		if id, err := strconv.Atoi(pid); err == nil && errors.Is(syscall.Kill(id, 0), syscall.ESRCH) {
			_ = os.Remove(dir)
		}
	}
}

func (c cpuGroups) make(quota time.Duration) (*cpuGroup, error) {
	group := &cpuGroup{dir: filepath.Join(c.dir, fmt.Sprintf("%s%d-%s", cpuGroupPrefix, os.Getpid(), randomHex(4)))}
	if err := os.Mkdir(group.dir, 0o755); err != nil {
		return nil, err
	}
	period, limit := strconv.FormatInt(cpuPeriod.Microseconds(), 10), strconv.FormatInt(quota.Microseconds(), 10)
	var err error
	if c.v1 {
		group.home = filepath.Join(c.dir, "tasks")
		err = errors.Join(group.write("cpu.cfs_period_us", period), group.write("cpu.cfs_quota_us", limit))
	} else {
		err = group.write("cpu.max", limit+" "+period)
	}
	if err != nil {
		group.remove()
		return nil, err
	}
	return group, nil
}

// write writes to a file that the system has made.
func (g *cpuGroup) write(name, value string) error {
	file, err := os.OpenFile(filepath.Join(g.dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

// start starts a command in the group, from its first instruction on. The calling goroutine keeps its thread: in version 1 a child is
// where the thread is that starts it; version 2 takes the group with the system call.
func (g *cpuGroup) start(command *exec.Cmd, start func() error) error {
	if g == nil {
		return start()
	}
	if g.home == "" {
		dir, err := os.Open(g.dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		command.SysProcAttr.UseCgroupFD, command.SysProcAttr.CgroupFD = true, int(dir.Fd())
		return start()
	}
	thread := strconv.Itoa(unix.Gettid())
	if err := g.write("tasks", thread); err != nil {
		return err
	}
	err := start()
	home := &cpuGroup{dir: filepath.Dir(g.home)}
	return errors.Join(err, home.write(filepath.Base(g.home), thread))
}

// remove removes the group when its last process has died, which the system may need a moment to notice.
func (g *cpuGroup) remove() {
	if g == nil {
		return
	}
	for range 20 {
		if err := os.Remove(g.dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
