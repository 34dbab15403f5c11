package local

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/golam-cli/golam/internal/testkit"
)

// canFindDetached: descendants that left the process group are found and killed.
const canFindDetached = true

// hit sends a signal to one of the processes that have the environment variable, if there is any.
func hit(t *testing.T, variable string, sig syscall.Signal, choose func(n int) int) {
	t.Helper()
	victims := testkit.Processes(variable)
	if len(victims) == 0 {
		return
	}
	pid := victims[choose(len(victims))]
	// No other process that got the same id meanwhile may be hit.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if testkit.ProcessHas(pid, variable) {
		_ = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
}

// listensAt reports whether this process listens at the address, which is 127.0.0.1 and a port.
func listensAt(t *testing.T, address string) bool {
	t.Helper()
	_, text, _ := strings.Cut(address, ":")
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	const listening, state, inode = "0A", 3, 9
	local := fmt.Sprintf("0100007F:%04X", port)
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > inode && fields[1] == local && fields[state] == listening && hasSocket(t, fields[inode]) {
			return true
		}
	}
	return false
}

// hasSocket reports whether this process has the socket open.
func hasSocket(t *testing.T, inode string) bool {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file os.DirEntry) bool {
		target, err := os.Readlink("/proc/self/fd/" + file.Name())
		return err == nil && target == "socket:["+inode+"]"
	})
}

// TestListensAt wants a listener to be found while it is open, and not afterwards.
func TestListensAt(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if !listensAt(t, address) {
		t.Error("an open listener is not found")
	}
	listener.Close()
	requirePortFree(t, address)
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
	if !hanging || !testkit.HasProcess(mark) {
		t.Error("the function does not run")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	testkit.Eventually(t, "no process is left", func() bool { return !testkit.HasProcess(mark) })
}
