// Package rawjson reads and writes JSON values as bytes, so that nothing is rounded, reordered or lost. It validates a text once and then walks
// through it. It replaces encoding/json, which is larger. What the values mean does not belong here.
//
// Source: RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format".
package rawjson

import (
	"errors"
	"iter"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one valid JSON value as it was written, without space around it. The zero Value is no value.
type Value []byte

// ErrSyntax means that a text is not one JSON value. It contains nothing of the text.
var ErrSyntax = errors.New("not JSON")

// maxDepth is how deeply values may be nested, as in encoding/json.
const maxDepth = 10000

// Parse checks that a text is one JSON value and returns it. The value shares the text's bytes.
func Parse(text []byte) (Value, error) {
	start := space(text, 0)
	end := scan(text, start, 0)
	if end < 0 || space(text, end) != len(text) {
		return nil, ErrSyntax
	}
	return Value(text[start:end:end]), nil
}

// Kind is the first byte of a value, which tells what it is: one of { [ " t f n, a digit or a minus. It is 0 for no value.
func (v Value) Kind() byte {
	if len(v) == 0 {
		return 0
	}
	return v[0]
}

// Members returns the members of an object in their order, duplicate names included. Other values have none.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != '{' {
			return
		}
		for i := space(v, 1); v[i] != '}'; i = next(v, i) {
			end := scanString(v, i)
			name := unquote(v[i:end])
			i = space(v, space(v, end)+1) // past the colon
			end = scan(v, i, 0)
			if !yield(name, v[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// Member returns the member of an object with a name, the last one if there are several, and no value if there is none.
func (v Value) Member(name string) Value {
	var found Value
	for member, value := range v.Members() {
		if member == name {
			found = value
		}
	}
	return found
}

// Elements returns the elements of an array in their order. Other values have none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != '[' {
			return
		}
		for i := space(v, 1); v[i] != ']'; i = next(v, i) {
			end := scan(v, i, 0)
			if !yield(v[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// next returns where the next member or element begins after one that ended at i, or where the object or array ends.
func next(v Value, i int) int {
	if i = space(v, i); v[i] == ',' {
		i = space(v, i+1)
	}
	return i
}

// Text returns the text of a string, and "" for any other value. Invalid UTF-8 in it becomes U+FFFD.
func (v Value) Text() string {
	if v.Kind() != '"' {
		return ""
	}
	return unquote(v)
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	if v == nil {
		return []byte("null"), nil
	}
	return v, nil
}

// String writes a text as JSON.
func String(text string) Value { return AppendString(make([]byte, 0, len(text)+len(`""`)), text) }

// Strings writes a list of texts as a JSON array.
func Strings(texts []string) Value {
	array := Value{'['}
	for i, text := range texts {
		if i > 0 {
			array = append(array, ',')
		}
		array = AppendString(array, text)
	}
	return append(array, ']')
}

// Object writes a JSON object, member by member. Its zero value is {}.
type Object struct{ members []byte }

// Grow makes room for n more bytes.
func (o *Object) Grow(n int) { o.members = slices.Grow(o.members, n) }

// Add appends a member.
func (o *Object) Add(name string, value Value) {
	if o.members == nil {
		o.Grow(usualSize)
	}
	separator := byte(',')
	if len(o.members) == 0 {
		separator = '{'
	}
	o.members = append(AppendString(append(o.members, separator), name), ':')
	o.members = append(o.members, value...)
}

// usualSize is the size of an object with a few members, in bytes.
const usualSize = 128

// Value is the object with the members that were added until now.
func (o *Object) Value() Value {
	if len(o.members) == 0 {
		return Value("{}")
	}
	value := Value(append(o.members, '}'))
	o.members = slices.Clip(value[:len(o.members)]) // so that Add copies the members and leaves the value alone
	return value
}

const hexDigits = "0123456789abcdef"

// AppendString appends a text as a JSON string. Invalid UTF-8 in it becomes U+FFFD.
func AppendString(to []byte, text string) []byte {
	to = append(to, '"')
	done := 0 // the bytes before this are written
	for i := 0; i < len(text); {
		c := text[i]
		if ' ' <= c && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		to = append(to, text[done:i]...)
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(text[i:])
			to = utf8.AppendRune(to, r)
			i += size - 1
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c == '\n':
			to = append(to, '\\', 'n')
		default:
			to = append(to, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		done = i
	}
	return append(append(to, text[done:]...), '"')
}

// space returns the first position from i on without space.
func space(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// scan returns where the value that begins at i ends, or -1 if it is invalid.
func scan(text []byte, i, depth int) int {
	if i >= len(text) {
		return -1
	}
	switch text[i] {
	case '{', '[':
		return scanList(text, i, depth)
	case '"':
		return scanString(text, i)
	case 't':
		return scanWord(text, i, "true")
	case 'f':
		return scanWord(text, i, "false")
	case 'n':
		return scanWord(text, i, "null")
	}
	return scanNumber(text, i)
}

// scanList scans the object or array that begins at i.
func scanList(text []byte, i, depth int) int {
	if depth >= maxDepth {
		return -1
	}
	named, closing := text[i] == '{', text[i]+2 // in ASCII, } is two after { and ] is two after [
	if i = space(text, i+1); i < len(text) && text[i] == closing {
		return i + 1
	}
	for {
		if named {
			if i = scanString(text, i); i < 0 {
				return -1
			}
			if i = space(text, i); i >= len(text) || text[i] != ':' {
				return -1
			}
			i = space(text, i+1)
		}
		if i = scan(text, i, depth+1); i < 0 {
			return -1
		}
		switch i = space(text, i); {
		case i >= len(text):
			return -1
		case text[i] == closing:
			return i + 1
		case text[i] != ',':
			return -1
		}
		i = space(text, i+1)
	}
}

func scanWord(text []byte, i int, word string) int {
	if end := i + len(word); end <= len(text) && string(text[i:end]) == word {
		return end
	}
	return -1
}

func scanString(text []byte, i int) int {
	if i >= len(text) || text[i] != '"' {
		return -1
	}
	for i++; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c == '\\':
			if i++; i >= len(text) {
				return -1
			}
			switch text[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(text, i+1); !ok {
					return -1
				}
				i += 4
			default:
				return -1
			}
		}
	}
	return -1
}

func scanNumber(text []byte, i int) int {
	if text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if i = digits(text, i); i < 0 {
		return -1
	}
	if i < len(text) && text[i] == '.' {
		if i = digits(text, i+1); i < 0 {
			return -1
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		return digits(text, i)
	}
	return i
}

// digits returns where the digits that begin at i end, or -1 if there is no digit.
func digits(text []byte, i int) int {
	start := i
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// unquote returns the text of a string that scanString has accepted.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if plain(inner) {
		return string(inner)
	}
	text := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); {
		if inner[i] != '\\' {
			r, size := utf8.DecodeRune(inner[i:])
			text = utf8.AppendRune(text, r)
			i += size
			continue
		}
		c := inner[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(inner, i)
			i += 4
			if utf16.IsSurrogate(r) {
				// Half of a surrogate pair is not a character.
				low, ok := hex4(inner, i+2)
				if ok && inner[i] == '\\' && inner[i+1] == 'u' {
					r = utf16.DecodeRune(r, low)
				} else {
					r = utf8.RuneError
				}
				if r != utf8.RuneError {
					i += 6
				}
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		text = append(text, c)
	}
	return string(text)
}

// plain reports whether the inside of a string has no escapes.
func plain(inner []byte) bool {
	for _, c := range inner {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// hex4 reads the four hexadecimal digits at i.
func hex4(text []byte, i int) (rune, bool) {
	if i+4 > len(text) {
		return 0, false
	}
	var r rune
	for _, c := range text[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
