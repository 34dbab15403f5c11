package testkit

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"testing"
)

// Processes are the ids of the processes that have an environment variable, "KEY=value". A zombie has none.
func Processes(variable string) (found []int) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && ProcessHas(pid, variable) {
			found = append(found, pid)
		}
	}
	return found
}

// ProcessHas reports whether a process has an environment variable, "KEY=value".
func ProcessHas(pid int, variable string) bool {
	environ, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(v []byte) bool { return string(v) == variable })
}

// Descriptors is how many files this process has open.
func Descriptors(t testing.TB) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
