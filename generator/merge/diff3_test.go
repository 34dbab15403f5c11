package merge

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// text makes lines of letters: "abc" is a text of three lines.
func text(letters string) []byte {
	var lines strings.Builder
	for _, letter := range letters {
		lines.WriteString(string(letter) + "\n")
	}
	return []byte(lines.String())
}

func TestMergeLines(t *testing.T) {
	conflict := func(work, base, target string) string {
		return fmt.Sprintf("<<<<<<< yours\n%s||||||| golam before\n%s=======\n%s>>>>>>> golam now\n", text(work), text(base), text(target))
	}
	for _, test := range []struct {
		name, base, target, work, want string
		conflicts                      int
	}{
		{"nobody changed anything", "abc", "abc", "abc", string(text("abc")), 0},
		{"all empty", "", "", "", "", 0},
		{"only target", "abc", "aXc", "abc", string(text("aXc")), 0},
		{"only work", "abc", "abc", "aXc", string(text("aXc")), 0},
		{"different places", "abcde", "aXcde", "abcYe", string(text("aXcYe")), 0},
		{"neighboring lines", "abcd", "aXcd", "abYd", string(text("aXYd")), 0},
		{"an insertion before a changed line", "abc", "aXc", "aYbc", string(text("aYXc")), 0},
		{"an insertion after a changed line", "abc", "aXc", "abYc", string(text("aXYc")), 0},
		{"the same change", "abc", "aXc", "aXc", string(text("aXc")), 0},
		{"the same insertion", "ab", "aXb", "aXb", string(text("aXb")), 0},
		{"the same insertion with more after it", "ab", "aXb", "aXYb", string(text("aXYb")), 0},
		{"the same insertion with more before it", "ab", "aXb", "aYXb", string(text("aYXb")), 0},
		{"the same deletion", "abc", "ac", "ac", string(text("ac")), 0},
		{"a deletion beside a change", "abcd", "acd", "abXd", string(text("aXd")), 0},
		{"work emptied, target changed nothing", "abc", "abc", "", "", 0},
		{"both changed a line", "abc", "aXc", "aYc", string(text("a")) + conflict("Y", "b", "X") + string(text("c")), 1},
		{"both inserted at a place", "ab", "aXb", "aYb", string(text("a")) + conflict("Y", "", "X") + string(text("b")), 1},
		{"both inserted, with a common end", "ab", "aXZb", "aYZb", string(text("a")) + conflict("Y", "", "X") + string(text("Zb")), 1},
		{"deleted and changed", "abc", "aXc", "ac", string(text("a")) + conflict("", "b", "X") + string(text("c")), 1},
		{"an insertion in what was deleted", "abcd", "ad", "abXcd", string(text("a")) + conflict("bXc", "bc", "") + string(text("d")), 1},
		{"one change over two", "abcdef", "aXYZef", "aBcDef", string(text("a")) + conflict("BcD", "bcd", "XYZ") + string(text("ef")), 1},
		{"two places", "abcdefg", "aXcdeXg", "aYcdeYg", string(text("a")) + conflict("Y", "b", "X") + string(text("cde")) + conflict("Y", "f", "X") + string(text("g")), 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mergeLines(text(test.base), text(test.target), text(test.work), defaultLabels)
			if diff := cmp.Diff(test.want, string(got.text)); diff != "" || got.conflicts != test.conflicts {
				t.Errorf("%d conflicts, want %d (-want +got):\n%s", got.conflicts, test.conflicts, diff)
			}
		})
	}
}

func TestMergeLinesWithoutFinalNewline(t *testing.T) {
	for _, test := range []struct {
		name, base, target, work, want string
		conflicts                      int
	}{
		{"nobody has one", "a\nb", "X\nb", "a\nb", "X\nb", 0},
		{"work took it away", "a\nb\n", "X\nb\n", "a\nb", "X\nb", 0},
		{"target took it away", "a\nb\n", "a\nb", "X\nb\n", "X\nb", 0},
		{"both added a line after the last", "a", "a\nX", "a\nY", "<<<<<<< yours\na\nY\n||||||| golam before\na\n=======\na\nX\n>>>>>>> golam now\n", 1},
		{"work added one to a file without", "a\nb", "a\nb", "a\nb\nc", "a\nb\nc", 0},
		{"work took it away and target added lines", "a\nb\n", "a\nb\nX\n", "a\nb", "a\nb\nX\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mergeLines([]byte(test.base), []byte(test.target), []byte(test.work), defaultLabels)
			if diff := cmp.Diff(test.want, string(got.text)); diff != "" || got.conflicts != test.conflicts {
				t.Errorf("%d conflicts, want %d (-want +got):\n%s", got.conflicts, test.conflicts, diff)
			}
		})
	}
}

