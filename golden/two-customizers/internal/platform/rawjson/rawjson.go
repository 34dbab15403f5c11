// Package rawjson reads and writes JSON values as bytes, so that nothing is rounded, reordered or lost. It validates and escapes with encoding/json.
// It walks through values itself, which takes a quarter of the time of json.Decoder and far less memory. What the values mean does not belong here.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
)

// Value is one valid JSON value as it was written, without space around it. The zero Value is no value.
type Value []byte

// ErrSyntax means that a text is not one JSON value. It contains nothing of the text.
var ErrSyntax = errors.New("not JSON")

// Parse checks that a text is one JSON value and returns it. The value shares the text's bytes.
func Parse(text []byte) (Value, error) {
	if !json.Valid(text) {
		return nil, ErrSyntax
	}
	return Value(bytes.Trim(text, space)), nil
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
		for i := skip(v, 1); v[i] != '}'; i = skip(v, i) {
			nameEnd := end(v, i)
			name := v[i:nameEnd].Text()
			i = skip(v, nameEnd)
			valueEnd := end(v, i)
			if !yield(name, v[i:valueEnd:valueEnd]) {
				return
			}
			i = valueEnd
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
		for i := skip(v, 1); v[i] != ']'; i = skip(v, i) {
			valueEnd := end(v, i)
			if !yield(v[i:valueEnd:valueEnd]) {
				return
			}
			i = valueEnd
		}
	}
}

const (
	space      = " \t\r\n"
	delimiters = ",]}" + space // what can follow a number or a word
)

// skip returns where the next value begins, or the end of the object or array. It skips spaces, commas and colons.
func skip(text []byte, i int) int {
	for strings.IndexByte(",:"+space, text[i]) >= 0 {
		i++
	}
	return i
}

// end returns where the value that begins at i ends. Parse has checked the text, so every string and every bracket is closed.
func end(text []byte, i int) int {
	switch text[i] {
	case '"':
		for i++; text[i] != '"'; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		return i + 1
	case '{', '[':
		for i = skip(text, i+1); text[i] != '}' && text[i] != ']'; i = skip(text, i) {
			i = end(text, i)
		}
		return i + 1
	}
	for i < len(text) && strings.IndexByte(delimiters, text[i]) < 0 {
		i++
	}
	return i
}

// Text returns the text of a string, and "" for any other value. Invalid UTF-8 in it becomes U+FFFD.
func (v Value) Text() string {
	if v.Kind() != '"' {
		return ""
	}
	if inner := v[1 : len(v)-1]; plain(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(v, &text) // can't fail: the string is valid
	return text
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) { return json.RawMessage(v).MarshalJSON() }

// String writes a text as JSON.
func String(text string) Value { return appendString(make([]byte, 0, len(text)+len(`""`)), text) }

func appendString(to []byte, text string) []byte {
	if plain(text) {
		return append(append(append(to, '"'), text...), '"')
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // can't fail: every string can be encoded
	return append(to, bytes.TrimSpace(encoded.Bytes())...)
}

// plain reports whether a text is the same with and without the escapes of JSON: it is printable ASCII without quotes and backslashes.
func plain[T string | Value](text T) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Strings writes a list of texts as a JSON array.
func Strings(texts []string) Value {
	array := Value{'['}
	for i, text := range texts {
		if i > 0 {
			array = append(array, ',')
		}
		array = appendString(array, text)
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
	o.members = append(appendString(append(o.members, separator), name), ':')
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
