package tokens

import "example.com/cdk-slim/internal/platform/rawjson"

// encode writes the value of a static claim, or of one that a lookup found.
func encode(value any) (rawjson.Value, error) { return rawjson.Encode(value) }