func TestMarkersAreLongerThanThoseInTheText(t *testing.T) {
	for _, test := range []struct {
		work string
		want int
	}{
		{"mine\n", 7},
		{"A heading\n=======\n", 8},
		{"<<<<<<< HEAD\n======== \n>>>>>>>>>\n", 10},
		{"==================\n", 7},
		{"a =======\n=======b\n", 7},
		{"=======", 8},
		{"=======\r\n", 8},
	} {
		got := mergeLines([]byte("old\n"), []byte("new\n"), []byte(test.work), defaultLabels)
		if got.marker != test.want || got.conflicts != 1 {
			t.Errorf("%q: %d conflicts with markers of %d, want 1 of %d:\n%s", test.work, got.conflicts, got.marker, test.want, got.text)
		}
		if !HasMarkers(got.text, got.marker) || HasMarkers([]byte(test.work), got.marker) {
			t.Errorf("%q: HasMarkers does not tell golam's markers from the owner's:\n%s", test.work, got.text)
		}
	}
}

func TestMergeTwo(t *testing.T) {
	got := mergeTwo(text("abXd"), text("aYbd"), defaultLabels)
	want := "a\n<<<<<<< yours\nY\n=======\n>>>>>>> golam now\nb\n<<<<<<< yours\n=======\nX\n>>>>>>> golam now\nd\n"
	if diff := cmp.Diff(want, string(got.text)); diff != "" || got.conflicts != 2 {
		t.Errorf("%d conflicts, want 2 (-want +got):\n%s", got.conflicts, diff)
	}
}

// edit is a change of lines [start, end) of a base.
type edit struct {
	start, end int
	lines      []string
}

// randomEdits are in order and apart: between two of them is at least one line that stays, and at most gap. Inserted lines are words of the author's.
func randomEdits(random *rand.Rand, lines, gap int, author string) []edit {
	var edits []edit
	at := 0
	for {
		start := at + random.IntN(gap)
		end := start + random.IntN(3)
		if end > lines {
			return edits
		}
		var added []string
		for range random.IntN(3) {
			added = append(added, fmt.Sprintf("%s %d\n", author, random.IntN(1_000_000)))
		}
		if start != end || len(added) > 0 {
			edits = append(edits, edit{start, end, added})
			at = end + 1
		}
	}
}

func edited(base []string, edits []edit) []string {
	result := slices.Clone(base)
	for _, e := range slices.Backward(edits) {
		result = slices.Replace(result, e.start, e.end, e.lines...)
	}
	return result
}

func joined(lines []string) []byte { return []byte(strings.Join(lines, "")) }

// apart drops of some edits those that touch a line which others change, or which insert at the same place.
func apart(edits, others []edit) []edit {
	return slices.DeleteFunc(edits, func(e edit) bool {
		return slices.ContainsFunc(others, func(o edit) bool {
			if e.start == e.end && o.start == o.end {
				return e.start == o.start
			}
			return max(e.start, o.start) < min(e.end, o.end) || e.start == e.end && o.start < e.start && e.start < o.end ||
				o.start == o.end && e.start < o.start && o.start < e.end
		})
	})
}

// uniqueLines have no two equal ones, so that it is certain which lines an edit touches.
func uniqueLines(count int) []string {
	lines := make([]string, count)
	for i := range lines {
		lines[i] = fmt.Sprintf("base %d\n", i)
	}
	return lines
}

// inserted are the lines of edits.
func inserted(edits []edit) []string {
	var lines []string
	for _, e := range edits {
		lines = append(lines, e.lines...)
	}
	return lines
}

// checkKept finds lines of a list that a text does not have in their order.
func checkKept(t *testing.T, seed uint64, text []byte, lines []string) {
	t.Helper()
	rest := splitLines(text)
	for _, line := range lines {
		i := slices.Index(rest, line)
		if i < 0 {
			t.Fatalf("seed %d: the line %q is lost in\n%s", seed, line, text)
		}
		rest = rest[i+1:]
	}
}

