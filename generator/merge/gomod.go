package merge

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/version"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

const (
	goMod = "go.mod"
	goSum = "go.sum"
)

// mergeGoMod merges by meaning. Of the three files, base may be nil.
//
// Required are all modules of target and work, each in the higher version, so that whatever either side's code imports can be built. A version
// never gets lower than the owner has it, except by the owner. What only one side changed or removed is as that side has it; a
// requirement that target no longer has stays, because the owner's code may use it by now: go mod tidy knows. The go and toolchain
// lines never get lower either. Where both sides changed another directive, the owner's stays.
func mergeGoMod(base, target, work []byte) (text []byte, note string, err error) {
	var files [3]*modfile.File
	for i, data := range [][]byte{base, target, work} {
		if files[i], err = modfile.Parse(goMod, data, nil); err != nil {
			return nil, "", err
		}
	}
	was, wanted, result := files[0], files[1], files[2]
	err = errors.Join(
		mergeModule(was, wanted, result), mergeGoLine(was, wanted, result), mergeToolchain(was, wanted, result), mergeDirectives(was, wanted, result),
	)
	if err != nil {
		return nil, "", err
	}
	note = mergeRequirements(was, wanted, result)
	result.Cleanup()
	text, err = result.Format()
	return text, note, err
}

func mergeModule(base, target, result *modfile.File) error {
	if path := modulePath(target); path != "" && path != modulePath(base) && modulePath(base) == modulePath(result) {
		return result.AddModuleStmt(path)
	}
	return nil
}

func modulePath(file *modfile.File) string {
	if file.Module == nil {
		return ""
	}
	return file.Module.Mod.Path
}

func mergeGoLine(base, target, result *modfile.File) error {
	was, wanted, is := goLine(base), goLine(target), goLine(result)
	if wanted != was && version.Compare("go"+wanted, "go"+is) > 0 {
		return result.AddGoStmt(wanted)
	}
	return nil
}

func goLine(file *modfile.File) string {
	if file.Go == nil {
		return ""
	}
	return file.Go.Version
}

func mergeToolchain(base, target, result *modfile.File) error {
	was, wanted, is := toolchain(base), toolchain(target), toolchain(result)
	switch {
	case wanted == was:
	case wanted == "" && is == was:
		result.DropToolchainStmt()
	case version.Compare(wanted, is) > 0:
		return result.AddToolchainStmt(wanted)
	}
	return nil
}

func toolchain(file *modfile.File) string {
	if file.Toolchain == nil {
		return ""
	}
	return file.Toolchain.Name
}

// requirement is one module that a go.mod requires.
type requirement struct {
	version  string
	indirect bool
}

func requirements(file *modfile.File) map[string]requirement {
	all := map[string]requirement{}
	for _, r := range file.Require {
		all[r.Mod.Path] = requirement{r.Mod.Version, r.Indirect}
	}
	return all
}

// mergeRequirements returns a note about what go mod tidy may remove.
func mergeRequirements(base, target, result *modfile.File) (note string) {
	was, wanted, is := requirements(base), requirements(target), requirements(result)
	want := maps.Clone(is)
	var unneeded []string
	for path, r := range wanted {
		before, known := was[path]
		here, required := is[path]
		switch {
		case known && r == before: // the owner's, also if the owner removed it
		case !required:
			want[path] = r
		default:
			want[path] = raise(before, r, here)
		}
	}
	for path := range was {
		_, kept := is[path]
		if _, needed := wanted[path]; kept && !needed {
			unneeded = append(unneeded, path)
		}
	}
	if !maps.Equal(want, is) {
		list := make([]*modfile.Require, 0, len(want))
		for _, path := range slices.Sorted(maps.Keys(want)) {
			list = append(list, &modfile.Require{Mod: module.Version{Path: path, Version: want[path].version}, Indirect: want[path].indirect})
		}
		result.SetRequireSeparateIndirect(list)
	}
	if len(unneeded) == 0 {
		return ""
	}
	slices.Sort(unneeded)
	return fmt.Sprintf("golam's code no longer needs %s: go mod tidy removes what yours does not need either", strings.Join(unneeded, ", "))
}

