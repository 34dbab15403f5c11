package local

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	mountsV1 = "25 21 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"26 21 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	mountsV2 = "30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	inScope  = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-7.scope\n"
	slice    = "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice"
)

func TestFindCPUGroups(t *testing.T) {
	cases := map[string]struct {
		own, mounts string
		files       map[string]string
		want        string // a folder, or a part of the error
		v1          bool
	}{
		"version 1":                  {own: "4:memory:/a\n3:cpu,cpuacct:/job\n0::/\n", mounts: mountsV1, want: "sys/fs/cgroup/cpu,cpuacct/job", v1: true},
		"version 1 in a container":   {own: "3:cpu,cpuacct:/docker/abc/x\n", mounts: strings.ReplaceAll(mountsV1, "0:23 /", "0:23 /docker/abc"), want: "sys/fs/cgroup/cpu,cpuacct/x", v1: true},
		"version 2, a scope":         {own: inScope, mounts: mountsV2, files: map[string]string{slice + "/cgroup.subtree_control": "cpu memory pids\n"}, want: slice},
		"version 2, the root":        {own: "0::/\n", mounts: mountsV2, files: map[string]string{"sys/fs/cgroup/cgroup.subtree_control": "cpuset cpu\n"}, want: "sys/fs/cgroup"},
		"version 2, not switched on": {own: inScope, mounts: mountsV2, files: map[string]string{slice + "/cgroup.subtree_control": "memory cpuset\n"}, want: "the controller cpu is not switched on"},
		"version 2 beside version 1": {own: "3:cpu,cpuacct:/\n" + inScope, mounts: mountsV1 + mountsV2, want: "sys/fs/cgroup/cpu,cpuacct", v1: true},
		"none":                       {own: "4:memory:/\n", mounts: mountsV1, want: "no control group with the controller cpu"},
		"not mounted":                {own: "0::/\n", want: "no control group with the controller cpu"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write := func(path, text string) {
				t.Helper()
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("proc/self/cgroup", c.own)
			write("proc/self/mountinfo", c.mounts)
			for path, text := range c.files {
				write(path, text)
			}
			got, err := findCPUGroups(root)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, not %s", err, c.want)
				}
				return
			}
			if want := (cpuGroups{filepath.Join(root, c.want), c.v1}); got != want {
				t.Errorf("got %+v, not %+v", got, want)
			}
		})
	}
}

// TestCPUGroupFiles stands in for the kernel's version 2 with plain files: the kernel of a test machine may have version 1.
func TestCPUGroupFiles(t *testing.T) {
	dir := t.TempDir()
	group := &cpuGroup{dir: dir}
	if err := group.write("cpu.max", "1"); err == nil {
		t.Error("a file that the kernel has not made was written to")
	}
	stale := filepath.Join(dir, cpuGroupPrefix+"999999999-ab")
	if err := os.Mkdir(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	groups := cpuGroups{dir: dir}
	groups.sweep()
	if _, err := os.Stat(stale); err == nil {
		t.Error("the group of a golam that is gone was not swept")
	}
	if _, err := groups.make(time.Millisecond); err == nil {
		t.Error("a group without cpu.max was made")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestStartInCPUGroupV2 starts a process in a group of version 2, which need not have the controller for that.
func TestStartInCPUGroupV2(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Skip(err)
	}
	dir, ok := mounted("/", mounts, "cgroup2", "/")
	if !ok {
		t.Skip("version 2 is not mounted")
	}
	group := &cpuGroup{dir: filepath.Join(dir, fmt.Sprintf("%s%d-test", cpuGroupPrefix, os.Getpid()))}
	if err := os.Mkdir(group.dir, 0o755); err != nil {
		t.Skip(err)
	}
	var output bytes.Buffer
	command := &exec.Cmd{Path: "/bin/cat", Args: []string{"cat", "/proc/self/cgroup"}, Stdout: &output, SysProcAttr: processAttributes()}
	err = group.start(command, command.Start)
	if err == nil {
		err = command.Wait()
	}
	group.remove()
	if want := "0::/" + filepath.Base(group.dir) + "\n"; err != nil || !strings.Contains(output.String(), want) {
		t.Errorf("%v: the process was in\n%s", err, output.String())
	}
	if _, err := os.Stat(group.dir); err == nil {
		t.Error("the group is left")
	}
}
