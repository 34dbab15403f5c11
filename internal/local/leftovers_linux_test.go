package local

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// canFindDetached: descendants that left the process group are found and killed.
const canFindDetached = true

// anyProcess reports whether a process has the environment variable. A zombie has none.
func anyProcess(variable string) bool {
	for _, pid := range processes() {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && hasVariable(env, variable) {
			return true
		}
	}
	return false
}

// When golam itself is killed, no function lives on.
func TestKilledParent(t *testing.T) {
	mark := "GOLAM_TEST=" + newUUID()
	cmd := exec.CommandContext(t.Context(), os.Args[0], raw)
	cmd.Env = append(os.Environ(), "GOLAM_TEST_ABANDON="+mark)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hanging := false
	for lines := bufio.NewScanner(out); !hanging && lines.Scan(); {
		t.Log(lines.Text())
		hanging = lines.Text() == "hanging"
	}
	if !hanging || !anyProcess(mark) {
		t.Error("the function does not run")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "no process is left", func() bool { return !anyProcess(mark) })
}
