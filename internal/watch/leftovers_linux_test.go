package watch

import (
	"bytes"
	"os"
	"strconv"
	"testing"
)

// anyProcess reports whether a process has the environment variable, "KEY=value".
func anyProcess(variable string) bool { return len(processesWith(variable)) > 0 }

func processesWith(variable string) (found []int) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		environ, _ := os.ReadFile("/proc/" + entry.Name() + "/environ")
		for v := range bytes.SplitSeq(environ, []byte{0}) {
			if string(v) == variable {
				found = append(found, pid)
			}
		}
	}
	return found
}

// descriptors is how many files this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
