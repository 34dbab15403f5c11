package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// Changes is what writing a tree to a folder would do, or did.
type Changes struct {
	// Dir is the absolute path of the target.
	Dir string `json:"dir"`
	// Target is what stood there before.
	Target TargetState `json:"target"`
	// Files has one element for each file of the tree, in its order. Whatever else the folder holds is left alone and not listed.
	Files []Change `json:"files"`
}

// Change is what happens to one file.
type Change struct {
	// Path is relative to the target and slash separated.
	Path string `json:"path"`
	// Mode and Blob are what golam makes of it: git's mode, and the id that git gives to the content.
	Mode string `json:"mode"`
	Blob string `json:"blob"`
	// Action is what is done to it.
	Action Action `json:"action"`
}

// writes reports whether the file is written.
func (c Change) writes() bool { return c.Action == ActionCreate || c.Action == ActionReplace }

// Action is what writing does to a file.
type Action string

// The actions. A file is unchanged if its content and its owner's executable bit are what the tree wants.
const (
	ActionCreate    Action = "create"
	ActionReplace   Action = "replace"
	ActionUnchanged Action = "unchanged"
	ActionKeep      Action = "keep" // it differs, and its owner edited it; see [WriteOptions].Force
)

// TargetState is what stands where a project is to be written.
type TargetState string

// The states of a target. A journal that a killed golam left there does not count.
const (
	TargetAbsent   TargetState = "absent"
	TargetEmpty    TargetState = "empty"
	TargetGit      TargetState = "git" // holds .git and nothing else
	TargetExisting TargetState = "existing"
)

// Plan says what [Write] would do to dir, without writing anything. That the target is not empty is no error here; see Changes.Target.
//
// Errors: [*NotFolderError], [*ConflictError], [*LockError], [*ForeignJournalError], [*BusyError], and what the machine refuses. After a killed golam, [Recover] comes first.
func Plan(dir string, tree Tree, options WriteOptions) (Changes, error) {
	tree, err := checkTree(tree)
	if err != nil {
		return Changes{}, err
	}
	t, err := findTarget(dir)
	if err != nil {
		return Changes{}, err
	}
	if found, err := journalOrigin(t); err == nil && found == foreign {
		return Changes{}, &ForeignJournalError{Dir: t.dir}
	}
	s, err := t.survey(tree, options)
	if err != nil {
		return Changes{}, err
	}
	return s.Changes, nil
}

// checkTree holds trees that were not made by NewTree to its rules, and keeps the journal's name free.
func checkTree(tree Tree) (Tree, error) {
	tree, err := NewTree(tree)
	if err != nil {
		return nil, fmt.Errorf("the project cannot be written: %w", err)
	}
	for _, file := range tree {
		if top, _, _ := strings.Cut(file.Path, "/"); strings.EqualFold(top, journalName) {
			return nil, fmt.Errorf("the project cannot be written: the name %s is reserved", file.Path)
		}
	}
	return tree, nil
}

// target is where a project goes.
type target struct {
	dir   string      // as the caller named it, for messages
	path  string      // absolute
	info  fs.FileInfo // nil if there is nothing
	above string      // the nearest folder above it that exists, absolute
	name  string      // the target below that folder, slash separated
}

func findTarget(dir string) (target, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return target{}, refused("find", dir, err)
	}
	dir = filepath.Clean(dir)
	if base := filepath.Base(dir); base == "." || base == ".." {
		// The shell may have come here through a symbolic link. What is meant is the folder that it stands in.
		if absolute, err = filepath.EvalSymlinks(absolute); err != nil {
			return target{}, refused("find", dir, err)
		}
		dir = absolute
	}
	t := target{dir: dir, path: absolute, above: filepath.Dir(absolute), name: filepath.Base(absolute)}
	t.info, err = os.Lstat(absolute)
	switch {
	case err == nil && t.info.IsDir():
		return t, nil
	case err == nil:
		return target{}, &NotFolderError{Path: dir, Symlink: t.info.Mode()&fs.ModeSymlink != 0}
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
		return target{}, refused("look at", dir, err)
	}
	for {
		info, err := os.Stat(t.above)
		if err == nil && info.IsDir() {
			return t, nil
		}
		if err == nil {
			return target{}, &NotFolderError{Path: t.above}
		}
		if _, err := os.Lstat(t.above); err == nil {
			return target{}, &NotFolderError{Path: t.above, Symlink: true} // leads nowhere
		}
		if t.above == filepath.Dir(t.above) {
			return target{}, refused("look at", t.above, err)
		}
		t.above, t.name = filepath.Dir(t.above), filepath.Base(t.above)+"/"+t.name
	}
}

// survey is a tree compared with a target.
type survey struct {
	Changes
	tree      Tree            // what each of Files is to be
	root      *os.Root        // nil if the target is absent
	folders   map[string]bool // whether a folder that the tree wants is there
	conflicts []Conflict
	locked    map[string]Locked // what golam.lock says; nil if that does not matter
}

