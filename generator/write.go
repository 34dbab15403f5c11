package generator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// WriteOptions says how a tree is written.
type WriteOptions struct {
	// Overwrite allows a target that holds files already. Only what differs is replaced; files that the tree doesn't have stay. Where the
	// target has a golam.lock, and the tree has one, files that are not as that says are kept: their owner edited them.
	Overwrite bool
	// Force replaces them, too. What golam.lock says does not matter then.
	Force bool
	// Prepare, if not nil, works on a new project before it is put in place: staging is the absolute path of the folder that becomes the
	// target. It is not called if the target exists and holds something, be it only .git. When it returns, nothing may use staging.
	Prepare func(ctx context.Context, staging string) error
}

// Write puts a tree into dir as a whole or not at all, whenever the process is killed, and says what it changed.
//
// A target that is absent or empty is written to a hidden staging folder beside it and renamed into place; folders above it are made.
// Staging folders there whose golam was killed are removed. A folder that holds something, is the current folder or is a mount point is
// written through a journal inside it: after a kill each file is old or new, and the next Write or [Recover] makes all of them the one or
// the other. Nothing is synchronised to the device: this is about killed processes, not about power cuts.
//
// Errors: [*NotEmptyError], [*NotFolderError], [*ConflictError], [*LockError], [*ForeignJournalError], [*BusyError], the context's (a journal that is complete is still carried
// out), Prepare's, and what the machine refuses, wrapped with the path and advice.
func Write(ctx context.Context, dir string, tree Tree, options WriteOptions) (Changes, error) {
	return writer{}.write(ctx, dir, tree, options)
}

// writer holds what the tests of killed processes set.
type writer struct {
	step func() // see disk
}

func (w writer) write(ctx context.Context, dir string, tree Tree, options WriteOptions) (Changes, error) {
	tree, err := checkTree(tree)
	if err != nil {
		return Changes{}, err
	}
	t, err := findTarget(dir)
	if err != nil {
		return Changes{}, err
	}
	w.sweep(filepath.Dir(t.path))
	recovery, err := w.recover(t)
	if err != nil {
		return Changes{}, err
	}
	if recovery == RecoveryForeign {
		return Changes{}, &ForeignJournalError{Dir: t.dir}
	}
	s, err := t.survey(tree, options)
	if err != nil {
		return Changes{}, err
	}
	if err := s.permit(t, options); err != nil {
		return Changes{}, err
	}
	switch {
	case !s.differs():
		return s.Changes, nil
	case s.Target == TargetAbsent:
		return s.Changes, w.writeNew(ctx, t, tree, options.Prepare)
	case s.Target == TargetEmpty && t.removable():
		err := w.writeNew(ctx, t, tree, options.Prepare)
		if !errors.Is(err, errNoStaging) {
			return s.Changes, err
		}
	}
	return w.writeInPlace(ctx, t, tree, options)
}

// permit refuses to write where there is something if that was not asked for.
func (s survey) permit(t target, options WriteOptions) error {
	if s.Target == TargetExisting && !options.Overwrite {
		return &NotEmptyError{Dir: t.dir}
	}
	return nil
}

func (s survey) differs() bool {
	return slices.ContainsFunc(s.Files, func(c Change) bool { return c.writes() })
}

// removable says whether another folder can take the place of the target, which is empty. The shell must not be left in a removed
// folder, and a mount point stays.
func (t target) removable() bool {
	current, err := os.Stat(".")
	if err == nil && os.SameFile(current, t.info) {
		return false
	}
	parent, err := os.Stat(filepath.Dir(t.path))
	return err == nil && sameDevice(parent, t.info)
}

// errNoStaging says that an empty target must be written in place, if at all.
var errNoStaging = errors.New("no staging folder beside the target")

// writeNew makes the target with one rename.
func (w writer) writeNew(ctx context.Context, t target, tree Tree, prepare func(context.Context, string) error) (err error) {
	d, err := openDisk(t.above, w.step)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoStaging, refused("open", t.above, err))
	}
	defer d.Close()
	made, err := d.makeParents(t)
	defer func() {
		if err != nil {
			for _, dir := range slices.Backward(made) {
				_ = d.remove(dir) // if it is empty
			}
		}
	}()
	if err != nil {
		return err
	}
	stage, err := d.newStaging(t.name)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoStaging, refused("make", t.dir, err))
	}
	defer stage.remove()

	project, err := d.OpenRoot(stage.project())
	if err != nil {
		return refused("make", t.dir, err)
	}
	err = disk{project, w.step}.writeFiles(ctx, t.dir, tree)
	_ = project.Close() // Windows renames no folder that is open
	if err != nil {
		return err
	}
	if err := runPrepare(ctx, t, filepath.Join(d.Name(), stage.project()), prepare); err != nil {
		return err
	}
	if t.info != nil {
		if err := d.remove(t.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return t.notReplaced(err)
		}
	}
	if err := d.rename(stage.project(), t.name); err != nil {
		return t.notReplaced(err)
	}
	return nil
}

