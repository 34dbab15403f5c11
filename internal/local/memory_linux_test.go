package local

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/testkit"
)

func TestMaxMemory(t *testing.T) {
	l := one(t, raw, "hog", func(_ *Config, f *Function) { f.MemorySize = 512 })
	small, large := l.invoke("1").Report, l.invoke("64").Report
	if small.MaxMemory < 1<<20 || large.MaxMemory < 64<<20 || large.MaxMemory > 256<<20 {
		t.Errorf("%d bytes, then %d", small.MaxMemory, large.MaxMemory)
	}
	l.requireLog(fmt.Sprintf("\tMax Memory Used: %d MB\t", (large.MaxMemory+1<<20-1)>>20))
	// What was used once stays the most that was used.
	if again := l.invoke("0").Report; again.MaxMemory < large.MaxMemory {
		t.Errorf("%d bytes, then %d", large.MaxMemory, again.MaxMemory)
	}
}

func TestMemoryLimit(t *testing.T) {
	for _, handler := range []string{"hog-and-hang", "hog-child"} {
		t.Run(handler, func(t *testing.T) {
			l := one(t, raw, handler, timeout(time.Minute))
			r := l.invoke("200")
			requireFailure(t, r, "Runtime.ExitError", "RequestId: "+r.RequestID+" Error: Runtime exited with error: signal: killed")
			if r.Report.MaxMemory <= 128<<20 {
				t.Errorf("killed at %d bytes", r.Report.MaxMemory)
			}
		})
	}
}

// TestMemoryOfShortInvocations: invocations that follow one another without a pause are each told apart.
func TestMemoryOfShortInvocations(t *testing.T) {
	l := one(t, raw, "hog", func(_ *Config, f *Function) { f.MemorySize = 512 })
	before := l.invoke("0").Report.MaxMemory
	for i := range 20 {
		after := l.invoke("2").Report.MaxMemory
		if after < before+1<<20 {
			t.Fatalf("invocation %d takes up 2 MB, and the most goes from %d to %d bytes", i, before, after)
		}
		before = after
	}
}

// A function that uses more memory with each invocation is killed although every invocation is shorter than the time between two looks.
func TestMemoryLimitAcrossInvocations(t *testing.T) {
	l := one(t, raw, "hog", timeout(time.Minute))
	for range 200 {
		if r := l.invoke("2"); r.FunctionError != "" || r.Report.ErrorType != "" {
			if r.Report.MaxMemory <= 128<<20 {
				t.Errorf("killed at %d bytes", r.Report.MaxMemory)
			}
			return
		}
	}
	t.Error("nothing stops it")
}

// A file of a process stays open and tells what is so now.
func TestProcFile(t *testing.T) {
	s := procFile{text: make([]byte, 100)} // it is longer
	defer s.close()
	for range 2 {
		text := s.read(os.Getpid(), "status")
		if now, ok := statusKB(text, "VmRSS:"); !ok || now <= 0 || !strings.HasSuffix(string(text), "\n") {
			t.Errorf("resident %d, %v, of %s", now, ok, text)
		}
	}
	child := exec.CommandContext(t.Context(), "sleep", "1000")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var gone procFile
	defer gone.close()
	if gone.read(child.Process.Pid, "status") == nil {
		t.Error("there is no status of a process that runs")
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if text := gone.read(child.Process.Pid, "status"); text != nil {
		t.Errorf("the status of a process that is gone: %s", text)
	}
}

// A frozen process stands still, its next event thaws it.
func TestFreeze(t *testing.T) {
	l := one(t, raw, "pid", func(_ *Config, f *Function) { f.Freeze = true })
	first := l.instance()
	state := func() string {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", first.PID))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		return rest[:1]
	}
	for served := 1; served < 20; served++ {
		testkit.Eventually(t, "the idle process is stopped", func() bool { return state() == "T" })
		if i := l.instance(); i.PID != first.PID || i.Served != served {
			t.Fatalf("invocation %d: %+v, first %+v", served, i, first)
		}
	}
}

func FuzzStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("1 (a) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 42 9"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, stat []byte) {
		if group, pages, ok := groupAndPages(stat); !ok && (group != 0 || pages != 0) {
			t.Errorf("%d, %d from a file that is not in order", group, pages)
		}
	})
}

func TestStat(t *testing.T) {
	group, pages, ok := groupAndPages([]byte("1 (a) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 42 9"))
	if group != 7 || pages != 42 || !ok {
		t.Errorf("group %d, %d pages, %v", group, pages, ok)
	}
	for _, bad := range []string{"", "1", "1 (x)", "1 (x) S 1 7 7"} {
		if _, _, ok := groupAndPages([]byte(bad)); ok {
			t.Errorf("%q is in order", bad)
		}
	}
	if kb, ok := statusKB([]byte("Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t 5 kB\n"), "VmHWM:"); kb != 1234<<10 || !ok {
		t.Errorf("%d, %v", kb, ok)
	}
	for _, bad := range []string{"", "VmHWM:", "VmHWM: x kB", "VmRSS: 5 kB"} {
		if _, ok := statusKB([]byte(bad), "VmHWM:"); ok {
			t.Errorf("%q is in order", bad)
		}
	}
}
