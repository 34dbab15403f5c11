package gitignore

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// pattern is one line of a file of patterns.
type pattern struct {
	negated bool // what matches is included again
	dirOnly bool
	anyDir  bool // it is matched with the last element of a path, not with the whole path
	literal string
	// glob is nil if literal is all there is to match.
	glob *regexp.Regexp
}

// wildcards are the characters that make a pattern more than a literal.
const wildcards = `*?[\`

// parsePattern reads a line. There is no pattern in a comment, in an empty line, and in one that cannot match anything.
func parsePattern(line string) (p pattern, ok bool) {
	if strings.HasPrefix(line, "#") {
		return p, false
	}
	line = trimSpaces(line)
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.dirOnly = strings.CutSuffix(line, "/")
	p.anyDir = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if !strings.ContainsAny(line, wildcards) {
		p.literal = line
		return p, line != ""
	}
	expression, ok := translate(line)
	if !ok {
		return p, false
	}
	p.glob, _ = regexp.Compile(expression) // it fails only if the expression is too large
	return p, p.glob != nil
}

// trimSpaces removes spaces at the end, except those that have a backslash before them.
func trimSpaces(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if line[i] == ' ' {
			continue
		}
		end = min(i+1, len(line))
	}
	return line[:end]
}

// matches reports whether a path matches, which is relative to the folder of the pattern.
func (p pattern) matches(name string, isDir bool) bool {
	if p.dirOnly && !isDir {
		return false
	}
	if p.anyDir {
		name = path.Base(name)
	}
	if p.glob == nil {
		return name == p.literal
	}
	return p.glob.MatchString(bytewise(name))
}

// bytewise makes each byte of s a character, because git's wildcards match bytes and those of package regexp characters.
func bytewise(s string) string {
	characters := make([]rune, len(s))
	for i := range len(s) {
		characters[i] = rune(s[i])
	}
	return string(characters)
}

// translate makes a regular expression of a glob, for names that bytewise has changed. Its time is linear, whoever wrote the pattern.
func translate(glob string) (expression string, ok bool) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(glob); {
		switch c := glob[i]; c {
		case '*':
			rest := strings.TrimLeft(glob[i:], "*")
			stars := len(glob) - i - len(rest)
			// The manual asks for a slash before **. Git itself looks only at what follows the part without wildcards.
			folders := stars > 1 && (!strings.ContainsAny(glob[:i], wildcards) || glob[i-1] == '/')
			i += stars
			switch {
			case folders && (rest == "" || strings.HasPrefix(rest, `\/`)):
				b.WriteString(`.*`)
			case folders && rest[0] == '/':
				b.WriteString(`(?:.*/)?`)
				i++
			default:
				b.WriteString(`[^/]*`)
			}
		case '?':
			b.WriteString(`[^/]`)
			i++
		case '[':
			length, set, ok := parseClass(glob[i:])
			if !ok {
				return "", false
			}
			b.WriteString(set)
			i += length
		default:
			if c == '\\' {
				if i++; i == len(glob) {
					return "", false
				}
			}
			fmt.Fprintf(&b, `\x{%x}`, glob[i])
			i++
		}
	}
	b.WriteString(`\z`)
	return b.String(), true
}

// classes are the named classes, each with the first and the last character of its ranges.
var classes = map[string]string{
	"alnum": "09AZaz", "alpha": "AZaz", "blank": "\t\t  ", "cntrl": "\x00\x1f\x7f\x7f", "digit": "09", "graph": "!~", "lower": "az",
	"print": " ~", "punct": "!/:@[`{~", "space": "\t\n\r\r  ", "upper": "AZ", "xdigit": "09AFaf",
}

// className finds the name of a class, such as [:digit:], at the start of text.
func className(text string) (name string, found bool) {
	text, begins := strings.CutPrefix(text, "[:")
	name, _, ends := strings.Cut(text, ":]")
	return name, begins && ends && !strings.Contains(name, "]")
}

// parseClass translates the class in brackets with which a glob begins. It is not ok if git would find no match for it.
func parseClass(glob string) (length int, set string, ok bool) {
	var in [256]bool
	i := 1
	negated := i < len(glob) && (glob[i] == '!' || glob[i] == '^')
	if negated {
		i++
	}
	// char reads one character, which may have a backslash before it.
	char := func() (c byte, ok bool) {
		if i < len(glob) && glob[i] == '\\' {
			i++
		}
		if i >= len(glob) {
			return 0, false
		}
		i++
		return glob[i-1], true
	}
	add := func(low, high byte) {
		for c := int(low); c <= int(high); c++ {
			in[c] = true
		}
	}
	for first := true; first || i < len(glob) && glob[i] != ']'; first = false {
		if name, found := className(glob[i:]); found {
			ranges := classes[name]
			if ranges == "" {
				return 0, "", false
			}
			for ; ranges != ""; ranges = ranges[2:] {
				add(ranges[0], ranges[1])
			}
			i += len("[:" + name + ":]")
			continue
		}
		low, ok := char()
		if !ok {
			return 0, "", false
		}
		add(low, low) // even if it is the start of a range the wrong way round
		if i+1 < len(glob) && glob[i] == '-' && glob[i+1] != ']' {
			i++
			high, ok := char()
			if !ok {
				return 0, "", false
			}
			add(low, high)
		}
	}
	if i >= len(glob) {
		return 0, "", false
	}
	in['/'] = negated // no class matches a slash
	var b strings.Builder
	for low := 0; low < len(in); low++ {
		high := low
		for high < len(in) && in[high] != negated {
			high++
		}
		if high > low {
			fmt.Fprintf(&b, `\x{%x}-\x{%x}`, low, high-1)
			low = high
		}
	}
	return i + 1, "[" + b.String() + "]", b.Len() > 0
}