// notReplaced reports whether somebody else was faster or the machine refused.
func (t target) notReplaced(err error) error {
	now, lookErr := os.Lstat(t.path)
	if lookErr != nil {
		return refused("make", t.dir, err)
	}
	if names, _ := os.ReadDir(t.path); now.IsDir() && len(names) == 0 {
		return refused("replace the empty folder", t.dir, err)
	}
	return &BusyError{Dir: t.dir}
}

// runPrepare runs the caller's part, and looks at the context for the last time before the target changes.
func runPrepare(ctx context.Context, t target, staging string, prepare func(context.Context, string) error) error {
	var err error
	if prepare != nil {
		err = prepare(ctx, staging)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("write %s: %w", t.dir, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("prepare %s: %w", t.dir, err)
	}
	return nil
}

// makeParents makes the folders above the target that are missing, and says which.
func (d disk) makeParents(t target) (made []string, err error) {
	for i, c := range t.name {
		if c != '/' {
			continue
		}
		err := d.mkdir(t.name[:i])
		if errors.Is(err, fs.ErrExist) {
			continue // another golam was faster
		}
		if err != nil {
			return made, refused("make", filepath.Join(t.above, t.name[:i]), err)
		}
		made = append(made, t.name[:i])
	}
	return made, nil
}

// A staging folder stands beside the target, is named after it, and holds the lock file and the folder that becomes the target.
type staging struct {
	disk disk
	name string
	lock *flock.Flock
}

const stagingMark = ".golam-"

// randomLength is the length of [rand.Text].
const randomLength = 26

func stagingName(base string) string {
	base = strings.ToValidUTF8(base[:min(len(base), 100)], "") // a name has at most 255 bytes
	return "." + base + stagingMark + rand.Text()
}

func isStagingName(name string) bool {
	i := strings.LastIndex(name, stagingMark)
	if i < 1 || name[0] != '.' || len(name) != i+len(stagingMark)+randomLength {
		return false
	}
	return strings.Trim(name[i+len(stagingMark):], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

func (s staging) project() string { return s.name + "/project" }

func (d disk) newStaging(target string) (s staging, err error) {
	// A golam that sweeps may take the folder for a stale one until it is locked: then another is made.
	for range lockAttempts {
		s = staging{disk: d, name: path.Join(path.Dir(target), stagingName(path.Base(target)))}
		if err := d.mkdir(s.name); err != nil {
			return staging{}, err
		}
		s.lock, err = d.lockFolder(s.name, true)
		if err == nil {
			if err = d.mkdir(s.project()); err != nil {
				s.remove()
			}
			return s, err
		}
		_ = d.remove(s.name)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errLocked) {
			return staging{}, err
		}
	}
	return staging{}, err
}

// remove takes away what is left of the folder. The lock file goes last: it marks the folder as one to sweep.
//
// What Prepare started outlives a golam that is killed by a moment, since the kernel frees the lock first. When it adds a file to a
// folder that is being removed, the removal is tried again.
func (s staging) remove() {
	const attempts, pause = 20, 10 * time.Millisecond
	err := s.disk.removeAll(s.project())
	for attempt := 1; attempt < attempts && errors.Is(err, syscall.ENOTEMPTY); attempt++ {
		time.Sleep(pause)
		err = s.disk.removeAll(s.project())
	}
	if err != nil {
		_ = s.lock.Unlock()
		return
	}
	s.disk.removeFolder(s.name, s.lock)
}

// sweep removes the staging folders in parent whose golam was killed. Where that fails they stay, and do no harm.
func (w writer) sweep(parent string) {
	d, err := openDisk(parent, w.step)
	if err != nil {
		return
	}
	defer d.Close()
	names, _ := readNames(d.Root, ".")
	for _, name := range names {
		if !isStagingName(name) {
			continue
		}
		lock, err := d.lockFolder(name, false)
		switch {
		case err == nil:
			staging{d, name, lock}.remove()
		case errors.Is(err, fs.ErrNotExist):
			_ = d.remove(name) // killed before the lock file was made, or after it was removed: empty
		}
	}
}
