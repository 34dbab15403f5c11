package merge

import (
	"bytes"
	"slices"
	"strings"
)

// Labels name the sides of a conflict, after its markers.
type Labels struct {
	Work, Base, Target string
}

// defaultLabels are used where the caller names none.
var defaultLabels = Labels{Work: "yours", Base: "golam before", Target: "golam now"}

// merged is a text that three others were merged into.
type merged struct {
	text []byte
	// conflicts is the number of places with markers, and marker is the length of the markers.
	conflicts, marker int
}

// mergeLines is the three-way merge of texts (diff3). A line that one side changed is as that side has it. A place that both changed, differently,
// becomes a conflict, which holds all three versions.
//
// Changes of different lines never conflict, even of neighbors. That is all that is different from what git merge-file --diff3 does: it takes
// neighbors for one place.
func mergeLines(base, target, work []byte, labels Labels) merged {
	m := merger{
		base: splitLines(base), target: splitLines(target), work: splitLines(work),
		labels: labels, marker: markerLength(base, target, work),
	}
	m.merge()
	return merged{[]byte(m.out.String()), m.conflicts, m.marker}
}

// mergeTwo merges texts without a base: what is in only one of them is a conflict, because nobody knows whether one side added it or the other
// deleted it.
func mergeTwo(target, work []byte, labels Labels) merged {
	m := merger{target: splitLines(target), work: splitLines(work), labels: labels, marker: markerLength(target, work), noBase: true}
	at := 0
	for _, h := range diff(m.work, m.target) {
		m.add(m.work[at:h.oldStart])
		m.conflict(nil, m.target[h.newStart:h.newEnd], m.work[h.oldStart:h.oldEnd])
		at = h.oldEnd
	}
	m.add(m.work[at:])
	return merged{[]byte(m.out.String()), m.conflicts, m.marker}
}

type merger struct {
	base, target, work []string
	labels             Labels
	marker             int
	noBase             bool
	out                strings.Builder
	conflicts          int
}

func (m *merger) merge() {
	theirs, ours := diff(m.base, m.target), diff(m.base, m.work)
	at := 0 // up to where the base is dealt with
	for len(theirs) > 0 || len(ours) > 0 {
		start, end, inTheirs, inOurs := group(theirs, ours)
		m.add(m.base[at:start])
		was := m.base[start:end]
		target := side(m.target, theirs[:inTheirs], was, start, end)
		work := side(m.work, ours[:inOurs], was, start, end)
		switch {
		case inOurs == 0 || slices.Equal(target, work):
			m.add(target)
		case inTheirs == 0:
			m.add(work)
		default:
			m.settle(was, target, work)
		}
		theirs, ours, at = theirs[inTheirs:], ours[inOurs:], end
	}
	m.add(m.base[at:])
}

// group takes the first hunk, and all hunks of either side that overlap with it or with each other. It returns the lines of the base that they cover,
// and their numbers.
func group(theirs, ours []hunk) (start, end, inTheirs, inOurs int) {
	if len(ours) == 0 || len(theirs) > 0 && before(theirs[0], ours[0]) {
		start, end, inTheirs = theirs[0].oldStart, theirs[0].oldEnd, 1
	} else {
		start, end, inOurs = ours[0].oldStart, ours[0].oldEnd, 1
	}
	for {
		switch {
		case inTheirs < len(theirs) && overlaps(start, end, theirs[inTheirs]):
			end = max(end, theirs[inTheirs].oldEnd)
			inTheirs++
		case inOurs < len(ours) && overlaps(start, end, ours[inOurs]):
			end = max(end, ours[inOurs].oldEnd)
			inOurs++
		default:
			return start, end, inTheirs, inOurs
		}
	}
}

// before orders hunks by their place. What is inserted before a line comes before a change of that line.
func before(a, b hunk) bool {
	return a.oldStart < b.oldStart || a.oldStart == b.oldStart && a.oldEnd < b.oldEnd
}

// overlaps reports whether a hunk that does not start earlier changes a line in [start, end), or inserts at the same place.
func overlaps(start, end int, h hunk) bool {
	if start == end {
		return h.oldStart == start && h.oldEnd == start
	}
	return h.oldStart < end && (h.oldStart > start || h.oldEnd > start)
}

// side is what one side makes of lines [start, end) of the base.
func side(lines []string, hunks []hunk, was []string, start, end int) []string {
	if len(hunks) == 0 {
		return was
	}
	first, last := hunks[0], hunks[len(hunks)-1]
	return lines[first.newStart-(first.oldStart-start) : last.newEnd+(end-last.oldEnd)]
}

// settle merges a place that both sides changed. If both only inserted lines there, those that both inserted first or last are in no conflict.
func (m *merger) settle(base, target, work []string) {
	var tail []string
	if len(base) == 0 {
		head := 0
		for head < min(len(target), len(work)) && target[head] == work[head] {
			head++
		}
		m.add(target[:head])
		target, work = target[head:], work[head:]
		same := 0
		for same < min(len(target), len(work)) && target[len(target)-1-same] == work[len(work)-1-same] {
			same++
		}
		tail = target[len(target)-same:]
		target, work = target[:len(target)-same], work[:len(work)-same]
	}
	switch {
	case slices.Equal(base, target):
		m.add(work)
	case slices.Equal(base, work):
		m.add(target)
	default:
		m.conflict(base, target, work)
	}
	m.add(tail)
}

// add adds lines. If the line before has no newline, it gets one.
func (m *merger) add(lines []string) {
	for _, line := range lines {
		m.endLine()
		m.out.WriteString(line)
	}
}

func (m *merger) endLine() {
	if text := m.out.String(); text != "" && !strings.HasSuffix(text, "\n") {
		m.out.WriteByte('\n')
	}
}

func (m *merger) conflict(base, target, work []string) {
	m.conflicts++
	m.mark('<', m.labels.Work)
	m.add(work)
	if !m.noBase {
		m.mark('|', m.labels.Base)
		m.add(base)
	}
	m.mark('=', "")
	m.add(target)
	m.mark('>', m.labels.Target)
}

func (m *merger) mark(char byte, label string) {
	m.endLine()
	m.out.WriteString(strings.TrimRight(strings.Repeat(string(char), m.marker)+" "+label, " ") + "\n")
}

// markers are the characters that markers consist of.
const markers = "<|=>"

// shortestMarker is the length of git's markers.
const shortestMarker = 7

// markerLength is the least length with which no line of the texts looks like a marker.
func markerLength(texts ...[]byte) int {
	taken := map[int]bool{}
	for _, text := range texts {
		for line := range bytes.Lines(text) {
			if length := markerOf(line); length > 0 {
				taken[length] = true
			}
		}
	}
	length := shortestMarker
	for taken[length] {
		length++
	}
	return length
}

// markerOf is the length of the marker that a line is, as git sees it: one character repeated, then white space. It is 0 if the line is none.
func markerOf(line []byte) int {
	if len(line) == 0 || strings.IndexByte(markers, line[0]) < 0 {
		return 0
	}
	length := 1
	for length < len(line) && line[length] == line[0] {
		length++
	}
	if length < len(line) && strings.IndexByte(" \t\r\n", line[length]) < 0 {
		return 0
	}
	return length
}

// HasMarkers reports whether a text still has a conflict marker of a given length, which is [Change].Marker. Longer and shorter ones are the owner's
// own text.
func HasMarkers(text []byte, length int) bool {
	for line := range bytes.Lines(text) {
		if markerOf(line) == length {
			return true
		}
	}
	return false
}
