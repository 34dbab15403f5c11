package cognito

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// object is a JSON object with its members in their order and their values as they came. Names are matched exactly, as Cognito does and
// encoding/json's structs do not.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// parseObject reads a JSON object and nothing else around it.
func parseObject(raw []byte) (object, bool) {
	if kindOf(raw) != objectKind || !json.Valid(raw) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	_, _ = decoder.Token() // the brace; the JSON is known to be valid
	found := object{}
	for decoder.More() {
		token, err := decoder.Token()
		name, named := token.(string)
		var value json.RawMessage
		if err != nil || !named || decoder.Decode(&value) != nil {
			return nil, false
		}
		found = append(found, member{name, value})
	}
	return found, true
}

// get returns a member; of several with one name the last counts, as in most JSON libraries.
func (o object) get(name string) (json.RawMessage, bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// child returns a member that is an object, or an empty one.
func (o object) child(name string) object {
	raw, _ := o.get(name)
	found, _ := parseObject(raw)
	return found
}

// text returns a member that is a string, or "".
func (o object) text(name string) string {
	raw, _ := o.get(name)
	text, _ := parseText(raw)
	return text
}

func parseText(raw []byte) (text string, ok bool) {
	if kindOf(raw) != stringKind {
		return "", false
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// parseArray reads the items of a JSON array.
func parseArray(raw []byte) (items []json.RawMessage, ok bool) {
	if kindOf(raw) != arrayKind {
		return nil, false
	}
	return items, json.Unmarshal(raw, &items) == nil
}

// parseTexts reads an array of strings.
func parseTexts(raw []byte) ([]string, bool) {
	items, ok := parseArray(raw)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i], ok = parseText(item); !ok {
			return nil, false
		}
	}
	return texts, true
}

// kind of a JSON value, told by its first byte.
type kind int

const (
	nullKind kind = iota
	stringKind
	numberKind
	booleanKind
	arrayKind
	objectKind
)

// kindOf takes what is no JSON at all for null.
func kindOf(raw []byte) kind {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return nullKind
	}
	switch raw[0] {
	case '"':
		return stringKind
	case 't', 'f':
		return booleanKind
	case '[':
		return arrayKind
	case '{':
		return objectKind
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return numberKind
	}
	return nullKind
}

// compact removes the white space between the tokens of valid JSON.
func compact(raw []byte) json.RawMessage {
	var buffer bytes.Buffer
	if err := json.Compact(&buffer, raw); err != nil {
		return json.RawMessage("null")
	}
	return buffer.Bytes()
}

// encode writes text or texts as JSON, without the escapes that HTML would need.
func encode(value any) json.RawMessage {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

// same reports whether two JSON values are equal: order of members and white space aside, numbers digit for digit.
func same(a, b []byte) bool {
	first, err := decode(a)
	if err != nil {
		return false
	}
	second, err := decode(b)
	return err == nil && reflect.DeepEqual(first, second)
}

// sameWithoutNulls is same, but ignores members of objects that are null, at any depth.
func sameWithoutNulls(a, b []byte) bool {
	first, err := decode(a)
	if err != nil {
		return false
	}
	second, err := decode(b)
	return err == nil && reflect.DeepEqual(withoutNulls(first), withoutNulls(second))
}

func decode(raw []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return value, decoder.Decode(&value)
}

// withoutNulls removes the members that are null from every object of a decoded value. Items of arrays stay: there a null has a place.
func withoutNulls(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if member == nil {
				delete(value, name)
				continue
			}
			value[name] = withoutNulls(member)
		}
	case []any:
		for i, item := range value {
			value[i] = withoutNulls(item)
		}
	}
	return value
}
