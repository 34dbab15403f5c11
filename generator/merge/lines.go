package merge

import (
	"bytes"
	"slices"
)

// splitLines splits text after each newline. Joined, the lines are the text again: the last one may lack its newline.
func splitLines(text []byte) []string {
	var lines []string
	for line := range bytes.Lines(text) {
		lines = append(lines, string(line))
	}
	return lines
}

// hunk says that lines [oldStart, oldEnd) of one text are lines [newStart, newEnd) of another. One of the two may be empty.
type hunk struct {
	oldStart, oldEnd, newStart, newEnd int
}

// diff lists what was changed between two texts, in order. Between two hunks there is at least one line that is the same in both.
//
// It is the algorithm of Myers in linear space (An O(ND) Difference Algorithm and its Variations, 1986), with a limit: where more than maxCost
// lines differ in one stretch, the result is valid but perhaps not the shortest, and the time stays proportional to the number of lines.
func diff(from, to []string) []hunk {
	ids := map[string]int{}
	d := differ{from: number(from, ids), to: number(to, ids)}
	d.compare(0, len(from), 0, len(to))
	return slide(join(d.hunks), d.from, d.to)
}

// maxCost is the number of differing lines up to which the shortest list of changes is looked for.
const maxCost = 300

// number replaces lines by numbers, equal ones by equal numbers, because those are faster to compare.
func number(lines []string, ids map[string]int) []int {
	numbers := make([]int, len(lines))
	for i, line := range lines {
		id, known := ids[line]
		if !known {
			id = len(ids)
			ids[line] = id
		}
		numbers[i] = id
	}
	return numbers
}

type differ struct {
	from, to []int
	hunks    []hunk
	// forward and backward are the memory of split.
	forward, backward []int
}

// compare adds the hunks between from[a0:a1] and to[b0:b1].
func (d *differ) compare(a0, a1, b0, b1 int) {
	for {
		for a0 < a1 && b0 < b1 && d.from[a0] == d.to[b0] {
			a0, b0 = a0+1, b0+1
		}
		for a0 < a1 && b0 < b1 && d.from[a1-1] == d.to[b1-1] {
			a1, b1 = a1-1, b1-1
		}
		if a0 == a1 && b0 == b1 {
			return
		}
		if a0 == a1 || b0 == b1 {
			d.hunks = append(d.hunks, hunk{a0, a1, b0, b1})
			return
		}
		x, y := d.split(d.from[a0:a1], d.to[b0:b1])
		d.compare(a0, a0+x, b0, b0+y)
		a0, b0 = a0+x, b0+y
	}
}

// split finds how many lines of each text come before a point on a shortest path from one to the other. Two searches, one from each end, go
// along the diagonals k = x-y and remember the furthest x on each. Where they meet is such a point. The texts are not empty, and neither their first
// lines nor their last lines are equal, so the point is never a corner.
func (d *differ) split(from, to []int) (x, y int) {
	n, m := len(from), len(to)
	limit := min((n+m+1)/2, maxCost)
	origin := limit + 1 // of the diagonals in the two slices
	d.forward, d.backward = unreached(d.forward, 2*origin+1), unreached(d.backward, 2*origin+1)
	delta := n - m
	for cost := 0; cost <= limit; cost++ {
		for k := -cost; k <= cost; k += 2 {
			x := advance(d.forward, origin, k, n, m)
			if x < 0 {
				continue
			}
			for x < n && x-k < m && from[x] == to[x-k] {
				x++
			}
			d.forward[origin+k] = x
			if other := delta - k; delta%2 != 0 && -cost < other && other < cost && x+d.backward[origin+other] >= n && d.backward[origin+other] >= 0 {
				return x, x - k
			}
		}
		for k := -cost; k <= cost; k += 2 {
			x := advance(d.backward, origin, k, n, m)
			if x < 0 {
				continue
			}
			for x < n && x-k < m && from[n-1-x] == to[m-1-x+k] {
				x++
			}
			d.backward[origin+k] = x
			if other := delta - k; delta%2 == 0 && -cost <= other && other <= cost && x+d.forward[origin+other] >= n && d.forward[origin+other] >= 0 {
				return n - x, m - x + k
			}
		}
	}
	for k := -limit; k <= limit; k++ { // too costly: go on from where the forward search came furthest
		if reached := d.forward[origin+k]; reached >= 0 && 2*reached-k > x+y {
			x, y = reached, reached-k
		}
	}
	return x, y
}

// unreached is a slice in which no diagonal is reached.
func unreached(slice []int, size int) []int {
	if cap(slice) < size {
		slice = make([]int, size)
	}
	slice = slice[:size]
	for i := range slice {
		slice[i] = -1
	}
	return slice
}

// advance takes one step onto diagonal k, from the diagonal on either side, and returns the x it comes to, or -1 if no step stays in the texts.
func advance(furthest []int, origin, k, n, m int) int {
	x := -1
	if k == 0 && furthest[origin] < 0 && furthest[origin-1] < 0 && furthest[origin+1] < 0 {
		return 0 // the start
	}
	if left := furthest[origin+k-1]; left >= 0 && left < n {
		x = left + 1
	}
	if above := furthest[origin+k+1]; above >= 0 && above-k-1 < m {
		x = max(x, above)
	}
	return x
}

// join makes one hunk of those that touch.
func join(hunks []hunk) []hunk {
	var joined []hunk
	for _, h := range hunks {
		if last := len(joined) - 1; last >= 0 && joined[last].oldEnd == h.oldStart && joined[last].newEnd == h.newStart {
			joined[last].oldEnd, joined[last].newEnd = h.oldEnd, h.newEnd
		} else {
			joined = append(joined, h)
		}
	}
	return joined
}

// slide moves what was only inserted or only deleted down as far as it goes: in "a b a b", either pair may be the inserted one. So the same change
// has the same place, whoever made it.
func slide(hunks []hunk, from, to []int) []hunk {
	slid := make([]hunk, 0, len(hunks)) // from the last to the first
	for _, h := range slices.Backward(hunks) {
		next := hunk{len(from), len(from), len(to), len(to)}
		if len(slid) > 0 {
			next = slid[len(slid)-1]
		}
		lines, start, end := to, &h.newStart, &h.newEnd
		if h.newStart == h.newEnd {
			lines, start, end = from, &h.oldStart, &h.oldEnd
		}
		if h.oldStart == h.oldEnd || h.newStart == h.newEnd {
			for h.oldEnd < next.oldStart && h.newEnd < next.newStart && lines[*start] == lines[*end] {
				h = hunk{h.oldStart + 1, h.oldEnd + 1, h.newStart + 1, h.newEnd + 1}
			}
		}
		if len(slid) > 0 && h.oldEnd == next.oldStart {
			slid[len(slid)-1] = hunk{h.oldStart, next.oldEnd, h.newStart, next.newEnd}
		} else {
			slid = append(slid, h)
		}
	}
	slices.Reverse(slid)
	return slid
}
