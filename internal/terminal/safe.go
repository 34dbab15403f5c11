package terminal

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text that golam prints often comes from somewhere else: from functions, recordings, source code or file names of a repository that
// somebody has cloned. It must not control the terminal, and it must not look like anything but what it is.

// replacement takes the place of each character that is not printed.
const replacement = utf8.RuneError

// unsafe reports whether a terminal would act on a character (the control characters C0 and C1), whether it changes the order in which the
// text around it is shown (Unicode's bidirectional controls), or whether it breaks a line or hides text without being seen.
func unsafe(r rune) bool {
	switch {
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return true
	case r == '\u2028', r == '\u2029': // line and paragraph separators
		return true
	case r == '\ufeff', r >= 0xe0000 && r <= 0xe007f: // byte order mark, tags
		return true
	}
	return false
}

// Printable makes text safe to print within a line.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unsafe(r) {
			return replacement
		}
		return r
	}, text)
}

// PrintableLines makes text safe to print that may have several lines. It keeps tabs, and makes line ends of Windows plain ones.
func PrintableLines(text string) string {
	return strings.Map(func(r rune) rune {
		if unsafe(r) && r != '\n' && r != '\t' {
			return replacement
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// PrintableJSON makes JSON safe to print. The characters that Printable replaces become escapes, so the value stays the same.
func PrintableJSON(text []byte) []byte {
	safe := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\n' || r == '\r' || r == '\t': // between values: within strings they are escapes already
			safe = append(safe, text[0])
		case r == utf8.RuneError && size == 1:
			safe = append(safe, `\ufffd`...)
		case r > 0xffff && unsafe(r):
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		case unsafe(r):
			safe = fmt.Appendf(safe, `\u%04x`, r)
		default:
			safe = append(safe, text[:size]...)
		}
		text = text[size:]
	}
	return safe
}

// Safe returns a writer that passes text on as PrintableLines makes it. Each Write takes whole characters.
func Safe(w io.Writer) io.Writer { return safeWriter{w} }

type safeWriter struct{ to io.Writer }

func (w safeWriter) Write(text []byte) (int, error) {
	if bytes.ContainsFunc(text, unsafe) || !utf8.Valid(text) {
		if _, err := io.WriteString(w.to, PrintableLines(string(text))); err != nil {
			return 0, err
		}
		return len(text), nil
	}
	return w.to.Write(text)
}
