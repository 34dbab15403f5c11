package merge

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// Input is what a merge depends on.
type Input struct {
	// Base is what golam made last time. It may be empty: then every difference is a conflict.
	Base Base
	// Target is what golam would make now. Its golam.lock, which it must have, takes the place of the project's.
	Target generator.Tree
	// Work is the project's folder. Only the paths of Base and Target are looked at.
	Work fs.FS
	// Moved are files that their owner moved, as far as somebody (git) knows: from the path in Base to the path in Work. What golam does to such a file
	// is done in its new place.
	Moved map[string]string
	// NoModes says that modes of files in Work mean nothing: on Windows, or where git is told to ignore them.
	NoModes bool
	// Labels name the sides of conflicts; empty ones have defaults.
	Labels Labels
}

// Merge decides what happens to each path, and reads the folder to do so. Its errors are those of reading, with the path.
func Merge(in Input) (Plan, error) {
	if _, found := in.Target.Lookup(generator.LockFile); !found {
		return Plan{}, fmt.Errorf("merge: the target has no %s", generator.LockFile)
	}
	m := session{
		Input:  in,
		folder: newFolder(in.Work, in.NoModes),
		target: map[string]generator.File{},
		plan:   Plan{Changes: []Change{}},
	}
	m.Labels = Labels{
		Work: orElse(in.Labels.Work, defaultLabels.Work), Base: orElse(in.Labels.Base, defaultLabels.Base), Target: orElse(in.Labels.Target, defaultLabels.Target),
	}
	for _, file := range in.Target {
		m.target[file.Path] = file
	}
	delete(m.target, generator.LockFile)
	delete(m.target, BaseFile)
	next := NewBase(in.Target)
	triples, err := m.triples()
	if err != nil {
		return Plan{}, err
	}
	for _, one := range triples {
		if err := m.decide(one, next); err != nil {
			return Plan{}, err
		}
	}
	if err := m.clearTheWay(); err != nil {
		return Plan{}, err
	}
	if err := m.records(next); err != nil {
		return Plan{}, err
	}
	slices.SortFunc(m.plan.Changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return m.plan, nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// session is one merge.
type session struct {
	Input
	folder *folder
	target map[string]generator.File // without golam.lock and golam.Base
	plan   Plan
}

// triple is one file in the three trees. It has a name of its own in each, because either side may have moved it.
type triple struct {
	base, target, work string
}

// triples pairs the files of the three trees.
func (m *session) triples() ([]triple, error) {
	renamed, err := m.renames()
	if err != nil {
		return nil, err
	}
	var all []triple
	taken := map[string]bool{} // paths of target that are the new name of a file
	for _, name := range slices.Sorted(maps.Keys(m.Base)) {
		one := triple{name, name, name}
		if to, known := renamed[name]; known && m.canRename(name, to) {
			one.target = to
			taken[to] = true
		}
		if to, known := m.Moved[name]; known && m.canMove(name, to) {
			one.work = to
		}
		all = append(all, one)
	}
	for _, name := range slices.Sorted(maps.Keys(m.target)) {
		if _, known := m.Base[name]; !known && !taken[name] {
			all = append(all, triple{name, name, name})
		}
	}
	return all, nil
}

// canRename reports whether a file can get the new name that golam gives it: unless the owner has something there, or moved the file elsewhere.
func (m *session) canRename(from, to string) bool {
	if _, moved := m.Moved[from]; moved {
		return false
	}
	there, err := m.folder.find(to)
	return err == nil && there.kind == isAbsent && (there.at == "" || there.at == from)
}

// canMove reports whether the owner moved a file to a place that is not golam's.
func (m *session) canMove(from, to string) bool {
	_, inBase := m.Base[to]
	_, inTarget := m.target[to]
	was, err := m.folder.find(from)
	if err != nil || was.kind == isFile || inBase || inTarget || !fs.ValidPath(to) {
		return false
	}
	is, err := m.folder.find(to)
	return err == nil && is.kind == isFile
}

// decide adds the change of one file to the plan, and what has to be kept of its base to next.
func (m *session) decide(names triple, next Base) error {
	work, err := m.folder.look(names.work)
	if err != nil {
		return err
	}
	base, known := m.Base[names.base]
	if base.Retired && work.kind == isAbsent { // its owner removed what was left of it, and wants it if golam makes it again
		base, known = BaseEntry{}, false
	}
	target, wanted := m.target[names.target]
	c := Change{Path: names.work}
	if names.target != names.base && work.kind == isFile {
		c.Path, c.From = names.target, names.work
	}
	if work.kind == isFile {
		c.Before = &work.file
	}
	if known && base.Known {
		file := base.file(names.base)
		c.Base = &file
	}
	if wanted {
		c.Target = &target
	}
	switch {
	case !wanted:
		m.removed(&c, base, work, names.work != names.base)
		if work.kind == isFile && c.Action != ActionRemove && base.Known {
			base.Retired = true
			next[names.base] = base
		}
	case !known:
		m.added(&c, target, work)
	case base.Blob == target.BlobID() && base.Mode == target.GitMode():
		if c.From != "" {
			c.Action, c.After = ActionMerge, m.write(c.Path, work.file.Content, work.file.Executable, work)
		}
		if c.From != "" && work.holds(base) {
			c.Action = ActionUpdate
		}
	default:
		m.changed(&c, base, target, work)
	}
	if c.Action != "" {
		m.plan.Changes = append(m.plan.Changes, c)
	}
	return nil
}

// removed decides about a file that golam no longer makes. What the owner moved stays.
func (m *session) removed(c *Change, base BaseEntry, work thing, moved bool) {
	switch {
	case work.kind == isAbsent || work.kind == isBlocked || base.Retired:
	case work.holds(base) && !moved:
		c.Action = ActionRemove
	case work.kind == isFile:
		c.Action, c.Note = ActionKeep, "golam no longer makes this file, and you changed it: remove it if you no longer need it"
	default:
		c.Action, c.Note = ActionKeep, "golam no longer makes this file, and it is "+work.String()
	}
}

// added decides about a file that golam did not make before.
func (m *session) added(c *Change, target generator.File, work thing) {
	switch {
	case work.kind == isAbsent && work.at != "":
		c.Action, c.Note = ActionConflict, "golam adds this file, and you have "+work.at+", which some systems take for the same: rename yours"
	case work.kind == isAbsent, work.kind == isFolder, work.kind == isBlocked: // clearTheWay looks at what is in the way
		c.Action, c.After = ActionAdd, &target
	case work.kind != isFile:
		c.Action, c.Note = ActionConflict, "golam adds this file, and it is "+work.String()+": move yours"
	case !work.hasContent(target.BlobID()):
		m.combine(c, BaseEntry{Mode: target.GitMode()}, target, work, "you and golam both added this file")
	}
}

// changed decides about a file that golam made before and makes differently now.
func (m *session) changed(c *Change, base BaseEntry, target generator.File, work thing) {
	switch {
	case work.kind == isAbsent:
		c.Action, c.Note = ActionKeep, "golam changed this file, and you deleted it: it stays deleted"
	case work.kind != isFile:
		c.Action, c.Note = ActionConflict, "golam changed this file, and it is "+work.String()+": compare yours with golam's"
	case work.holds(base):
		c.Action, c.After = ActionUpdate, m.write(c.Path, target.Content, target.Executable, work)
	default:
		m.combine(c, base, target, work, "golam changed this file, and you edited it, but the project does not have what golam made before")
	}
}

// combine merges an edited file. WithoutBase is the note if nobody knows its base.
func (m *session) combine(c *Change, base BaseEntry, target generator.File, work thing, withoutBase string) {
	executable := work.file.Executable
	if executable == base.executable() || work.noMode {
		executable = target.Executable
	}
	var result merged
	switch {
	case work.hasContent(target.BlobID()), target.BlobID() == base.Blob:
		result.text = work.file.Content
	case work.large, isBinary(work.file.Content), isBinary(target.Content), isBinary(base.Content):
		c.Action, c.Note = ActionConflict, "you and golam made this file differently, and it is not text that could be merged: choose one"
		return
	default:
		result = m.combineText(c, base, target, work)
		if result.conflicts > 0 && c.Note == "" && !base.Known {
			c.Note = withoutBase
		}
	}
	c.Conflicts = result.conflicts
	switch {
	case result.conflicts > 0:
		c.Action, c.Marker = ActionConflict, result.marker
	case c.From == "" && bytes.Equal(result.text, work.file.Content) && (executable == work.file.Executable || work.noMode):
		c.Note = "" // both made the same change
		return
	default:
		c.Action = ActionMerge
	}
	c.After = m.write(c.Path, result.text, executable, work)
}

// combineText merges an edited text: by meaning if it has one that golam knows, else, or if it is damaged, by lines.
func (m *session) combineText(c *Change, base BaseEntry, target generator.File, work thing) merged {
	was, wanted, is := base.Content, target.Content, work.file.Content
	if work.crlf() && !bytes.Contains(was, []byte("\r\n")) && !bytes.Contains(wanted, []byte("\r\n")) {
		is = toLF(is) // write converts back
	}
	if text, note, known, err := mergeMeaning(target.Path, was, wanted, is); known && err == nil {
		c.Note = note
		return merged{text: text}
	} else if known {
		c.Note = "golam merged this file by lines, because it cannot be read: " + err.Error()
	}
	if !base.Known {
		return mergeTwo(wanted, is, m.Labels)
	}
	return mergeLines(was, wanted, is, m.Labels)
}

// mergeMeaning merges the files whose meaning golam knows.
func mergeMeaning(name string, base, target, work []byte) (text []byte, note string, known bool, err error) {
	switch {
	case path.Base(name) == goSum:
		text, err = mergeGoSum(target, work)
	case path.Base(name) == goMod:
		text, note, err = mergeGoMod(base, target, work)
	case name == generator.ProjectFile:
		text, err = mergeYAML(base, target, work)
	default:
		return nil, "", false, nil
	}
	return text, note, true, err
}

// write is a file with the line ends of the owner's.
func (m *session) write(name string, content []byte, executable bool, work thing) *generator.File {
	if work.crlf() && !bytes.Contains(content, []byte("\r\n")) {
		content = toCRLF(content)
	}
	return &generator.File{Path: name, Content: content, Executable: executable}
}

// clearTheWay finds new files for which there is no room: a folder stays at their path, or a file stays above it.
func (m *session) clearTheWay() error {
	removed := map[string]bool{}
	for _, c := range m.plan.Changes {
		if c.Action == ActionRemove {
			removed[c.Path] = true
		}
		if c.From != "" {
			removed[c.From] = true
		}
	}
	for i := range m.plan.Changes {
		c := &m.plan.Changes[i]
		if c.After == nil || c.Before != nil && c.From == "" {
			continue
		}
		there, err := m.folder.find(c.Path)
		free := true
		switch {
		case err != nil:
		case there.kind == isFolder:
			free, err = m.folder.empties(c.Path, removed)
		case there.kind == isBlocked:
			free = removed[there.at]
		}
		if err != nil {
			return err
		}
		if !free {
			c.Action, c.After = ActionConflict, nil
			c.Note = "golam makes this file, and it is " + there.String() + ": move what is in the way"
		}
	}
	return nil
}

// records adds golam.lock and golam.Base, as they are to be, to the plan.
func (m *session) records(next Base) error {
	lock, _ := m.Input.Target.Lookup(generator.LockFile)
	files := []generator.File{lock}
	before, err := m.folder.look(BaseFile)
	if err != nil {
		return err
	}
	if before.kind != isFile || !next.equal(m.Base) {
		packed, err := next.Pack()
		if err != nil {
			return fmt.Errorf("write %s: %w", BaseFile, err)
		}
		files = append(files, generator.File{Path: BaseFile, Content: packed})
	}
	for _, file := range files {
		there, err := m.folder.look(file.Path)
		if err != nil {
			return err
		}
		c := Change{Path: file.Path, Action: ActionUpdate, After: &file}
		switch {
		case there.kind == isFile && there.hasContent(file.BlobID()):
			continue
		case there.kind == isFile:
			c.Before = &there.file
		case there.kind == isAbsent:
			c.Action = ActionAdd
		default:
			return fmt.Errorf("%s is %s: move it away", file.Path, there)
		}
		m.plan.Changes = append(m.plan.Changes, c)
	}
	return nil
}