func (t target) survey(tree Tree, options WriteOptions) (survey, error) {
	s := survey{Changes: Changes{Dir: t.path, Target: TargetAbsent}, folders: map[string]bool{".": t.info != nil}}
	if t.info != nil {
		root, err := os.OpenRoot(t.path)
		if err != nil {
			return survey{}, t.unreadable("open", t.dir, err)
		}
		defer root.Close()
		s.root = root
		if s.Target, err = targetState(root); err != nil {
			return survey{}, t.unreadable("list", t.dir, err)
		}
	}
	lock, isProject := tree.Lookup(LockFile)
	if isProject && !options.Force {
		locked, err := s.readLock()
		if err != nil {
			return survey{}, &LockError{Dir: t.dir, Err: err}
		}
		s.locked = locked
	}
	kept := map[string]bool{}
	for _, file := range tree {
		action, err := s.compare(file)
		if err != nil {
			return survey{}, t.unreadable("read", filepath.Join(t.dir, filepath.FromSlash(file.Path)), err)
		}
		kept[file.Path] = action == ActionKeep
		s.add(file, action)
	}
	if i := slices.IndexFunc(s.Files, func(c Change) bool { return c.Path == LockFile }); i >= 0 && s.locked != nil {
		lock = relock(lock, kept, s.locked)
		action, err := s.compare(lock)
		if err != nil {
			return survey{}, t.unreadable("read", filepath.Join(t.dir, LockFile), err)
		}
		s.Files[i], s.tree[i] = Change{LockFile, lock.GitMode(), lock.BlobID(), action}, lock
	}
	if len(s.conflicts) > 0 {
		return survey{}, &ConflictError{Dir: t.dir, Conflicts: s.conflicts}
	}
	return s, nil
}

func (s *survey) add(file File, action Action) {
	s.tree = append(s.tree, file)
	s.Files = append(s.Files, Change{file.Path, file.GitMode(), file.BlobID(), action})
}

// unreadable tells what the machine refuses from what another golam has just replaced.
func (t target) unreadable(doing, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &BusyError{Dir: t.dir}
	}
	return refused(doing, path, err)
}

func targetState(root *os.Root) (TargetState, error) {
	names, err := readNames(root, ".")
	if err != nil {
		return "", err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == journalName })
	switch {
	case len(names) == 0:
		return TargetEmpty, nil
	case len(names) == 1 && names[0] == ".git":
		return TargetGit, nil
	}
	return TargetExisting, nil
}

func (s *survey) compare(file File) (Action, error) {
	there, err := s.folder(path.Dir(file.Path))
	if err != nil || !there {
		return ActionCreate, err
	}
	info, err := s.root.Lstat(file.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ActionCreate, nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		s.conflicts = append(s.conflicts, Conflict{file.Path, kind(info) + ", and a file is wanted"})
		return ActionReplace, nil
	}
	sameMode := runtime.GOOS == "windows" || isExecutable(info) == file.Executable
	if sameMode && info.Size() == file.size() {
		same, err := s.holds(file)
		if err != nil {
			return "", err
		}
		if same {
			return ActionUnchanged, nil
		}
	}
	if s.locked == nil || file.Path == LockFile {
		return ActionReplace, nil
	}
	var content []byte
	if info.Size() <= maxCompared {
		if content, err = s.root.ReadFile(file.Path); err != nil {
			return "", err
		}
	}
	was, known := s.locked[file.Path]
	executable := isExecutable(info)
	if runtime.GOOS == "windows" {
		executable = was.Mode == File{Executable: true}.GitMode()
	}
	if known && content != nil && was.unedited(content, executable) {
		return ActionReplace, nil
	}
	return ActionKeep, nil
}

// holds says whether the target's file has the content of one of the tree.
func (s *survey) holds(file File) (same bool, err error) {
	there, err := s.root.Open(file.Path)
	if err != nil {
		return false, err
	}
	defer there.Close()
	wanted, err := file.reader()
	if err != nil {
		return false, err
	}
	defer wanted.Close()
	const chunk = 64 << 10
	a, b := make([]byte, chunk), make([]byte, chunk)
	for {
		n, errA := io.ReadFull(there, a)
		m, errB := io.ReadFull(wanted, b)
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		for _, err := range []error{errA, errB} {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if errA != nil || errB != nil {
			return true, nil
		}
	}
}

// maxCompared is the size in bytes up to which golam looks at what was edited. It renders nothing that is larger.
const maxCompared = 16 << 20

// folder says whether a folder is there, looking once at each.
func (s *survey) folder(dir string) (bool, error) {
	if there, known := s.folders[dir]; known {
		return there, nil
	}
	there, err := s.folder(path.Dir(dir))
	if err != nil {
		return false, err
	}
	if there {
		info, err := s.root.Lstat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			there = false
		case err != nil:
			return false, err
		case !info.IsDir():
			s.conflicts = append(s.conflicts, Conflict{dir, kind(info) + ", and a folder is wanted"})
			there = false
		}
	}
	s.folders[dir] = there
	return there, nil
}

// isExecutable looks at the bit that git looks at.
func isExecutable(info fs.FileInfo) bool {
	return info.Mode()&0o100 != 0
}

func kind(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "is a folder"
	case info.Mode().IsRegular():
		return "is a file"
	case info.Mode()&fs.ModeSymlink != 0:
		return "is a symbolic link"
	}
	return "is neither a file nor a folder"
}

// readNames lists a folder in no order.
func readNames(root *os.Root, dir string) ([]string, error) {
	folder, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}
