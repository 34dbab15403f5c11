package rawjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"example.com/sam-v1/internal/platform/rawjson"
)

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `}`, `[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{1:2}`,
		`[}`, `{]`, `tru`, `True`, `nul`, `nulll`, `1 2`, `{} {}`, `01`, `-`, `+1`, `.5`, `1.`, `1e`, `1e+`, `0x1`, `NaN`, `"`, `"\"`, `"\x"`, `"\u12"`,
		`"\u12g4"`, "\"\n\"", `'a'`, "\ufeff{}", nested(10_001),
	} {
		if value, err := rawjson.Parse([]byte(text)); !errors.Is(err, rawjson.ErrSyntax) || value != nil {
			t.Errorf("%.40q: got %.40q, %v", text, value, err)
		}
	}
}

// nested returns arrays within arrays.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestDepth(t *testing.T) {
	if _, err := rawjson.Parse([]byte(nested(10_000))); err != nil {
		t.Error(err)
	}
}

func TestWalk(t *testing.T) {
	value, err := rawjson.Parse([]byte(" \n{\"a\" : [ 1 ,\t\"two\", [ ] ] , \"b\": { } ,\r\n\"a\":null,\"c\\u0041\":-1.5e+3 } "))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, member := range value.Members() {
		got = append(got, name+"="+string(member))
		for element := range member.Elements() {
			got = append(got, string(element)+string(element.Kind()))
		}
	}
	want := []string{"a=[ 1 ,\t\"two\", [ ] ]", "11", `"two""`, "[ ][", "b={ }", "a=null", "cA=-1.5e+3"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if a, none := value.Member("a"), value.Member("d"); string(a) != "null" || none != nil {
		t.Errorf("got %q and %q", a, none)
	}
	for range value.Members() {
		break
	}
	for range rawjson.Value("[1,2]").Elements() {
		break
	}
}

// TestWalkCopiesNothing expects members and elements to share the bytes of the text, for speed, and to be safe to append to.
func TestWalkCopiesNothing(t *testing.T) {
	text := []byte(`{"a":[17,18]}`)
	value, err := rawjson.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	array := value.Member("a")
	for element := range array.Elements() {
		if &element[0] != &text[6] {
			t.Error("an element is a copy")
		}
		_ = append(element, "99"...)
		break
	}
	if &array[0] != &text[5] {
		t.Error("a member is a copy")
	}
	_ = append(array, '!')
	if want := `{"a":[17,18]}`; string(text) != want {
		t.Errorf("after appending to parts of it the text is %s", text)
	}
}

func TestOtherKindsHoldNothing(t *testing.T) {
	for _, value := range []rawjson.Value{nil, rawjson.Value("null"), rawjson.Value("12"), rawjson.Value("true")} {
		for name := range value.Members() {
			t.Errorf("%s has a member %q", value, name)
		}
		for element := range value.Elements() {
			t.Errorf("%s has an element %s", value, element)
		}
		if text := value.Text(); text != "" {
			t.Errorf("%s has the text %q", value, text)
		}
	}
}

func TestWrite(t *testing.T) {
	var object, empty rawjson.Object
	object.Grow(100)
	object.Add("quote\"", rawjson.String("back\\slash\n<é>"))
	object.Add("list", rawjson.Strings([]string{"a", "b"}))
	object.Add("none", rawjson.Strings(nil))
	object.Add("object", empty.Value())
	want := `{"quote\"":"back\\slash\n<é>","list":["a","b"],"none":[],"object":{}}`
	if got := string(object.Value()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	before := object.Value()
	object.Add("more", rawjson.String("x"))
	if got := string(before); got != want {
		t.Errorf("after another member it is %s", got)
	}
	encoded, err := json.Marshal(map[string]rawjson.Value{"a": rawjson.Value("[1]"), "b": nil})
	if err != nil || string(encoded) != `{"a":[1],"b":null}` {
		t.Errorf("got %s, %v", encoded, err)
	}
}

// FuzzString encodes a text and decodes it with encoding/json.
func FuzzString(f *testing.F) {
	f.Add("\x00\x1f \"\\/\x7f\u2028é\U0001D11E")
	f.Add("\xff\xc3 no UTF-8")
	f.Fuzz(func(t *testing.T, text string) {
		var got, want string
		if err := json.Unmarshal(rawjson.String(text), &got); err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q is written as %q, by encoding/json as %q", text, got, want)
		}
	})
}

// FuzzParse compares the package with encoding/json.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,{"b":"\ud834\udd1e\ud834x\u00e9\/"}],"a":-0.5E-7}`, ` [ true , false , null ] `, `"\ud800\ud800\udc00"`, `"` + "\xff\xc3" + `"`, `[[[]]]`, `{"":""}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := rawjson.Parse(text)
		if valid := json.Valid(text); valid != (err == nil) {
			t.Fatalf("encoding/json says %v, rawjson %v", valid, err)
		}
		if err != nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := decode(t, value); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %#v\nwant %#v", got, want)
		}
	})
}

// decode returns the Go value that encoding/json would return.
func decode(t *testing.T, value rawjson.Value) any {
	t.Helper()
	switch value.Kind() {
	case '{':
		object := map[string]any{}
		for name, member := range value.Members() {
			object[name] = decode(t, member)
		}
		return object
	case '[':
		array := []any{}
		for element := range value.Elements() {
			array = append(array, decode(t, element))
		}
		return array
	case '"':
		text := value.Text()
		if again := rawjson.String(text).Text(); again != text {
			t.Errorf("%q is written and read as %q", text, again)
		}
		return text
	case 't', 'f':
		return value.Kind() == 't'
	case 'n':
		return nil
	}
	return json.Number(value)
}
