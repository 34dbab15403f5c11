package local

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	const token = "\x00token\x00"
	long := strings.Repeat("x", maxLine)
	tests := []struct {
		name    string
		printed string
		want    []string // lines; "|" for a token
		rest    string
	}{
		{"nothing", "", nil, ""},
		{"lines", "a\n\nb\r\nc", []string{"a", "", "b\r"}, "c"},
		{"token alone", token, []string{"|"}, ""},
		{"token after a line", "a\n" + token, []string{"a", "|"}, ""},
		{"token in a line", "a" + token + "b\n", []string{"a", "|", "b"}, ""},
		{"longest line", long + "\n", []string{long}, ""},
		{"longer line", long + "y\n", []string{long, "y"}, ""},
		{"long line before a token", long + "y" + token, []string{long, "y", "|"}, ""},
		{"longest line before a token", long + token, []string{long, "|"}, ""},
	}
	for _, tt := range tests {
		for _, size := range []int{1 << 30, 4096, 7} {
			var got []string
			rest := splitAll([]byte(tt.printed), []byte(token), size, func(line string) { got = append(got, line) })
			if !slices.Equal(got, tt.want) || string(rest) != tt.rest {
				t.Errorf("%s, %d bytes at a time: %d lines %.60q, rest %.60q", tt.name, size, len(got), got, rest)
			}
		}
	}
}

// splitAll feeds an output, size bytes at a time, and returns what is left.
func splitAll(printed, token []byte, size int, line func(string)) []byte {
	o := &output{token: token, passed: make(chan struct{}, 1), line: func(text []byte) { line(string(text)) }}
	var pending []byte
	for {
		n := min(size, len(printed))
		searched := max(0, len(pending)-len(token)+1)
		pending = o.split(append(pending, printed[:n]...), searched, func() { line("|") })
		printed = printed[n:]
		if len(printed) == 0 {
			return pending
		}
	}
}

// However the bytes arrive, they come out in the same lines, and none is lost.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("a\nb\x00\x01\x00c\n\nd"), 3)
	f.Add([]byte("\x00\x00\x01\x00\x00\x01"), 1)
	f.Fuzz(func(t *testing.T, printed []byte, size int) {
		token := []byte("\x00\x01\x00")
		collect := func(size int) (lines []string, rest []byte) {
			rest = splitAll(printed, token, max(size, 1), func(line string) { lines = append(lines, line) })
			return lines, rest
		}
		whole, restWhole := collect(len(printed))
		pieces, restPieces := collect(size)
		if !slices.Equal(whole, pieces) || !bytes.Equal(restWhole, restPieces) {
			t.Errorf("%q: %q %q, %d bytes at a time %q %q", printed, whole, restWhole, size, pieces, restPieces)
		}
	})
}

func TestTail(t *testing.T) {
	var tl tail
	var all []byte
	for i := range 3000 {
		line := bytes.Repeat([]byte{'a' + byte(i%26)}, i%90)
		tl.add(line)
		all = append(append(all, line...), '\n')
		if want := all[max(0, len(all)-tailSize):]; !bytes.Equal(tl.bytes(), want) {
			t.Fatalf("after %d lines: %q, want %q", i, tl.bytes(), want)
		}
	}
	tl.add(bytes.Repeat([]byte("z"), 2*tailSize))
	if got := tl.bytes(); len(got) != tailSize || got[tailSize-1] != '\n' || got[0] != 'z' {
		t.Errorf("after a long line: %d bytes", len(got))
	}
	tl.reset()
	if got := tl.bytes(); len(got) != 0 {
		t.Errorf("after a reset: %q", got)
	}
}