func TestMergeLinesOfEditsThatAreApart(t *testing.T) {
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 2))
		base, gap := uniqueLines(random.IntN(60)), 2+random.IntN(20)
		theirs := randomEdits(random, len(base), gap, "golam")
		ours := apart(randomEdits(random, len(base), gap, "mine"), theirs)
		target, work := joined(edited(base, theirs)), joined(edited(base, ours))

		all := slices.Concat(theirs, ours)
		slices.SortFunc(all, func(a, b edit) int { return 2*(a.start-b.start) + min(max(a.end-b.end, -1), 1) })
		want := joined(edited(base, all))
		there := mergeLines(joined(base), target, work, defaultLabels)
		if there.conflicts != 0 || !bytes.Equal(there.text, want) {
			t.Fatalf("seed %d: %d conflicts: %s", seed, there.conflicts, cmp.Diff(string(want), string(there.text)))
		}
		checkKept(t, seed, there.text, inserted(ours))
		back := mergeLines(target, joined(base), there.text, defaultLabels)
		checkKept(t, seed, back.text, inserted(ours))
		// If nothing of the base is left between two edits, nobody knows which came first.
		if !touch(theirs, ours) && (back.conflicts != 0 || !bytes.Equal(back.text, work)) {
			t.Fatalf("seed %d: %d conflicts on the way back: %s", seed, back.conflicts, cmp.Diff(string(work), string(back.text)))
		}
	}
}

// checkMerge holds what is true of all texts.
func checkMerge(t *testing.T, base, target, work []byte) merged {
	t.Helper()
	got := mergeLines(base, target, work, defaultLabels)
	if bytes.Equal(base, work) && (got.conflicts > 0 || !bytes.Equal(got.text, target)) {
		t.Fatalf("work is base, and the result is not target: %q %q: %q", base, target, got.text)
	}
	if bytes.Equal(base, target) && (got.conflicts > 0 || !bytes.Equal(got.text, work)) {
		t.Fatalf("target is base, and the result is not work: %q %q: %q", base, work, got.text)
	}
	if bytes.Equal(work, target) && (got.conflicts > 0 || !bytes.Equal(got.text, work)) {
		t.Fatalf("work is target, and the result is neither: %q %q: %q", base, work, got.text)
	}
	// With the sides exchanged the same is in conflict.
	if other := mergeLines(base, work, target, Labels{Work: defaultLabels.Target, Base: defaultLabels.Base, Target: defaultLabels.Work}); other.conflicts != got.conflicts {
		t.Fatalf("%d conflicts, and %d with the sides exchanged: %q %q %q", got.conflicts, other.conflicts, base, target, work)
	} else if got.conflicts == 0 && !bytes.Equal(other.text, got.text) {
		t.Fatalf("%q, and with the sides exchanged %q", got.text, other.text)
	}
	if got.conflicts > 0 != HasMarkers(got.text, got.marker) {
		t.Fatalf("%d conflicts, and markers: %v: %q", got.conflicts, HasMarkers(got.text, got.marker), got.text)
	}
	// Each line that work has and base has not is in the result at least as often.
	counts := func(text []byte) map[string]int {
		all := map[string]int{}
		for _, line := range splitLines(text) {
			all[strings.TrimSuffix(line, "\n")]++
		}
		return all
	}
	inBase, inResult := counts(base), counts(got.text)
	for line, times := range counts(work) {
		if inBase[line] == 0 && inResult[line] < times {
			t.Fatalf("the line %q of work is lost: %q %q %q: %q", line, base, target, work, got.text)
		}
	}
	return got
}

func TestMergeLinesOfRandomTexts(t *testing.T) {
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 3))
		alphabet := 1 + random.IntN(10)
		sides := make([][]byte, 3)
		for i := range sides {
			sides[i] = joined(randomLines(random, random.IntN(12), alphabet))
			if random.IntN(4) == 0 {
				sides[i] = bytes.TrimSuffix(sides[i], []byte("\n"))
			}
			if i > 0 && random.IntN(8) == 0 {
				sides[i] = sides[random.IntN(i)]
			}
		}
		checkMerge(t, sides[0], sides[1], sides[2])
	}
}

