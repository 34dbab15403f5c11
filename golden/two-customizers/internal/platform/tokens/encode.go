package tokens

import (
	"encoding/json"
	"errors"

	"example.com/two-customizers/internal/platform/rawjson"
)

// encode writes the value of a static claim, or of one that a lookup found.
func encode(value any) (rawjson.Value, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, errors.New("value cannot be written as JSON")
	}
	return raw, nil
}
