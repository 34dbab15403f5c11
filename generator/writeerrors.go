package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// NotEmptyError says that the target holds files already and that writing over them was not asked for ([WriteOptions].Overwrite).
type NotEmptyError struct {
	// Dir is the target as the caller named it.
	Dir string
}

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("%s is not empty: choose another folder, or write over the files in it", e.Dir)
}

// NotFolderError says that the target, or a folder above it, exists and is not a folder. A symbolic link counts as none when it is the
// target itself: golam doesn't write through links.
type NotFolderError struct {
	// Path is what stands in the way.
	Path string
	// Symlink tells a symbolic link from everything else.
	Symlink bool
}

func (e *NotFolderError) Error() string {
	if e.Symlink {
		return fmt.Sprintf("%s is a symbolic link: name the folder itself, or choose another", e.Path)
	}
	return fmt.Sprintf("%s exists and is not a folder: move it away, or choose another folder", e.Path)
}

// BusyError says that another golam, or something else, writes to the target at the same time. Nothing of this run was kept.
type BusyError struct {
	// Dir is the target as the caller named it.
	Dir string
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another golam is writing to %s: look at what it made, then run this again if it is still needed", e.Dir)
}

// ForeignJournalError says that the target holds a journal that this user's golam did not begin, so that nobody can tell what it would do.
type ForeignJournalError struct {
	// Dir is the target as the caller named it.
	Dir string
}

func (e *ForeignJournalError) Error() string {
	return fmt.Sprintf("%s has a %s that your golam did not begin: compare the files with your last commit, then remove it", e.Dir, journalName)
}

// LockError says that the golam.lock of the target cannot be read, so that nobody knows which files their owner edited.
type LockError struct {
	// Dir is the target as the caller named it.
	Dir string
	// Err is the reason.
	Err error
}

func (e *LockError) Error() string {
	return fmt.Sprintf("the golam.lock in %s tells which files you edited, and it cannot be read: %v: take it from your last commit, or replace edited files, too",
		e.Dir, e.Err)
}

// Unwrap returns the reason.
func (e *LockError) Unwrap() error { return e.Err }

// ConflictError lists everything in the target that stands where the tree wants something of another kind. Nothing was written.
type ConflictError struct {
	// Dir is the target as the caller named it.
	Dir string
	// Conflicts are sorted as the files of the tree are.
	Conflicts []Conflict
}

// Conflict is one path in the target that cannot be written over.
type Conflict struct {
	// Path is relative to the target and slash separated.
	Path string
	// Problem says what it is and what is wanted, such as "is a file, and a folder is wanted".
	Problem string
}

func (e *ConflictError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "something stands in the way in %s: move it, or choose another folder", e.Dir)
	for _, conflict := range e.Conflicts {
		fmt.Fprintf(&text, "\n  %s %s", conflict.Path, conflict.Problem)
	}
	return text.String()
}

// refused wraps what the machine answered. The path is the one that the user knows, not the hidden one where it happened.
func refused(doing, path string, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	} else if linkErr, ok := errors.AsType[*os.LinkError](err); ok {
		err = linkErr.Err
	}
	advice := ""
	switch {
	case errors.Is(err, syscall.EROFS):
		advice = ": choose a folder that can be written to"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		advice = ": free some space, then run this again"
	case errors.Is(err, fs.ErrPermission):
		advice = ": check who owns the folder and its permissions, or choose another"
	case errors.Is(err, syscall.ENAMETOOLONG):
		advice = ": choose a folder with a shorter path"
	case errors.Is(err, syscall.EBUSY), errors.Is(err, syscall.EXDEV):
		advice = ": it is in use or a mount point; release it, or choose another folder"
	}
	return fmt.Errorf("%s %s: %w%s", doing, path, err, advice)
}
