// Package shell writes commands so that people can paste them into a POSIX shell. Nothing else belongs here.
package shell

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// defaultWidth is how many columns a command may take: most terminals have 80.
const defaultWidth = 79

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./~-]+$`)

// Quote writes a word so that a POSIX shell reads it back, and so that a terminal can show it.
func Quote(word string) string {
	switch {
	case plainWord.MatchString(word) && !strings.HasPrefix(word, "~"):
		return word
	case !utf8.ValidString(word), strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }):
		// A shell drops line feeds at the end of what a command prints, so something follows, which is cut off.
		var escaped strings.Builder
		for _, b := range []byte(word) {
			fmt.Fprintf(&escaped, `\%03o`, b)
		}
		if strings.HasSuffix(word, "\n") {
			trimmed := strings.TrimRight(word, "\n")
			return Quote(trimmed) + "'" + word[len(trimmed):] + "'"
		}
		return `"$(printf '` + escaped.String() + `')"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Lines writes a command in lines of at most width columns, as far as that is possible, that can be pasted into a POSIX shell as they
// are. A line is broken between words, and within a word only where that alone is wider than a line. A flag and its value stay together if
// they fit.
func Lines(words []string, width int) []string {
	const indent, least = "  ", 16
	width = max(width, least)
	var lines []string
	line := indent
	flush := func() {
		lines = append(lines, line+`\`)
		line = indent
	}
	for i, word := range words {
		quoted := Quote(word)
		together := quoted
		if i+1 < len(words) && strings.HasPrefix(word, "--") && !strings.HasPrefix(words[i+1], "-") {
			if pair := quoted + " " + Quote(words[i+1]); columns(indent+pair)+len(` \`) <= width {
				together = pair
			}
		}
		if strings.TrimSpace(line) != "" {
			if columns(line)+1+columns(together)+len(` \`) <= width {
				line += " " + quoted
				continue
			}
			line += " "
			flush()
		}
		for columns(indent+quoted)+len(` \`) > width && word != "" {
			// A line that goes on within a word has nothing before the rest of it.
			head := ""
			for _, r := range word {
				if next := head + string(r); head != "" && columns(line+Quote(next))+len(` \`) > width {
					break
				}
				head += string(r)
			}
			if !strings.HasPrefix(word, head) || head == word { // bytes that are no UTF-8, or nothing to split
				break
			}
			line += Quote(head)
			flush()
			line = ""
			word = word[len(head):]
			quoted = Quote(word)
		}
		line += quoted
	}
	return append(lines, line)
}

// columns is about how wide a text is on a terminal, and never less.
func columns(text string) int {
	const wide = 2
	n := 0
	for _, r := range text {
		if r < utf8.RuneSelf {
			n++
		} else {
			n += wide
		}
	}
	return n
}

// Text is a command for a page of text.
func Text(words []string) string { return strings.Join(Lines(words, defaultWidth), "\n") }
