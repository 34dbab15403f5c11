package merge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// apply makes the second text from the first and the hunks between them.
func apply(t *testing.T, hunks []hunk, from, to []string) []string {
	t.Helper()
	var result []string
	at, end := 0, 0
	for i, h := range hunks {
		if h.oldStart < at || h.oldEnd < h.oldStart || h.newEnd < h.newStart || h.oldStart == h.oldEnd && h.newStart == h.newEnd {
			t.Fatalf("hunk %v is out of order or empty", h)
		}
		if i > 0 && h.oldStart == at {
			t.Fatalf("hunks %v and %v touch", hunks[i-1], h)
		}
		if h.oldStart-at != h.newStart-end {
			t.Fatalf("hunk %v is not at the same place in both", h)
		}
		result = append(result, from[at:h.oldStart]...)
		result = append(result, to[h.newStart:h.newEnd]...)
		at, end = h.oldEnd, h.newEnd
	}
	return append(result, from[at:]...)
}

// distance is the number of lines to delete and to insert, at least, found in the slow and simple way.
func distance(from, to []string) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		corner := row[0]
		row[0] = i + 1
		for j := range to {
			above := row[j+1]
			if from[i] == to[j] {
				row[j+1] = corner
			} else {
				row[j+1] = min(above, row[j]) + 1
			}
			corner = above
		}
	}
	return row[len(to)]
}

func cost(hunks []hunk) int {
	sum := 0
	for _, h := range hunks {
		sum += h.oldEnd - h.oldStart + h.newEnd - h.newStart
	}
	return sum
}

// randomLines are lines of an alphabet of a given size.
func randomLines(random *rand.Rand, length, alphabet int) []string {
	lines := make([]string, length)
	for i := range lines {
		lines[i] = fmt.Sprintf("%d\n", random.IntN(alphabet))
	}
	return lines
}

func TestDiffIsValidAndShortest(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		alphabet := 1 + random.IntN(12)
		from, to := randomLines(random, random.IntN(30), alphabet), randomLines(random, random.IntN(30), alphabet)
		hunks := diff(from, to)
		if got := apply(t, hunks, from, to); !slices.Equal(got, to) {
			t.Fatalf("seed %d: %q to %q: hunks %v make %q", seed, from, to, hunks, got)
		}
		if got, want := cost(hunks), distance(from, to); got != want {
			t.Fatalf("seed %d: %q to %q: hunks %v change %d lines, %d are enough", seed, from, to, hunks, got, want)
		}
	}
}

// pathological are texts of many lines, most of 1 MB each. A quadratic algorithm would take minutes for them.
func pathological() map[string][2][]string {
	const lines = 125_000
	random := rand.New(rand.NewPCG(1, 1))
	repeat := func(line string, count int) []string { return slices.Repeat([]string{line}, count) }
	shuffled := randomLines(random, lines, lines)
	reversed := slices.Clone(shuffled)
	slices.Reverse(reversed)
	return map[string][2][]string{
		"one line over and over, and a different one": {repeat("aaaaaaa\n", lines), repeat("bbbbbbb\n", lines)},
		"half as many of the same line":               {repeat("aaaaaaa\n", lines), repeat("aaaaaaa\n", lines/2)},
		"two lines in random order":                   {randomLines(random, lines, 2), randomLines(random, lines, 2)},
		"two lines in turns, shifted":                 {strings.SplitAfter(strings.Repeat("a\nb\n", lines/2), "\n"), strings.SplitAfter(strings.Repeat("b\nb\na\n", lines/3), "\n")},
		"reversed":                                    {shuffled, reversed},
		"nothing in common":                           {shuffled, strings.SplitAfter("x"+strings.Join(shuffled, "x"), "\n")},
	}
}

func TestDiffOfPathologicalTexts(t *testing.T) {
	for name, texts := range pathological() {
		t.Run(name, func(t *testing.T) {
			hunks := diff(texts[0], texts[1])
			if !slices.Equal(apply(t, hunks, texts[0], texts[1]), texts[1]) {
				t.Error("the hunks do not make the second text from the first")
			}
		})
	}
}

func TestDiffPlacesTheSameChangeAtTheSameLine(t *testing.T) {
	from := []string{"a\n", "b\n", "a\n", "b\n"}
	for _, test := range []struct {
		to   []string
		want []hunk
	}{
		{[]string{"a\n", "b\n", "a\n", "b\n", "a\n", "b\n"}, []hunk{{4, 4, 4, 6}}},
		{[]string{"a\n", "b\n"}, []hunk{{2, 4, 2, 2}}},
	} {
		if got := diff(from, test.to); !slices.Equal(got, test.want) {
			t.Errorf("diff to %q: %v, want %v", test.to, got, test.want)
		}
	}
}

func BenchmarkDiff(b *testing.B) {
	for name, texts := range pathological() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				diff(texts[0], texts[1])
			}
		})
	}
}
