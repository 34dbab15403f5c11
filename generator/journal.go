package generator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// Recovery is what [Recover] did.
type Recovery string

// The outcomes of [Recover].
const (
	RecoveryNone     Recovery = ""         // there was nothing to do
	RecoveryUndone   Recovery = "undone"   // every file is as it was before the write that was killed
	RecoveryFinished Recovery = "finished" // every file is as that write wanted it
	RecoveryForeign  Recovery = "foreign"  // there is a journal that this user's golam did not begin: it is left as it is
)

// Recover brings to an end what a golam that was killed while it wrote into dir has left there. It may itself be killed and run again.
// A folder that doesn't exist needs no recovery. Staging folders beside dir are not its business; see [Write].
//
// A journal that came with a clone or an archive, or that another user's golam began, is left alone; see [RecoveryForeign].
//
// If the write cannot be finished, it is undone, and the error says why. [*BusyError] says that the other golam lives.
func Recover(dir string) (Recovery, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return RecoveryNone, refused("find", dir, err)
	}
	return writer{}.recover(target{dir: absolute, path: absolute})
}

// The journal is a folder in the target. It holds the lock file and one folder that tells by its name how far the write has come:
//
//	writing    the new files are being collected: to be thrown away
//	committed  they are complete and are being moved into place: to be finished
//	reverting  a move was refused: to be put back
//	done       to be removed
//
// That folder has new (files and folders to move in), old (copies of what they replace), gone (what was removed) and moves (the list of them, as
// JSON).
const (
	journalName = ".golam-journal"
	writing     = journalName + "/writing"
	committed   = journalName + "/committed"
	reverting   = journalName + "/reverting"
	done        = journalName + "/done"
)

// move is one rename: out of new, of a file or of a folder that the target doesn't have, or into gone, of a file to be removed.
type move struct {
	Path     string `json:"path"`
	Replaces bool   `json:"replaces"`
	Removes  bool   `json:"removes,omitempty"`
	// Digest is that of what is moved, so that nothing else is ever taken back. The repository has none, since it is never taken back.
	Digest string `json:"digest,omitempty"`
	// Was is the digest of what is replaced, if the caller knows it. Otherwise it is whatever is there.
	Was string `json:"was,omitempty"`
	// NewFolder says that the folder of the file is made with it.
	NewFolder bool `json:"newFolder,omitempty"`
}

// repository is the one thing in a project that cannot be made again. It is moved last, so that no move that is refused takes it back.
const repository = ".git"

type journal struct {
	disk
	target target
	lock   *flock.Flock
	key    []byte // nil if there is none; see proof.go
}

// lockAttempts is how often a folder to be locked may vanish, since another golam has just finished with it, before that is given up.
const lockAttempts = 100

