package rawjson

import (
	"encoding/base64"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
)

// ErrEncode means that a Go value can't be encoded as JSON. It contains nothing of the value.
var ErrEncode = errors.New("value cannot be written as JSON: give it as a string, number or boolean, as a slice, array, map or pointer of these, " +
	"or with a method MarshalJSON")

// Encode encodes a value as encoding/json does. It supports strings, numbers, booleans, slices, arrays, maps with string keys, pointers to all of
// these, named types, and every type with a method MarshalJSON or MarshalText. It does not support structs.
func Encode(value any) (Value, error) { return encode(reflect.ValueOf(value), 0) }

func encode(value reflect.Value, depth int) (Value, error) {
	if missing(value) {
		return Value("null"), nil
	}
	if depth > maxDepth {
		return nil, ErrEncode
	}
	switch own := value.Interface().(type) {
	case interface{ MarshalJSON() ([]byte, error) }:
		text, err := own.MarshalJSON()
		if err != nil {
			return nil, ErrEncode
		}
		return Parse(text)
	case interface{ MarshalText() ([]byte, error) }:
		text, err := own.MarshalText()
		if err != nil {
			return nil, ErrEncode
		}
		return String(string(text)), nil
	case jsonNumber:
		return Parse([]byte(own.String()))
	}
	switch value.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(nil, value.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(nil, value.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(nil, value.Uint(), 10), nil
	case reflect.Float32:
		return encodeFloat(value.Float(), 32)
	case reflect.Float64:
		return encodeFloat(value.Float(), 64)
	case reflect.String:
		return String(value.String()), nil
	case reflect.Pointer, reflect.Interface:
		return encode(value.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		return encodeList(value, depth)
	case reflect.Map:
		return encodeMap(value, depth)
	}
	return nil, ErrEncode
}

// jsonNumber is json.Number.
type jsonNumber interface {
	Int64() (int64, error)
	Float64() (float64, error)
	String() string
}

// missing reports whether a value is a nil that becomes null in JSON.
func missing(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return value.IsNil()
	}
	return false
}

func encodeFloat(number float64, bits int) (Value, error) {
	format := byte('f')
	size, small, large := math.Abs(number), 1e-6, 1e21
	if bits == 32 {
		small, large = float64(float32(small)), float64(float32(large))
	}
	if size != 0 && (size < small || size >= large) {
		format = 'e'
	}
	text := strconv.AppendFloat(nil, number, format, -1, bits)
	if n := len(text); format == 'e' && n >= 4 && string(text[n-4:n-1]) == "e-0" {
		text = append(text[:n-2], text[n-1]) // 1e-7, not 1e-07
	}
	return Parse(text) // Parse refuses NaN and the infinities, which are not JSON
}

func encodeList(list reflect.Value, depth int) (Value, error) {
	if list.Kind() == reflect.Slice && list.Type().Elem().Kind() == reflect.Uint8 {
		return String(base64.StdEncoding.EncodeToString(list.Bytes())), nil
	}
	array := Value{'['}
	for i := range list.Len() {
		element, err := encode(list.Index(i), depth+1)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			array = append(array, ',')
		}
		array = append(array, element...)
	}
	return append(array, ']'), nil
}

func encodeMap(values reflect.Value, depth int) (Value, error) {
	if values.Type().Key().Kind() != reflect.String {
		return nil, ErrEncode
	}
	members := map[string]reflect.Value{}
	for all := values.MapRange(); all.Next(); {
		members[all.Key().String()] = all.Value()
	}
	var object Object
	for _, name := range slices.Sorted(maps.Keys(members)) {
		member, err := encode(members[name], depth+1)
		if err != nil {
			return nil, err
		}
		object.Add(name, member)
	}
	return object.Value(), nil
}
