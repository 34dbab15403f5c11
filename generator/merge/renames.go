package merge

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// renames finds edited files that golam makes under another name now, so that what their owner wrote goes along: from the path in base to the path in
// target. A file is taken for a renamed one if the contents are equal, or if at least 60% of the lines are, by length. If the names differ only in case it is
// the same file, edited or not.
func (m *session) renames() (map[string]string, error) {
	type pair struct {
		from, to string
		likeness float64
	}
	var pairs []pair
	for from, was := range m.Base {
		if _, stays := m.target[from]; stays || was.Retired {
			continue
		}
		work, err := m.folder.look(from)
		if err != nil {
			return nil, err
		}
		for to, is := range m.target {
			if _, known := m.Base[to]; known || work.kind != isFile || work.large {
				continue
			}
			if strings.EqualFold(from, to) {
				pairs = append(pairs, pair{from, to, 1})
			} else if path.Ext(from) == path.Ext(to) && !work.holds(was) {
				pairs = append(pairs, pair{from, to, likeness(was, is)})
			}
		}
	}
	pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.likeness < leastLikeness })
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.likeness, a.likeness), strings.Compare(a.from, b.from), strings.Compare(a.to, b.to))
	})
	renamed, taken := map[string]string{}, map[string]bool{}
	for _, p := range pairs {
		if _, known := renamed[p.from]; !known && !taken[p.to] {
			renamed[p.from] = p.to
			taken[p.to] = true
		}
	}
	return renamed, nil
}

const leastLikeness = 0.6

// likeness is how much of two files is equal, from 0 to 1.
func likeness(was BaseEntry, is generator.File) float64 {
	switch {
	case was.Blob == is.BlobID():
		return 1
	case !was.Known || isBinary(was.Content) || isBinary(is.Content):
		return 0
	}
	most := max(len(was.Content), len(is.Content))
	if float64(min(len(was.Content), len(is.Content))) < leastLikeness*float64(most) {
		return 0
	}
	lines := map[string]int{}
	for _, line := range splitLines(was.Content) {
		lines[line]++
	}
	same := 0
	for _, line := range splitLines(is.Content) {
		if lines[line] > 0 {
			lines[line]--
			same += len(line)
		}
	}
	return float64(same) / float64(most)
}
