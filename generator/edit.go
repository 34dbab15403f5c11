package generator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Edit is one change of a file of a project.
type Edit struct {
	// Path is relative to the project, slash separated and clean.
	Path string
	// Before is what the file holds, or nil if there is none. Its mode does not matter.
	Before *File
	// After is what it is to hold, or nil to remove it.
	After *File
}

// Apply makes edits in a project, all of them or none, whenever the process is killed: through the same journal as [Write] in a folder that
// exists, so that [Recover] finishes or undoes what was interrupted. First it checks that each file is as the edit expects. Folders that
// are empty after their files were removed are removed, too.
//
// Errors: [*StaleError], [*NotFolderError], [*ForeignJournalError], [*BusyError], the context's, and what the machine refuses, wrapped with the path and advice.
func Apply(ctx context.Context, dir string, edits []Edit) error {
	return writer{}.apply(ctx, dir, edits)
}

// StaleError says that files are not as the edits expect, because somebody changed them since. Nothing was written.
type StaleError struct {
	// Dir is the project as the caller named it.
	Dir string
	// Paths are relative to it, sorted.
	Paths []string
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("files in %s have changed in the meantime: run this again (%s)", e.Dir, strings.Join(Abridge(e.Paths), ", "))
}

func (w writer) apply(ctx context.Context, dir string, edits []Edit) error {
	edits = slices.SortedFunc(slices.Values(edits), func(a, b Edit) int { return strings.Compare(a.Path, b.Path) })
	files, moves, err := editMoves(edits)
	if err != nil {
		return err
	}
	t, err := findTarget(dir)
	if err != nil {
		return err
	}
	if t.info == nil {
		return refused("open", t.dir, fs.ErrNotExist)
	}
	recovery, err := w.recover(t)
	if err != nil {
		return err
	}
	if recovery == RecoveryForeign {
		return &ForeignJournalError{Dir: t.dir}
	}
	if len(edits) == 0 {
		return nil
	}
	j, err := w.openJournal(t)
	if err != nil {
		return err
	}
	defer j.close()
	if _, err := j.settle(); err != nil {
		return err
	}
	folders, err := j.expect(edits)
	if err != nil {
		return err
	}
	for i, m := range moves {
		moves[i].NewFolder = !m.Removes && !folders[path.Dir(m.Path)]
	}
	if err = j.begin(ctx, files); err == nil {
		if err = ctx.Err(); err != nil {
			err = fmt.Errorf("write %s: %w", t.dir, err)
		} else {
			err = j.commit(moves)
		}
	}
	if _, settleErr := j.settle(); err == nil {
		err = settleErr
	}
	return err
}

// editMoves is what edits write, and the moves that carry them out. What is removed makes way first.
func editMoves(edits []Edit) (files []File, moves []move, err error) {
	var ins []move
	for _, edit := range edits {
		if edit.After == nil {
			if edit.Before == nil {
				return nil, nil, fmt.Errorf("the edit of %s changes nothing", edit.Path)
			}
			files = append(files, File{Path: edit.Path}) // its path is checked, too
			moves = append(moves, move{Path: edit.Path, Removes: true, Digest: digestOf(edit.Before.Content)})
			continue
		}
		file := *edit.After
		file.Path = edit.Path
		files = append(files, file)
		in := move{Path: edit.Path, Replaces: edit.Before != nil}
		if in.Replaces {
			in.Was = digestOf(edit.Before.Content)
		}
		ins = append(ins, in)
	}
	for i, file := range files {
		if !fs.ValidPath(file.Path) || i > 0 && files[i-1].Path == file.Path {
			return nil, nil, fmt.Errorf("the path %q is no file of a project, or is edited twice", file.Path)
		}
		for element := range strings.SplitSeq(file.Path, "/") {
			if strings.EqualFold(element, repository) || strings.EqualFold(element, journalName) {
				return nil, nil, fmt.Errorf("the project cannot be changed: the name %s is reserved", file.Path)
			}
		}
	}
	removed := map[string]bool{}
	for _, m := range moves {
		removed[m.Path] = true
	}
	files = slices.DeleteFunc(files, func(f File) bool { return removed[f.Path] })
	if _, err := NewTree(files); err != nil {
		return nil, nil, fmt.Errorf("the project cannot be changed: %w", err)
	}
	return files, append(moves, ins...), nil
}

// expect checks that each file is as its edit expects, and says which of their folders are there.
func (j *journal) expect(edits []Edit) (folders map[string]bool, err error) {
	s := survey{root: j.Root, folders: map[string]bool{".": true}}
	var removed []fs.FileInfo
	for _, edit := range edits {
		if edit.After != nil {
			continue
		}
		if info, err := j.Lstat(edit.Path); err == nil && info.Mode().IsRegular() {
			removed = append(removed, info)
			s.folders[edit.Path] = false // a folder may take its place
		}
	}
	stale := &StaleError{Dir: j.target.dir}
	for _, edit := range edits {
		fine, err := s.expects(edit, removed)
		if err != nil {
			return nil, j.target.unreadable("read", filepath.Join(j.target.dir, filepath.FromSlash(edit.Path)), err)
		}
		if !fine {
			stale.Paths = append(stale.Paths, edit.Path)
		}
	}
	if len(stale.Paths) > 0 {
		return nil, stale
	}
	return s.folders, nil
}

// expects looks at one file. Removed are those that make way.
func (s *survey) expects(edit Edit, removed []fs.FileInfo) (bool, error) {
	obstacles := len(s.conflicts)
	there, err := s.folder(path.Dir(edit.Path))
	if err != nil || len(s.conflicts) > obstacles {
		return false, err
	}
	if !there {
		return edit.Before == nil, nil
	}
	info, err := s.root.Lstat(edit.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return edit.Before == nil, nil
	case err != nil:
		return false, err
	case edit.Before == nil: // the same file under a name that differs in case, or a folder that may be empty by then
		return info.IsDir() || slices.ContainsFunc(removed, func(other fs.FileInfo) bool { return os.SameFile(info, other) }), nil
	case !info.Mode().IsRegular() || info.Size() != edit.Before.size():
		return false, nil
	}
	return s.holds(File{Path: edit.Path, Content: edit.Before.Content})
}
