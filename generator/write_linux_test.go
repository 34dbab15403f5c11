package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const namespaceVariable = "GOLAM_TEST_MOUNT_NAMESPACE"

// inMountNamespace runs the calling test again in a process of its own that can mount, as root or in a user namespace, and reports how it
// ended. There it returns true. What is mounted there nobody else sees, and it is gone when the process is.
func inMountNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(namespaceVariable) != "" {
		return true
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	id := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	attributes := []*syscall.SysProcAttr{
		{Unshareflags: syscall.CLONE_NEWNS},
		{
			Cloneflags: syscall.CLONE_NEWUSER, Unshareflags: syscall.CLONE_NEWNS,
			UidMappings: id(os.Getuid()), GidMappings: id(os.Getgid()),
		},
	}
	var refusals []error
	for _, attribute := range attributes {
		var output bytes.Buffer
		command := exec.CommandContext(t.Context(), binary, "-test.v", "-test.run=^"+t.Name()+"$", fmt.Sprintf("-test.short=%v", testing.Short()))
		command.Env = append(os.Environ(), namespaceVariable+"=1")
		command.SysProcAttr = attribute
		command.Stdout, command.Stderr = &output, &output
		if err := command.Start(); err != nil {
			refusals = append(refusals, err)
			continue
		}
		err := command.Wait()
		switch text := output.String(); {
		case err != nil:
			t.Fatalf("in a mount namespace: %v\n%s", err, text)
		case strings.Contains(text, "--- SKIP: "+t.Name()):
			t.Skipf("in a mount namespace:\n%s", text)
		case !strings.Contains(text, "--- PASS: "+t.Name()):
			t.Fatalf("in a mount namespace nothing was tested:\n%s", text)
		}
		return false
	}
	t.Skipf("no mounting here: %v", errors.Join(refusals...))
	return false
}

// mount mounts a tmpfs, or what flags say, until the test ends.
func mount(t *testing.T, source, dir string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount(source, dir, "tmpfs", flags, options); err != nil {
		t.Fatalf("mount %s (%s): %v", dir, options, err)
	}
	if flags&syscall.MS_REMOUNT == 0 {
		t.Cleanup(func() { unmount(t, dir) })
	}
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Unmount(dir, 0); err != nil {
		t.Errorf("unmount %s: %v", dir, err)
	}
}

func TestWriteReadOnly(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	dir := t.TempDir()
	mount(t, "tmpfs", dir, 0, "mode=755")
	mkdir("empty")(t, dir)
	mustWrite(t, dir+"/demo", before, WriteOptions{})
	mount(t, "tmpfs", dir, syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=755")
	untouched := snapshot(t, dir)
	for _, name := range []string{"new", "a/b/new", "empty", "demo"} {
		changes, err := Write(t.Context(), filepath.Join(dir, name), after, WriteOptions{Overwrite: true})
		message := fmt.Sprint(err)
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(message, dir) || !strings.Contains(message, "choose a folder that can") {
			t.Errorf("%s: %v, %v", name, changes, err)
		}
	}
	if _, err := Write(t.Context(), dir+"/demo", before, WriteOptions{Overwrite: true}); err != nil {
		t.Errorf("nothing to change: %v", err)
	}
	if _, err := Recover(dir + "/demo"); err != nil {
		t.Errorf("nothing to recover: %v", err)
	}
	checkSame(t, "after the errors", snapshot(t, dir), untouched)
}

// A file system runs out of blocks or of inodes at every possible moment.
func TestWriteFull(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	stride := 1
	if testing.Short() {
		stride = 37
	}
	existing := func(t *testing.T, dir string) { mustWrite(t, dir+"/demo", before, WriteOptions{}) }
	for name, test := range map[string]struct {
		limit string // an option of tmpfs
		setUp func(t *testing.T, dir string)
		more  []File // what is there in the end beside the tree
	}{
		"blocks, new":      {limit: "size=%dk", setUp: mkdir("."), more: []File{gitHead}},
		"blocks, empty":    {limit: "size=%dk", setUp: mkdir("demo"), more: []File{gitHead}},
		"blocks, existing": {limit: "size=%dk", setUp: existing},
		"inodes, new":      {limit: "nr_inodes=%d", setUp: mkdir("."), more: []File{gitHead}},
		"inodes, empty":    {limit: "nr_inodes=%d", setUp: mkdir("demo"), more: []File{gitHead}},
		"inodes, existing": {limit: "nr_inodes=%d", setUp: existing},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mount(t, "tmpfs", dir, 0, "size=4m,nr_inodes=1000")
			test.setUp(t, dir)
			untouched := snapshot(t, dir)
			var used unix.Statfs_t
			if err := unix.Statfs(dir, &used); err != nil {
				t.Fatal(err)
			}
			limit, unit := int(used.Files-used.Ffree), 1
			if strings.HasPrefix(test.limit, "size") {
				limit, unit = int(used.Blocks-used.Bfree)*4, 4
				limit = max(limit, unit)
			}
			refusals := 0
			for ; ; limit += unit * stride {
				mount(t, "tmpfs", dir, syscall.MS_REMOUNT, fmt.Sprintf(test.limit, limit))
				_, err := Write(t.Context(), dir+"/demo", after, WriteOptions{Overwrite: true, Prepare: makeGitHead})
				if err == nil {
					break
				}
				refusals++
				message := err.Error()
				advised := strings.Contains(message, "free some space") || strings.HasPrefix(message, "prepare ") // whose advice is the caller's
				if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(message, dir) || !advised {
					t.Fatal(err)
				}
				checkSame(t, fmt.Sprintf("after %v at "+test.limit, err, limit), snapshot(t, dir), untouched)
			}
			if refusals == 0 || stride == 1 && refusals < 10 {
				t.Errorf("refused %d times", refusals)
			}
			checkSame(t, "with enough space", snapshot(t, dir+"/demo"), want(after, test.more...))
		})
	}
}

