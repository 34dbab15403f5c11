package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/gofrs/flock"
)

// disk changes things below one folder, and nothing outside of it.
type disk struct {
	*os.Root
	// step, if not nil, is called after each change. The tests kill the process there.
	step func()
}

func openDisk(dir string, step func()) (disk, error) {
	root, err := os.OpenRoot(dir)
	return disk{root, step}, err
}

func (d disk) stepped(err error) error {
	if d.step != nil && err == nil {
		d.step()
	}
	return err
}

func (d disk) mkdir(name string) error      { return d.stepped(d.Mkdir(name, 0o755)) }
func (d disk) rename(from, to string) error { return d.stepped(d.Rename(from, to)) }
func (d disk) link(name, to string) error   { return d.stepped(d.Link(name, to)) }
func (d disk) remove(name string) error     { return d.stepped(d.Remove(name)) }
func (d disk) removeAll(name string) error  { return d.stepped(d.RemoveAll(name)) }

// create writes a new file. It never writes to one that is there.
func (d disk) create(name string, content []byte, mode fs.FileMode) error {
	return d.createFrom(name, bytes.NewReader(content), mode)
}

// createFile writes a file of a tree.
func (d disk) createFile(file File) (err error) {
	content, err := file.reader()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	return d.createFrom(file.Path, content, file.Mode())
}

func (d disk) createFrom(name string, content io.Reader, mode fs.FileMode) (err error) {
	file, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if d.stepped(err) != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, content); d.stepped(err) != nil {
		return err
	}
	if mode&0o100 == 0 {
		return nil
	}
	info, err := file.Stat()
	if err != nil || isExecutable(info) {
		return err
	}
	return d.stepped(file.Chmod(info.Mode().Perm() | 0o100)) // the umask took the bit away
}

// mkdirs makes the folders of dir that are not in made yet.
func (d disk) mkdirs(dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	if err := d.mkdirs(path.Dir(dir), made); err != nil {
		return err
	}
	if err := d.mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	made[dir] = true
	return nil
}

// writeFiles writes files into the disk's folder, which has none of them yet. The project's folder is only named in errors.
func (d disk) writeFiles(ctx context.Context, project string, files []File) error {
	made := map[string]bool{".": true, "/": true} // where path.Dir ends
	for _, file := range files {
		name := filepath.Join(project, filepath.FromSlash(file.Path))
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := d.mkdirs(path.Dir(file.Path), made); err != nil {
			return refused("make the folder of", name, err)
		}
		err := d.createFile(file)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("write %s: this file system takes its name and that of another file for the same: choose another folder", name)
		}
		if err != nil {
			return refused("write", name, err)
		}
	}
	return nil
}

// lockName is the file in a staging or journal folder that is locked as long as the golam that made the folder lives.
const lockName = "lock"

// errLocked says that another golam lives that holds the lock of a folder.
var errLocked = errors.New("in use by another golam")

// lockFolder locks the lock file in folder. If there is none, it is made or, without create, the error is [fs.ErrNotExist].
func (d disk) lockFolder(folder string, create bool) (*flock.Flock, error) {
	info, err := d.Lstat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("it %s, not a folder of golam", kind(info))
	}
	name := folder + "/" + lockName
	made := false
	if create {
		err = d.create(name, nil, 0o600)
		made = err == nil
		if !made && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	lock, err := d.lock(name)
	if made && err != nil && !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist) {
		_ = d.remove(name) // nobody has it: there are no locks on this file system, for example
	}
	return lock, err
}

func (d disk) lock(name string) (*flock.Flock, error) {
	info, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a named pipe would wait for ever
		return nil, fmt.Errorf("its lock %s, not a file of golam", kind(info))
	}
	lock := flock.New(filepath.Join(d.Name(), name), flock.SetFlag(os.O_RDONLY))
	if locked, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !locked {
		return nil, errLocked
	}
	// The golam that had the lock may have removed the file, and another may have made a new one, after this one opened it.
	held, err := lock.Stat()
	if err == nil {
		info, err = d.Lstat(name)
	}
	if err == nil && !os.SameFile(held, info) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock, nil
}

// removeFolder removes a locked folder that holds nothing else than the lock, and gives up the lock. A folder that holds more stays.
func (d disk) removeFolder(folder string, lock *flock.Flock) {
	remove := func() error {
		err := d.remove(folder + "/" + lockName)
		_ = d.remove(folder) // may hold the lock file of the next golam by now
		return err
	}
	err := remove()
	_ = lock.Unlock()
	if err != nil { // Windows removes no open file
		_ = remove()
	}
}
