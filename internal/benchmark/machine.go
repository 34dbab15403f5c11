package benchmark

import (
	"os"
	"runtime"
	"strings"
)

// Machine is where something was measured.
type Machine struct {
	System       string `json:"system"` // linux/amd64
	Processor    string `json:"processor,omitempty"`
	Processors   int    `json:"processors"`
	Kernel       string `json:"kernel,omitempty"`
	LoadAverages string `json:"loadAverages,omitempty"` // of 1, 5 and 15 minutes
}

// ThisMachine describes this machine, as far as Linux tells (proc(5)).
func ThisMachine() Machine {
	machine := Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
				machine.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		machine.Kernel = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 3 {
			machine.LoadAverages = strings.Join(fields[:3], " ")
		}
	}
	return machine
}