// bindOnItself makes a file a mount point, onto which nothing can be renamed.
func bindOnItself(t *testing.T, name string) {
	t.Helper()
	if err := syscall.Mount(name, name, "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("bind %s: %v", name, err)
	}
}

// The machine refuses one of the last moves of a committed journal. All that was moved goes back, also if that is killed and done again.
func TestWriteRefusedMove(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	const last = "internal/customizer/f52.txt"
	dir := t.TempDir()
	mount(t, "tmpfs", dir, 0, "mode=755")

	demo := filepath.Join(dir, "demo")
	mustWrite(t, demo, before, WriteOptions{})
	bindOnItself(t, filepath.Join(demo, last))
	infos := map[string]fs.FileInfo{}
	for _, file := range before {
		info, err := os.Stat(filepath.Join(demo, file.Path))
		if err != nil {
			t.Fatal(err)
		}
		infos[file.Path] = info
	}
	_, err := Write(t.Context(), demo, after, WriteOptions{Overwrite: true})
	if !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), last) || !strings.Contains(err.Error(), "release it") {
		t.Errorf("got %v", err)
	}
	checkSame(t, "after the error", snapshot(t, demo), want(before))
	for name, was := range infos {
		if info, err := os.Stat(filepath.Join(demo, name)); err != nil || !os.SameFile(was, info) || !was.ModTime().Equal(info.ModTime()) {
			t.Errorf("%s is another file: %v", name, err)
		}
	}
	unmount(t, filepath.Join(demo, last))
	mustWrite(t, demo, after, WriteOptions{Overwrite: true})
	checkSame(t, "when it is released", snapshot(t, demo), want(after))

	stride := 1
	if testing.Short() {
		stride = 53
	}
	c := killCase{
		setUp: func(t *testing.T, base string) {
			mustWrite(t, base+"/a/demo", before, WriteOptions{})
			bindOnItself(t, filepath.Join(base, "a/demo", last))
		},
		order: order{Edition: 2, Dir: filepath.Join(dir, "a/demo")},
		check: func(t *testing.T, what, base string) {
			unmount(t, filepath.Join(base, "a/demo", last))
			recovers(want(before), after)(t, what, base)
		},
		outcome: "*fmt.wrapError",
	}
	c.setUp(t, dir)
	all := runHelper(t, c.order).steps
	c.check(t, "not killed", dir)
	c.killAtEachStep(t, dir, all/2, stride) // the moves and their way back are the second half
}