// raise is a requirement that both sides have.
func raise(base, target, work requirement) requirement {
	merged := work
	if semver.Compare(target.version, work.version) > 0 {
		merged.version = target.version
	}
	switch {
	case base.version == "":
		merged.indirect = work.indirect && target.indirect
	case work.indirect == base.indirect:
		merged.indirect = target.indirect
	}
	return merged
}

// mergeDirectives merges what has no order among versions. Retracted versions are the owner's business.
func mergeDirectives(base, target, result *modfile.File) error {
	return errors.Join(
		mergeSet(base, target, result, replacements,
			func(old module.Version, to module.Version) error {
				return result.AddReplace(old.Path, old.Version, to.Path, to.Version)
			},
			func(old module.Version) error { return result.DropReplace(old.Path, old.Version) }),
		mergeSet(base, target, result, exclusions,
			func(m module.Version, _ bool) error { return result.AddExclude(m.Path, m.Version) },
			func(m module.Version) error { return result.DropExclude(m.Path, m.Version) }),
		mergeSet(base, target, result, tools, func(path string, _ bool) error { return result.AddTool(path) }, result.DropTool),
		mergeSet(base, target, result, ignored, func(path string, _ bool) error { return result.AddIgnore(path) }, result.DropIgnore),
		mergeSet(base, target, result, settings, result.AddGodebug, result.DropGodebug),
	)
}

// mergeSet merges directives of one kind: what only target changed is added to result, or dropped from it.
func mergeSet[K, V comparable](
	base, target, result *modfile.File, list func(*modfile.File) map[K]V, add func(K, V) error, drop func(K) error,
) error {
	was, wanted, is := list(base), list(target), list(result)
	same := func(a, b map[K]V, key K) bool {
		x, inA := a[key]
		y, inB := b[key]
		return inA == inB && x == y
	}
	var errs error
	for key, value := range wanted {
		if !same(wanted, was, key) && same(is, was, key) {
			errs = errors.Join(errs, add(key, value))
		}
	}
	for key := range was {
		if _, needed := wanted[key]; !needed && same(is, was, key) {
			errs = errors.Join(errs, drop(key))
		}
	}
	return errs
}

func replacements(file *modfile.File) map[module.Version]module.Version {
	all := map[module.Version]module.Version{}
	for _, r := range file.Replace {
		all[r.Old] = r.New
	}
	return all
}

func exclusions(file *modfile.File) map[module.Version]bool {
	all := map[module.Version]bool{}
	for _, e := range file.Exclude {
		all[e.Mod] = true
	}
	return all
}

func tools(file *modfile.File) map[string]bool {
	all := map[string]bool{}
	for _, t := range file.Tool {
		all[t.Path] = true
	}
	return all
}

func ignored(file *modfile.File) map[string]bool {
	all := map[string]bool{}
	for _, i := range file.Ignore {
		all[i.Path] = true
	}
	return all
}

func settings(file *modfile.File) map[string]string {
	all := map[string]string{}
	for _, g := range file.Godebug {
		all[g.Key] = g.Value
	}
	return all
}

// mergeGoSum has every line of both sides, in the order of the go command. Lines that are no longer needed do no harm, and go mod tidy removes them.
// Two hashes of one module are an error, because one of them is wrong.
func mergeGoSum(target, work []byte) ([]byte, error) {
	hashes := map[module.Version]string{}
	both := []byte(string(work) + "\n" + string(target)) // work may lack the last newline
	for line := range bytes.Lines(both) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("a line of %s is not a module, a version and a hash", goSum)
		}
		m := module.Version{Path: fields[0], Version: fields[1]}
		if other, known := hashes[m]; known && other != fields[2] {
			return nil, fmt.Errorf("%s has two hashes of %s", goSum, m)
		}
		hashes[m] = fields[2]
	}
	modules := slices.SortedFunc(maps.Keys(hashes), func(a, b module.Version) int {
		aVersion, aFile, _ := strings.Cut(a.Version, "/")
		bVersion, bFile, _ := strings.Cut(b.Version, "/")
		return cmp.Or(strings.Compare(a.Path, b.Path), semver.Compare(aVersion, bVersion), strings.Compare(aVersion, bVersion), strings.Compare(aFile, bFile))
	})
	var text bytes.Buffer
	for _, m := range modules {
		fmt.Fprintf(&text, "%s %s %s\n", m.Path, m.Version, hashes[m])
	}
	return text.Bytes(), nil
}
