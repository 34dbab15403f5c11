// Package rawjson walks through JSON and writes it as the bytes that it is, so that nothing is rounded, reordered or lost on the way. What
// the values mean is not decided here.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"slices"
)

// Value is one JSON value as it is written, without space around it. Its zero value is no value at all.
type Value []byte

// ErrSyntax says that a text is not one JSON value. It tells nothing of the text.
var ErrSyntax = errors.New("not JSON")

// Parse checks that a text is one JSON value and returns it. The value shares the text's bytes.
func Parse(text []byte) (Value, error) {
	if !json.Valid(text) {
		return nil, ErrSyntax
	}
	return Value(bytes.Trim(text, " \t\r\n")), nil
}

// Kind is the first byte of a value, which tells what it is: one of { [ " t f n, a digit or a minus. It is 0 for no value.
func (v Value) Kind() byte {
	if len(v) == 0 {
		return 0
	}
	return v[0]
}

// Members are those of an object, in their order, with names that stand there twice twice. Any other value has none.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != '{' {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(v))
		_, err := decoder.Token()
		for err == nil && decoder.More() {
			var name json.Token
			if name, err = decoder.Token(); err != nil {
				return
			}
			var value json.RawMessage
			if err = decoder.Decode(&value); err != nil || !yield(name.(string), Value(value)) {
				return
			}
		}
	}
}

// Member is the member of an object with a name, the last one if there are several, and no value if there is none.
func (v Value) Member(name string) Value {
	var found Value
	for member, value := range v.Members() {
		if member == name {
			found = value
		}
	}
	return found
}

// Elements are those of an array, in their order. Any other value has none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		var elements []json.RawMessage
		if v.Kind() != '[' || json.Unmarshal(v, &elements) != nil {
			return
		}
		for _, element := range elements {
			if !yield(Value(element)) {
				return
			}
		}
	}
}

// Text is that of a string; of any other value it is "". What is no UTF-8 in it becomes U+FFFD.
func (v Value) Text() string {
	var text string
	if v.Kind() != '"' || json.Unmarshal(v, &text) != nil {
		return ""
	}
	return text
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) { return json.RawMessage(v).MarshalJSON() }

// String writes a text as JSON.
func String(text string) Value { return encode(text) }

// Strings writes a list of texts as a JSON array.
func Strings(texts []string) Value {
	if texts == nil {
		return Value("[]")
	}
	return encode(texts)
}

func encode(texts any) Value {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(texts); err != nil { // texts can always be written
		return Value("null")
	}
	return Value(bytes.TrimSpace(encoded.Bytes()))
}

// Object writes a JSON object, member by member. Its zero value is {}.
type Object struct{ members []byte }

// Grow makes room for n more bytes, for who knows how many will come.
func (o *Object) Grow(n int) { o.members = slices.Grow(o.members, n) }

// Add appends a member.
func (o *Object) Add(name string, value Value) {
	separator := byte(',')
	if len(o.members) == 0 {
		separator = '{'
	}
	o.members = append(append(o.members, separator), String(name)...)
	o.members = append(append(o.members, ':'), value...)
}

// Value is the object with the members that were added until now.
func (o *Object) Value() Value {
	if len(o.members) == 0 {
		return Value("{}")
	}
	return append(Value(slices.Clip(o.members)), '}')
}
