package watch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

const namespaceVariable = "GOLAM_TEST_MOUNT_NAMESPACE"

// TestDiskFull fills the disk that builds go to. The last good build serves meanwhile, and when there is room again the newest source is
// built without another save. What is mounted in a namespace nobody else sees.
func TestDiskFull(t *testing.T) {
	testkit.Slow(t)
	if os.Getenv(namespaceVariable) == "" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestDiskFull$")
		command.Env = append(os.Environ(), namespaceVariable+"=1")
		command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			id := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
			command.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags: syscall.CLONE_NEWUSER, Unshareflags: syscall.CLONE_NEWNS, UidMappings: id(os.Getuid()), GidMappings: id(os.Getgid()),
			}
		}
		var output bytes.Buffer
		command.Stdout, command.Stderr = &output, &output
		err := command.Run()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			t.Fatalf("%v\n%s", err, output.String())
		case err != nil:
			t.Skipf("no namespace to mount in: %v", err)
		case !strings.Contains(output.String(), "--- PASS: TestDiskFull"):
			t.Fatalf("it did not run there:\n%s", output.String())
		}
		return
	}
	cache := t.TempDir()
	if err := syscall.Mount("tmpfs", cache, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(cache, 0); err != nil {
			t.Error(err)
		}
	})
	w := start(t, makeProject(t, nil), func(o *Options) { o.Cache = cache })
	w.answers("hello", `"one"`)
	filler := filepath.Join(cache, "filler")
	fill := func() error {
		file, err := os.Create(filler)
		if err != nil {
			return err
		}
		defer file.Close()
		for {
			if _, err := file.Write(make([]byte, 64<<10)); err != nil {
				return err
			}
		}
	}
	if err := fill(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	before := w.count()
	w.write("text/text.go", textGo("two"))
	e := w.seesFrom(before, "the failed build", isBuilt(false))
	if !strings.Contains(fmt.Sprint(e.Build.Error), "no space left on device") {
		t.Errorf("the reason is %s", e.Build.Error)
	}
	w.answers("hello", `"one"`)
	before = w.count()
	w.settle() // another try, which fails too
	testkit.Remove(t, filler)
	w.seesFrom(before, "another try", isBuilt(true))
	w.answers("hello", `"two"`)
	for _, e := range w.all()[before:] {
		if e.Type == EventBuilding {
			t.Error("a try is told as a build of something new")
		}
	}
}