// Renames cannot cross into a file system that is mounted in the project, nor replace the folder where one is mounted.
func TestWriteMountPoints(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	before, after := sampleTree(t, 1), sampleTree(t, 2)
	t.Run("the target", func(t *testing.T) {
		demo := filepath.Join(t.TempDir(), "demo")
		mkdir(".")(t, demo)
		mount(t, "tmpfs", demo, 0, "mode=755")
		changes := mustWrite(t, demo, after, WriteOptions{Prepare: makeGitHead})
		if changes.Target != TargetEmpty {
			t.Errorf("target: %s", changes.Target)
		}
		checkSame(t, "the project", snapshot(t, demo), want(after, gitHead))
	})
	t.Run("the target, same file system", func(t *testing.T) {
		dir := t.TempDir()
		demo := filepath.Join(dir, "demo")
		mkdir(".")(t, demo)
		bindOnItself(t, demo)
		t.Cleanup(func() { unmount(t, demo) })
		_, err := Write(t.Context(), demo, after, WriteOptions{})
		if !errors.Is(err, syscall.EBUSY) || !strings.Contains(fmt.Sprint(err), "mount point") {
			t.Errorf("got %v", err)
		}
		checkSame(t, "after the error", snapshot(t, dir), map[string]entry{"demo": {Mode: fs.ModeDir | 0o755}})
	})
	t.Run("below", func(t *testing.T) {
		demo := filepath.Join(t.TempDir(), "demo")
		mustWrite(t, demo, before, WriteOptions{})
		mounted := filepath.Join(demo, "internal/customizer")
		mount(t, "tmpfs", mounted, 0, "mode=755")
		untouched := snapshot(t, demo)
		_, err := Write(t.Context(), demo, after, WriteOptions{Overwrite: true})
		if !errors.Is(err, syscall.EXDEV) || !strings.Contains(fmt.Sprint(err), mounted) {
			t.Errorf("got %v", err)
		}
		checkSame(t, "after the error", snapshot(t, demo), untouched)
	})
}

// Root may write anywhere, so it becomes nobody for this.
func TestWriteNotPermitted(t *testing.T) {
	if !inMountNamespace(t) {
		return
	}
	tree := sampleTree(t, 1)
	dir := t.TempDir()
	mount(t, "tmpfs", dir, 0, "mode=755")
	const nobody = 65534
	mkdir("mine")(t, dir)
	mkdir("open/sub")(t, dir)
	mustWrite(t, dir+"/open/demo", tree[:len(tree)/2], WriteOptions{})
	for _, name := range []string{"mine", "open"} {
		if err := os.Chown(filepath.Join(dir, name), nobody, -1); err != nil {
			t.Skipf("no second user in this namespace: %v", err)
		}
	}
	above := filepath.Dir(dir) // only root may pass
	if err := errors.Join(os.Chmod(above, 0o755), unix.Setresuid(-1, nobody, -1)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setresuid(-1, 0, -1); err != nil {
			t.Error(err)
		}
	}()

	untouched := snapshot(t, dir)
	for _, name := range []string{"new", "a/b/new", "open/demo", "open/sub"} {
		_, err := Write(t.Context(), filepath.Join(dir, name), tree, WriteOptions{Overwrite: true})
		if name == "open/sub" {
			// Nobody may replace that folder, which is root's but empty and in nobody's own.
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			checkSame(t, name, snapshot(t, dir+"/open/sub"), want(tree))
			continue
		}
		named := strings.Contains(fmt.Sprint(err), filepath.Join(dir, name)) || strings.Contains(fmt.Sprint(err), dir+"/a:")
		if !errors.Is(err, fs.ErrPermission) || !named {
			t.Errorf("%s: %v", name, err)
		}
		checkSame(t, "after the error in "+name, snapshot(t, dir), untouched)
	}
	// Nothing can be made beside this one: it is written in place.
	mustWrite(t, dir+"/mine", tree, WriteOptions{Prepare: makeGitHead})
	checkSame(t, "in place", snapshot(t, dir+"/mine"), want(tree, gitHead))
}

// The umask takes away what it likes, but not what makes a script a script.
func TestWriteUmask(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("with such a mask only root can enter the folders that it makes")
	}
	dir := filepath.Join(t.TempDir(), "demo")
	defer syscall.Umask(syscall.Umask(0o137))
	tree := sampleTree(t, 1)
	mustWrite(t, dir, tree, WriteOptions{})
	for name, e := range snapshot(t, dir) {
		expected := fs.ModeDir | 0o640
		if file, ok := tree.Lookup(name); ok {
			expected = map[bool]fs.FileMode{false: 0o640, true: 0o740}[file.Executable]
		}
		if e.Mode != expected {
			t.Errorf("%s: %v, want %v", name, e.Mode, expected)
		}
	}
	for _, change := range mustWrite(t, dir, tree, WriteOptions{Overwrite: true}).Files {
		if change.Action != ActionUnchanged {
			t.Errorf("%s: %s", change.Path, change.Action)
		}
	}
}
