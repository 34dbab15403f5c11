package rawjson_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/rawjson"
)

type (
	plan   string
	seats  uint16
	limits map[plan]seats
)

// TestEncode compares the encoding of values with that of encoding/json.
func TestEncode(t *testing.T) {
	text, number := "text", 7
	var noText *string
	var noTime *time.Time
	for _, value := range []any{
		nil, "", "a \"b\"\n é", plan("pro"), true, false, json.Number("12345678901234567890.10"), json.RawMessage(`{"a":[1]}`), rawjson.Value("[1]"),
		0, -1, int8(-128), int16(1), int32(1), int64(math.MinInt64), uint(1), uint8(255), seats(9), uint32(1), uint64(math.MaxUint64), uintptr(1), time.Second,
		0.0, math.Copysign(0, -1), 1.0, 0.25, 999_999.0, 1e6, 1_000_000.5, 1e20, 123456789012345678901.0, 1e21, 1e22, -1e21, 1e-6, 1e-7, -1.5e-9, 1e-10, 1e-100,
		math.MaxFloat64, math.SmallestNonzeroFloat64, float32(0.1), float32(1e6), float32(1e21), float32(1e-7), float32(1e-6), float32(3.4e38), float32(16777216),
		&text, noText, &number, noTime, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), big.NewInt(1), netip.MustParseAddr("::1"),
		[]string(nil),
		[]string{},
		[]string{"a", "b"},
		[]plan{"a"},
		[]bool{true, false},
		[]int{1, 2},
		[]seats{1},
		[]float64{1e6, 1e-7},
		[2]string{"a"},
		[]byte("bytes"),
		[]byte{},
		[2]byte{1, 2},
		[]*string{&text, nil},
		[][]int{{1}, nil},
		[]any{nil, "a", 1, 1e6, []any{}, map[string]any{}},
		[]any(nil),
		[]json.Number{"1"},
		map[string]string(nil),
		map[string]any{},
		map[string]int{"b": 1, "a": 2},
		map[string]bool{"a": true},
		limits{"pro": 1},
		limits(nil),
		map[string]any{"a": nil, "b": []any{1, "x"}, "c": map[string][]string{"d": nil}, "e": time.Minute},
	} {
		got, err := rawjson.Encode(value)
		if err != nil {
			t.Errorf("%#v: %v", value, err)
			continue
		}
		want, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%#v is written as %s, by encoding/json as %s", value, got, want)
		}
	}
}

type broken struct{ text string }

func (b broken) MarshalJSON() ([]byte, error) {
	if b.text == "" {
		return nil, errors.New("secret")
	}
	return []byte(b.text), nil
}

func TestEncodeRefuses(t *testing.T) {
	circle := make([]any, 1)
	circle[0] = circle
	for _, value := range []any{
		math.NaN(), math.Inf(1), math.Inf(-1), float32(math.Inf(1)),
		struct{ A int }{1},
		[]any{struct{}{}},
		map[string]any{"a": make(chan int)},
		func() {},
		map[int]string{1: "a"},
		complex(1, 1),
		broken{},
		broken{"{"},
		broken{" "},
		rawjson.Value{},
		json.Number("NaN"),
		[]float64{math.NaN()},
		circle,
	} {
		if got, err := rawjson.Encode(value); err == nil || !errors.Is(err, rawjson.ErrEncode) && !errors.Is(err, rawjson.ErrSyntax) {
			t.Errorf("%T: got %.40q, %v", value, got, err)
		}
	}
}

// FuzzEncodeFloat compares the encoding of numbers with that of encoding/json.
func FuzzEncodeFloat(f *testing.F) {
	for _, number := range []float64{0, 1e6, 1e21, 1e-7, 1.5e-9} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number float64) {
		for _, value := range []any{number, float32(number)} {
			got, err := rawjson.Encode(value)
			want, wantErr := json.Marshal(value)
			if (err == nil) != (wantErr == nil) || string(got) != string(want) {
				t.Errorf("%v is written as %s, %v, by encoding/json as %s, %v", value, got, err, want, wantErr)
			}
		}
	})
}
