package local

import (
	"context"
	"runtime"
	"testing"
	"time"
)

func TestCPUQuota(t *testing.T) {
	for memorySize, want := range map[int]time.Duration{
		128:   1447145 * time.Nanosecond,
		1769:  20 * time.Millisecond,
		3538:  40 * time.Millisecond,
		10240: 115771622 * time.Nanosecond,
	} {
		if got := cpuQuota(memorySize); got != want {
			t.Errorf("%d MB: %s of %s, not %s", memorySize, got, cpuPeriod, want)
		}
	}
}

// burned is the processor time that the handler "burn" uses.
const burned = 20 * time.Millisecond

func TestReportOfProcessorTime(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processor time is known on Linux alone")
	}
	l := one(t, official, "burn")
	for i := range 2 {
		result, err := l.Invoke(context.Background(), "fn", Invocation{Report: true})
		if err != nil || result.FunctionError != "" {
			t.Fatal(err, string(result.Payload))
		}
		report := result.Report
		if report.CPU < burned {
			t.Errorf("invocation %d: %s of processor time, of which the handler alone used %s", i, report.CPU, burned)
		}
		if cold := i == 0; (report.InitCPU > 0) != cold {
			t.Errorf("invocation %d: %s of processor time in the init phase", i, report.InitCPU)
		}
	}
}

func TestInitDurationIsWithinTheCallers(t *testing.T) {
	l := one(t, official, "echo")
	before := time.Now()
	result, err := l.Invoke(context.Background(), "fn", Invocation{Report: true})
	took := time.Since(before)
	if err != nil || result.InitDuration <= 0 || result.InitDuration+result.Duration > took {
		t.Errorf("init %s and invoke %s of %s: %v", result.InitDuration, result.Duration, took, err)
	}
}

func TestThrottle(t *testing.T) {
	if err := CheckThrottle(); err != nil {
		t.Skip(err)
	}
	throttle := func(_ *Config, f *Function) { f.Throttle, f.Timeout = true, 30*time.Second }
	l := one(t, official, "burn", throttle)
	result, err := l.Invoke(context.Background(), "fn", Invocation{Report: true})
	if err != nil || result.FunctionError != "" {
		t.Fatal(err, string(result.Payload))
	}
	// The last slice needs no full period, and what the kernel hands out in advance is no more than a slice either.
	if least := (burned/cpuQuota(DefaultMemorySize) - 5) * cpuPeriod; result.Duration < least {
		t.Errorf("%s of processor time took %s, which is more than %d MB give: expected %s at least", burned, result.Duration,
			DefaultMemorySize, least)
	}
}