// openJournal makes the journal's folder if need be and locks it.
func (w writer) openJournal(t target) (*journal, error) {
	d, err := openDisk(t.path, w.step)
	if err != nil {
		return nil, t.unreadable("open", t.dir, err)
	}
	made := false
	for range lockAttempts {
		err = d.mkdir(journalName)
		made = err == nil
		var lock *flock.Flock
		if made || errors.Is(err, fs.ErrExist) {
			lock, err = d.lockFolder(journalName, true)
		}
		if err == nil {
			j := &journal{disk: d, target: t, lock: lock}
			if err := j.prepare(); err != nil {
				j.close()
				return nil, err
			}
			return j, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if made {
		_ = d.remove(journalName) // unless another golam has begun to use it
	}
	_ = d.Close()
	if errors.Is(err, errLocked) {
		return nil, &BusyError{Dir: t.dir}
	}
	return nil, t.unreadable("make", filepath.Join(t.dir, journalName), err)
}

// prepare looks again at whose the journal is, now that no golam changes it, and writes the proof into a new one.
func (j *journal) prepare() error {
	switch found, _ := j.origin(); found {
	case own:
		return nil
	case begun:
		if err := j.prove(); err != nil {
			_ = j.remove(journalName + "/" + proofName)
			return refused("make", filepath.Join(j.target.dir, journalName), err)
		}
		return nil
	}
	return &ForeignJournalError{Dir: j.target.dir}
}

// close removes the journal, unless something is left in it.
func (j *journal) close() {
	if names, err := readNames(j.Root, journalName); err == nil && !slices.ContainsFunc(names, func(name string) bool {
		return name != lockName && name != proofName
	}) {
		_ = j.remove(journalName + "/" + proofName)
	}
	j.removeFolder(journalName, j.lock)
	_ = j.Close()
}

func (w writer) recover(t target) (Recovery, error) {
	if _, err := os.Lstat(filepath.Join(t.path, journalName)); err != nil {
		return RecoveryNone, nil
	}
	switch found, err := journalOrigin(t); {
	case err != nil || found == nobodys:
		return RecoveryNone, nil //nolint:nilerr // the folder went away
	case found == foreign:
		return RecoveryForeign, nil
	}
	j, err := w.openJournal(t)
	if err != nil {
		return RecoveryNone, err
	}
	defer j.close()
	return j.settle()
}

// writeInPlace writes into a folder that stays.
func (w writer) writeInPlace(ctx context.Context, t target, tree Tree, options WriteOptions) (Changes, error) {
	j, err := w.openJournal(t)
	if err != nil {
		return Changes{}, err
	}
	defer j.close()
	if _, err := j.settle(); err != nil {
		return Changes{}, err
	}
	s, err := t.survey(tree, options) // again: nobody else writes from here on
	if err == nil {
		err = s.permit(t, options)
	}
	if err != nil {
		return Changes{}, err
	}
	err = j.collect(ctx, s, options.Prepare)
	if _, settleErr := j.settle(); err == nil {
		err = settleErr
	}
	return s.Changes, err
}

// collect fills the journal and, if nothing goes wrong, commits it.
func (j *journal) collect(ctx context.Context, s survey, prepare func(context.Context, string) error) error {
	var files []File
	for i, change := range s.Files {
		if change.writes() {
			files = append(files, s.tree[i])
		}
	}
	if err := j.begin(ctx, files); err != nil {
		return err
	}
	if s.Target != TargetEmpty {
		prepare = nil
	}
	if err := runPrepare(ctx, j.target, filepath.Join(j.target.path, filepath.FromSlash(writing), "new"), prepare); err != nil {
		return err
	}
	moves, err := j.moves(s)
	if err != nil {
		return refused("list", filepath.Join(j.target.dir, writing), err)
	}
	return j.commit(moves)
}

// begin writes the new files into the journal.
func (j *journal) begin(ctx context.Context, files []File) error {
	for _, dir := range []string{writing, writing + "/new", writing + "/old", writing + "/gone"} {
		if err := j.mkdir(dir); err != nil {
			return refused("make", filepath.Join(j.target.dir, dir), err)
		}
	}
	fresh, err := j.OpenRoot(writing + "/new")
	if err != nil {
		return refused("open", filepath.Join(j.target.dir, writing), err)
	}
	err = disk{fresh, j.step}.writeFiles(ctx, j.target.dir, files)
	_ = fresh.Close() // Windows renames no folder that has an open one in it
	return err
}

// commit completes a journal that has all new files: from here on the moves are made, whenever the process is killed.
func (j *journal) commit(moves []move) error {
	for i, m := range moves {
		if m.Path == repository || m.Removes {
			continue
		}
		var err error
		if moves[i].Digest, err = j.digest(writing + "/new/" + m.Path); err != nil {
			return refused("list", filepath.Join(j.target.dir, writing), err)
		}
	}
	if err := j.backUp(moves); err != nil {
		return err
	}
	for _, m := range moves {
		if m.Was == "" {
			continue
		}
		if was, err := j.digest(writing + "/old/" + m.Path); err != nil || was != m.Was {
			return errors.Join(&StaleError{Dir: j.target.dir, Paths: []string{m.Path}}, err)
		}
	}
	list, err := json.Marshal(moves)
	if err != nil {
		return err
	}
	identity, err := j.identity()
	if err != nil {
		return refused("look at", filepath.Join(j.target.dir, journalName), err)
	}
	list = append([]byte(seal(j.key, identity, string(list))+"\n"), list...)
	if err := j.create(writing+"/moves", list, 0o644); err != nil {
		return refused("write", filepath.Join(j.target.dir, writing, "moves"), err)
	}
	if err := j.rename(writing, committed); err != nil {
		return refused("commit", filepath.Join(j.target.dir, journalName), err)
	}
	return nil
}

// moves lists the renames that put the new files in place: as few as can be.
func (j *journal) moves(s survey) ([]move, error) {
	if s.Target == TargetEmpty { // there may be more than the tree: what Prepare made
		names, err := readNames(j.Root, writing+"/new")
		slices.SortFunc(names, func(a, b string) int {
			if (a == repository) != (b == repository) {
				return map[bool]int{true: 1, false: -1}[a == repository]
			}
			return strings.Compare(a, b)
		})
		moves := make([]move, len(names))
		for i, name := range names {
			moves[i].Path = name
		}
		return moves, err
	}
	var moves []move
	for _, change := range s.Files {
		m := move{Path: change.Path, Replaces: change.Action == ActionReplace}
		for dir := path.Dir(change.Path); !s.folders[dir]; dir = path.Dir(dir) {
			m.Path = dir
		}
		known := len(moves) > 0 && moves[len(moves)-1].Path == m.Path // the files of a missing folder follow each other
		if change.writes() && !known {
			moves = append(moves, m)
		}
	}
	return moves, nil
}

// backUp keeps what will be replaced, should the machine refuse a move.
func (j *journal) backUp(moves []move) error {
	made := map[string]bool{writing + "/old": true}
	for _, m := range moves {
		if !m.Replaces {
			continue
		}
		kept := writing + "/old/" + m.Path
		err := j.mkdirs(path.Dir(kept), made)
		if err == nil && j.link(m.Path, kept) != nil { // not every file system has hard links
			err = j.copy(m.Path, kept)
		}
		if err != nil {
			return refused("keep a copy of", filepath.Join(j.target.dir, filepath.FromSlash(m.Path)), err)
		}
	}
	return nil
}

func (j *journal) copy(from, to string) error {
	content, err := j.readRegular(from)
	if err != nil {
		return err
	}
	info, err := j.Lstat(from)
	if err != nil {
		return err
	}
	return j.create(to, content, info.Mode().Perm())
}

// settle brings the journal to its end from wherever it is. With a nil error nothing is left in it.
func (j *journal) settle() (Recovery, error) {
	names, err := readNames(j.Root, journalName)
	if err != nil {
		return RecoveryNone, refused("list", filepath.Join(j.target.dir, journalName), err)
	}
	outcome := RecoveryNone
	var failure error // why a committed write was undone
	switch {
	case slices.Contains(names, path.Base(committed)):
		moves, err := j.readMoves(committed)
		if err != nil {
			return RecoveryNone, err
		}
		if failure = j.finish(moves); failure == nil {
			outcome, err = RecoveryFinished, j.rename(committed, done)
		} else if err = j.revertible(committed, moves); err != nil {
			return RecoveryNone, errors.Join(failure, j.bad(err))
		} else if err = j.rename(committed, reverting); err == nil {
			outcome, err = RecoveryUndone, j.revert(moves)
		}
		if err != nil {
			return RecoveryNone, errors.Join(failure, j.stuck(err))
		}
	case slices.Contains(names, path.Base(reverting)):
		moves, err := j.readMoves(reverting)
		if err != nil {
			return RecoveryNone, err
		}
		if err := j.revert(moves); err != nil {
			return RecoveryNone, j.stuck(err)
		}
		outcome = RecoveryUndone
	case slices.Contains(names, path.Base(writing)):
		outcome = RecoveryUndone
	}
	for _, dir := range []string{writing, done} {
		if err := j.removeAll(dir); err != nil {
			return outcome, errors.Join(failure, refused("remove", filepath.Join(j.target.dir, dir), err))
		}
	}
	return outcome, failure
}

// stuck says that the journal must stay as it is for now.
func (j *journal) stuck(err error) error {
	err = refused("settle the changes in", j.target.dir, err)
	return fmt.Errorf("%w; the next golam command there tries again, from what %s holds", err, journalName)
}

// finish makes the moves that are not made yet.
func (j *journal) finish(moves []move) error {
	for _, m := range moves {
		if m.Removes {
			if err := j.takeAway(m); err != nil {
				return refused("remove", filepath.Join(j.target.dir, filepath.FromSlash(m.Path)), err)
			}
			continue
		}
		fresh := committed + "/new/" + m.Path
		if !j.exists(fresh) {
			continue // the move is made
		}
		err := j.free(m)
		if err == nil {
			err = j.moveIn(fresh, m.Path)
		}
		if err != nil {
			return refused("write", filepath.Join(j.target.dir, filepath.FromSlash(m.Path)), err)
		}
	}
	return nil
}

// moveIn renames, and makes the folders above the new name if there are none.
func (j *journal) moveIn(from, to string) error {
	err := j.rename(from, to)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := j.mkdirs(path.Dir(to), map[string]bool{".": true}); err != nil {
		return err
	}
	return j.rename(from, to)
}

// takeAway moves a file to gone, and removes the folders above it that are empty then.
func (j *journal) takeAway(m move) error {
	gone := committed + "/gone/" + m.Path
	if !j.exists(gone) {
		if digest, err := j.digest(m.Path); err != nil || digest != m.Digest {
			return errors.Join(errors.New("it has changed in the meantime"), err)
		}
		if err := j.moveIn(m.Path, gone); err != nil {
			return err
		}
	}
	j.removeEmpty(path.Dir(m.Path))
	return nil
}

// removeEmpty removes a folder and those above it, as far as they are empty.
func (j *journal) removeEmpty(dir string) {
	for ; dir != "."; dir = path.Dir(dir) {
		info, err := j.Lstat(dir)
		if err == nil && info.IsDir() {
			err = j.remove(dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

// free refuses a move onto a file that is not the one to be replaced: somebody has changed it since, or the journal is somebody else's.
func (j *journal) free(m move) error {
	info, err := j.Lstat(m.Path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() { // no rename replaces a folder that holds something
		return nil
	}
	if err != nil {
		return err
	}
	if !m.Replaces {
		return fs.ErrExist
	}
	was := m.Was // the copy may be a link, which changes with the file
	if was == "" {
		if was, err = j.digest(committed + "/old/" + m.Path); err != nil {
			return err
		}
	}
	if now, err := j.digest(m.Path); err != nil || now != was {
		return errors.Join(errors.New("it has changed in the meantime"), err)
	}
	return nil
}

// revertible refuses to take back what golam did not put there.
func (j *journal) revertible(state string, moves []move) error {
	var errs error
	for _, m := range moves {
		made := !j.exists(state+"/new/"+m.Path) && (!m.Replaces || j.exists(state+"/old/"+m.Path))
		if !made || m.Removes || m.Path == repository || !j.exists(m.Path) {
			continue
		}
		if digest, err := j.digest(m.Path); err != nil || digest != m.Digest {
			errs = errors.Join(errs, fmt.Errorf("%s is not what golam wrote there", m.Path), err)
		}
	}
	return errs
}

// digest tells what a file holds, or a folder with everything in it. It reads no links.
func (j *journal) digest(name string) (string, error) {
	info, err := j.Lstat(name)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	add := func(name, relative string, mode fs.FileMode) error {
		if mode.IsDir() {
			fmt.Fprintf(hash, "%q %v\n", relative, true)
			return nil
		}
		if !mode.IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder", name)
		}
		file, err := j.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return digestFile(hash, relative, file)
	}
	if info.IsDir() {
		err = fs.WalkDir(j.FS(), name, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return add(path, strings.TrimPrefix(path, name), entry.Type())
		})
	} else {
		err = add(name, "", info.Mode())
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

func digestFile(hash io.Writer, relative string, content io.Reader) error {
	fmt.Fprintf(hash, "%q %v\n", relative, false)
	size, err := io.Copy(hash, content)
	fmt.Fprintf(hash, "\n%d\n", size)
	return err
}

// digestOf is the digest of a file with a content.
func digestOf(content []byte) string {
	hash := sha256.New()
	_ = digestFile(hash, "", bytes.NewReader(content)) // it never fails
	return hex.EncodeToString(hash.Sum(nil))
}

// revert takes back the moves that were made.
func (j *journal) revert(moves []move) error {
	for _, m := range slices.Backward(moves) {
		if m.Removes {
			if gone := reverting + "/gone/" + m.Path; j.exists(gone) {
				if err := j.moveIn(gone, m.Path); err != nil {
					return err
				}
			}
			continue
		}
		fresh, kept := reverting+"/new/"+m.Path, reverting+"/old/"+m.Path
		if m.Path == repository || j.exists(fresh) {
			continue // the move was not made, or is taken back already
		}
		from, to := m.Path, fresh
		if m.Replaces {
			from, to = kept, m.Path
		}
		if err := j.rename(from, to); err != nil && j.exists(from) {
			return err
		}
		if m.NewFolder {
			j.removeEmpty(path.Dir(m.Path))
		}
	}
	return j.rename(reverting, done)
}

func (j *journal) exists(name string) bool {
	_, err := j.Lstat(name)
	return err == nil
}

// readMoves reads the list of moves. The journal may have come with somebody's files, so it is as hostile as any other input: a move
// must stay in the target, keep off the journal and off what makes a repository, and go through real folders only.
func (j *journal) readMoves(state string) ([]move, error) {
	var moves []move
	list, err := j.readRegular(state + "/moves")
	if err == nil {
		code, rest, _ := bytes.Cut(list, []byte("\n"))
		if err = j.sealed(code, string(rest)); err == nil {
			err = json.Unmarshal(rest, &moves)
		}
	}
	s := survey{root: j.Root, folders: map[string]bool{".": true}}
	for i, m := range moves {
		elements := strings.Split(m.Path, "/")
		inRepository := slices.ContainsFunc(elements, func(element string) bool { return strings.EqualFold(element, repository) })
		if inRepository && m.Path == repository && !m.Replaces && !m.Removes && i == len(moves)-1 {
			inRepository = state == reverting && !j.exists(reverting+"/new/"+repository)
		}
		if !fs.ValidPath(m.Path) || m.Path == "." || strings.Contains(m.Path, `\`) || strings.EqualFold(elements[0], journalName) || inRepository {
			err = errors.Join(err, fmt.Errorf("bad path %q", m.Path))
			continue
		}
		names := []string{m.Path, state + "/new/" + m.Path, state + "/old/" + m.Path}
		if gone := state + "/gone/" + m.Path; m.Removes && j.exists(gone) {
			names = []string{gone} // a file may have taken the place of its folder
		} else if m.Removes {
			names = []string{m.Path, gone}
		}
		for _, name := range names {
			_, folderErr := s.folder(path.Dir(name))
			err = errors.Join(err, folderErr)
		}
		if info, err := j.Lstat(m.Path); m.Removes && err == nil && info.Mode().IsRegular() {
			s.folders[m.Path] = false // a folder may take its place
		}
	}
	if len(s.conflicts) > 0 {
		err = errors.Join(err, &ConflictError{Dir: j.target.dir, Conflicts: s.conflicts})
	}
	if err == nil && state == reverting {
		err = j.revertible(state, moves)
	}
	if err != nil {
		return nil, j.bad(err)
	}
	return moves, nil
}

// readRegular reads a file, and never waits for a named pipe.
func (j *journal) readRegular(name string) ([]byte, error) {
	info, err := j.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s %s", name, kind(info))
	}
	if err != nil {
		return nil, err
	}
	return j.ReadFile(name)
}

// bad says that nobody can tell what the journal would do.
func (j *journal) bad(err error) error {
	name := filepath.Join(j.target.dir, journalName)
	return fmt.Errorf("read the journal %s: %w: compare the files with your last commit, then remove it", name, err)
}