func FuzzMergeLines(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nX\nc\n"), []byte("a\nb\nY"))
	f.Add([]byte("a\r\n"), []byte("=======\n"), []byte(""))
	f.Fuzz(func(t *testing.T, base, target, work []byte) { checkMerge(t, base, target, work) })
}

// gitMerge is what git merge-file makes of three texts.
func gitMerge(t *testing.T, dir string, base, target, work []byte) merged {
	t.Helper()
	for name, content := range map[string][]byte{"base": base, "target": target, "work": work} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "git", "merge-file", "-p", "--diff3", "-L", defaultLabels.Work, "-L", defaultLabels.Base, "-L", defaultLabels.Target,
		"work", "base", "target")
	command.Dir = dir
	out, err := command.Output()
	result := merged{text: out}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		result.conflicts = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestMergeLinesAsGit compares with git merge-file --diff3. Whatever git merges golam merges too, to the same text. Where git finds no
// conflict with neighbors or common insertions (see mergeLines and settle), the conflicts are the same to the byte.
func TestMergeLinesAsGit(t *testing.T) {
	dir := t.TempDir()
	var same, fewer int
	tried := cases(t, 400)
	for seed := range tried {
		random := rand.New(rand.NewPCG(seed, 4))
		base, gap := uniqueLines(5+random.IntN(40)), 2+random.IntN(40)
		theirs, ours := randomEdits(random, len(base), gap, "golam"), randomEdits(random, len(base), gap, "mine")
		target, work := joined(edited(base, theirs)), joined(edited(base, ours))
		got, want := mergeLines(joined(base), target, work, defaultLabels), gitMerge(t, dir, joined(base), target, work)
		switch {
		case bytes.Equal(got.text, want.text) && got.conflicts == want.conflicts:
			same++
		case touch(theirs, ours) && inConflict(got) < inConflict(want):
			fewer++
		default:
			t.Fatalf("seed %d: git has %d conflicts, golam %d (-git +golam):\n%s", seed, want.conflicts, got.conflicts, cmp.Diff(string(want.text), string(got.text)))
		}
	}
	t.Logf("%d of %d the same as git, %d with neighboring changes, which only git takes for conflicts", same, tried, fewer)
}

// TestMergeLinesAsGitWithEqualLines does the same with lines that occur often, where a change has many places that it could be at. What git merges
// golam merges, too, nearly always to the same text: where an equal line could be the one that stays, the two may choose different ones.
func TestMergeLinesAsGitWithEqualLines(t *testing.T) {
	dir := t.TempDir()
	var same, fewer, different int
	tried := cases(t, 400)
	for seed := range tried {
		random := rand.New(rand.NewPCG(seed, 5))
		base := randomLines(random, 10+random.IntN(30), 6)
		side := func() []byte {
			lines := slices.Clone(base)
			for range 1 + random.IntN(2) {
				start := random.IntN(len(lines) - 3)
				lines = slices.Replace(lines, start, start+random.IntN(3), randomLines(random, random.IntN(3), 6)...)
			}
			return joined(lines)
		}
		target, work := side(), side()
		got, want := mergeLines(joined(base), target, work, defaultLabels), gitMerge(t, dir, joined(base), target, work)
		switch {
		case bytes.Equal(got.text, want.text):
			same++
		case got.conflicts < want.conflicts:
			fewer++
		case got.conflicts > want.conflicts:
			t.Errorf("seed %d: git has %d conflicts, golam %d: %q %q %q", seed, want.conflicts, got.conflicts, base, target, work)
		default:
			different++
		}
	}
	t.Logf("of %d: %d the same as git, %d with fewer conflicts, %d different", tried, same, fewer, different)
}

// inConflict is the number of lines between markers.
func inConflict(m merged) int {
	lines, inside := 0, false
	for _, line := range splitLines(m.text) {
		switch {
		case strings.HasPrefix(line, "<<<<<<<"):
			inside = true
		case strings.HasPrefix(line, ">>>>>>>"):
			inside = false
		case inside:
			lines++
		}
	}
	return lines
}

// touch reports whether an edit begins where one of the others ends.
func touch(edits, others []edit) bool {
	for _, e := range edits {
		for _, o := range others {
			if e.start == o.end || o.start == e.end {
				return true
			}
		}
	}
	return false
}
