package customizer

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"example.com/cdk-eventbridge-otlp-slim/internal/rawjson"
)

// encode writes the value of a static claim, or of one that a lookup found: strings, numbers, booleans, slices and maps of these, and whatever
// has a method MarshalJSON, such as json.RawMessage. For others package encoding/json would do, at an eighth of the binary.
func encode(value any) (rawjson.Value, error) {
	switch value := value.(type) {
	case nil:
		return rawjson.Value("null"), nil
	case string:
		return rawjson.String(value), nil
	case bool:
		return rawjson.Value(strconv.FormatBool(value)), nil
	case int:
		return rawjson.Value(strconv.Itoa(value)), nil
	case int64:
		return rawjson.Value(strconv.FormatInt(value, 10)), nil
	case float64:
		return encodeFloat(value)
	case []string:
		return rawjson.Strings(value), nil
	case []int:
		return encodeSlice(value)
	case []float64:
		return encodeSlice(value)
	case []any:
		return encodeSlice(value)
	case map[string]string:
		return encodeMap(value)
	case map[string]any:
		return encodeMap(value)
	case interface{ MarshalJSON() ([]byte, error) }:
		text, err := value.MarshalJSON()
		if err != nil {
			return nil, errNoJSON
		}
		return rawjson.Parse(text)
	}
	return nil, errNoJSON
}

var errNoJSON = errors.New("value cannot be written as JSON: give it as a string, number, boolean, slice, map or json.RawMessage")

func encodeFloat(value float64) (rawjson.Value, error) {
	// What is no number here, NaN and the infinities, is none in JSON either.
	return rawjson.Parse(strconv.AppendFloat(nil, value, 'g', -1, 64))
}

func encodeSlice[T any](values []T) (rawjson.Value, error) {
	array := rawjson.Value{'['}
	for i, value := range values {
		element, err := encode(value)
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

func encodeMap[T any](values map[string]T) (rawjson.Value, error) {
	var object rawjson.Object
	for _, name := range slices.Sorted(maps.Keys(values)) {
		member, err := encode(values[name])
		if err != nil {
			return nil, err
		}
		object.Add(name, member)
	}
	return object.Value(), nil
}
