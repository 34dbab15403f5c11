package eventbus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strings"
)

// Pattern is a rule's event pattern (Amazon EventBridge User Guide, "Creating Amazon EventBridge event patterns").
type Pattern struct{ root matcher }

// matcher decides about the value at a place of the event.
type matcher interface {
	matches(value any) bool
	// wantsNone tells that it matches only where nothing is.
	wantsNone() bool
}

// missing is the value of a place that the event does not have.
type missing struct{}

// maxDepth is how deep a pattern may be nested. EventBridge bounds its size instead.
const maxDepth = 64

// parsePattern reads a pattern. The error names the place.
func parsePattern(text []byte) (Pattern, error) {
	value, err := decode(text)
	if err != nil {
		return Pattern{}, fmt.Errorf("the pattern is not JSON: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return Pattern{}, errors.New("the pattern is no JSON object with something in it")
	}
	root, err := parseObject(object, "", 0)
	return Pattern{root}, err
}

// matches takes an event that is decoded.
func (p Pattern) matches(event any) bool { return p.root != nil && p.root.matches(event) }

// decode keeps numbers as they are written.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after it")
	}
	return value, nil
}

// fields asks that every field fulfils its part, and one of the alternatives of $or if there are any.
type fields struct {
	parts map[string]matcher
	or    []matcher
	none  bool // see wantsNone
}

func (f fields) matches(value any) bool {
	if array, ok := value.([]any); ok && len(array) > 0 {
		// All fields are looked for in one element, as EventBridge does. That fields are absent is a matter of all elements.
		if f.wantsNone() {
			return !slices.ContainsFunc(array, func(element any) bool { return !f.matches(element) })
		}
		return slices.ContainsFunc(array, f.matches)
	}
	object, _ := value.(map[string]any) // every field is missing in any other value
	for name, part := range f.parts {
		found, ok := object[name]
		if !ok {
			found = missing{}
		}
		if !part.matches(found) {
			return false
		}
	}
	return len(f.or) == 0 || slices.ContainsFunc(f.or, func(m matcher) bool { return m.matches(value) })
}

func (f fields) wantsNone() bool { return f.none }

// leaves adds the values at a place to those found before: the values in an array, however deep. An object is none, and neither is an
// empty array.
func leaves(found []any, value any) []any {
	switch value := value.(type) {
	case missing, map[string]any:
		return found
	case []any:
		for _, element := range value {
			found = leaves(found, element)
		}
		return found
	}
	return append(found, value)
}

func parseObject(object map[string]any, place string, depth int) (matcher, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the pattern is nested more than %d deep at %s", maxDepth, place)
	}
	f := fields{parts: map[string]matcher{}}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := strings.TrimPrefix(place+"."+name, ".")
		var part matcher
		var err error
		switch value := object[name].(type) {
		case map[string]any:
			if len(value) == 0 {
				return nil, fmt.Errorf("%s: an empty object matches nothing", at)
			}
			part, err = parseObject(value, at, depth+1)
		case []any:
			if name == "$or" {
				f.or, err = parseOr(value, at, depth)
				if err != nil {
					return nil, err
				}
				continue
			}
			part, err = parseAlternatives(value, at)
		default:
			return nil, fmt.Errorf("%s: put the value into an array", at)
		}
		if err != nil {
			return nil, err
		}
		f.parts[name] = part
	}
	f.none = !slices.ContainsFunc(f.or, func(m matcher) bool { return !m.wantsNone() })
	for _, part := range f.parts {
		f.none = f.none && part.wantsNone()
	}
	return f, nil
}

func parseOr(alternatives []any, place string, depth int) ([]matcher, error) {
	const least = 2
	if len(alternatives) < least {
		return nil, fmt.Errorf("%s: give two or more objects", place)
	}
	var all []matcher
	for _, alternative := range alternatives {
		object, ok := alternative.(map[string]any)
		if !ok || len(object) == 0 {
			return nil, fmt.Errorf("%s: give objects with something in them", place)
		}
		m, err := parseObject(object, place, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// anyOf asks that one value fulfils one test, or that none is there for a test that wants it so.
type anyOf []test

// test is one element of the array of a field.
type test struct {
	absent bool           // wants no value at all
	value  func(any) bool // wants one such value
}

func (a anyOf) wantsNone() bool {
	return !slices.ContainsFunc(a, func(t test) bool { return !t.absent })
}

func (a anyOf) matches(value any) bool {
	values := leaves(nil, value)
	for _, t := range a {
		if t.absent {
			if len(values) == 0 {
				return true
			}
			continue
		}
		if slices.ContainsFunc(values, func(v any) bool { return t.value(v) }) {
			return true
		}
	}
	return false
}

func parseAlternatives(values []any, place string) (matcher, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("%s: an empty array matches nothing", place)
	}
	var all anyOf
	for _, value := range values {
		t, err := parseTest(value, place)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func parseTest(value any, place string) (test, error) {
	operators, ok := value.(map[string]any)
	if !ok {
		if _, nested := value.([]any); nested {
			return test{}, fmt.Errorf("%s: an array in an array matches nothing", place)
		}
		return test{value: equals(value)}, nil
	}
	if len(operators) != 1 {
		return test{}, fmt.Errorf("%s: give one operator in each object", place)
	}
	for operator, operand := range operators {
		if operator == "exists" {
			exists, ok := operand.(bool)
			if !ok {
				return test{}, fmt.Errorf("%s: exists is true or false", place)
			}
			return test{absent: !exists, value: func(any) bool { return true }}, nil
		}
		accepts, err := parseOperator(operator, operand)
		if err != nil {
			return test{}, fmt.Errorf("%s: %w", place, err)
		}
		return test{value: accepts}, nil
	}
	panic("unreachable: there is one operator")
}

func parseOperator(operator string, operand any) (func(any) bool, error) {
	switch operator {
	case "anything-but":
		return parseAnythingBut(operand)
	case "numeric":
		return parseNumeric(operand)
	case "cidr":
		return parseCIDR(operand)
	}
	// The others are about text. Prefix and suffix also take {"equals-ignore-case": text}.
	fold := false
	if object, ok := operand.(map[string]any); ok && len(object) == 1 && (operator == "prefix" || operator == "suffix") {
		if operand, ok = object["equals-ignore-case"]; ok {
			fold = true
		}
	}
	text, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("%s takes text", operator)
	}
	if operator == "equals-ignore-case" {
		fold = true
	}
	if fold {
		text = strings.ToLower(text)
	}
	var accepts func(string) bool
	switch operator {
	case "prefix":
		accepts = func(s string) bool { return strings.HasPrefix(s, text) }
	case "suffix":
		accepts = func(s string) bool { return strings.HasSuffix(s, text) }
	case "equals-ignore-case":
		accepts = func(s string) bool { return s == text }
	case "wildcard":
		var err error
		if accepts, err = wildcard(text); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%q is no operator of EventBridge", operator)
	}
	return func(v any) bool {
		s, ok := v.(string)
		if fold {
			s = strings.ToLower(s)
		}
		return ok && accepts(s)
	}, nil
}

// equals compares with a value other than an object or array. Numbers are equal if they are written alike (Amazon EventBridge User Guide,
// "Creating Amazon EventBridge event patterns": 300, 300.0 and 3.0e2 are not equal).
func equals(want any) func(any) bool {
	return func(v any) bool { return v == want }
}

// rational is exact. It gives nil for numbers beyond the range of EventBridge, whose writing out would take for ever: 1e999999999.
func rational(n json.Number) *big.Rat {
	const longest = 400 // digits, of which EventBridge looks at 15
	if len(n) > longest {
		return nil
	}
	f, err := n.Float64()
	if err != nil || f > 1e15 || f < -1e15 || f != 0 && f < 1e-15 && f > -1e-15 {
		return nil
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(n.String()), "e")
	if f == 0 && strings.ContainsAny(mantissa, "123456789") {
		return nil // less than what a float64 has: 1e-999999999
	}
	r, _ := new(big.Rat).SetString(n.String())
	return r
}

// parseAnythingBut negates: no value, a list of values, or one operator about text with one text or a list of them.
func parseAnythingBut(operand any) (func(any) bool, error) {
	var refused []func(any) bool
	add := func(operator string, values any) error {
		list, ok := values.([]any)
		if !ok {
			list = []any{values}
		}
		if len(list) == 0 {
			return errors.New("anything-but takes something")
		}
		for _, value := range list {
			if operator != "" {
				accepts, err := parseOperator(operator, value)
				if err != nil {
					return err
				}
				refused = append(refused, accepts)
				continue
			}
			switch value.(type) {
			case map[string]any, []any:
				return errors.New("anything-but takes values, or one operator")
			}
			refused = append(refused, equals(value))
		}
		return nil
	}
	var err error
	if object, ok := operand.(map[string]any); ok {
		if len(object) != 1 {
			return nil, errors.New("anything-but takes one operator")
		}
		for operator, values := range object {
			switch operator {
			case "prefix", "suffix", "equals-ignore-case", "wildcard":
				err = add(operator, values)
			default:
				err = fmt.Errorf("anything-but does not take %q", operator)
			}
		}
	} else {
		err = add("", operand)
	}
	return func(v any) bool {
		return !slices.ContainsFunc(refused, func(r func(any) bool) bool { return r(v) })
	}, err
}

// parseNumeric reads [">", 0, "<=", 5].
func parseNumeric(operand any) (func(any) bool, error) {
	problem := errors.New(`numeric takes comparisons such as [">", 0, "<=", 5]`)
	list, ok := operand.([]any)
	if !ok || len(list) == 0 || len(list)%2 != 0 || len(list) > 4 {
		return nil, problem
	}
	var all []func(*big.Rat) bool
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		number, ok := list[i+1].(json.Number)
		if !ok {
			return nil, problem
		}
		bound := rational(number)
		if bound == nil {
			return nil, fmt.Errorf("numeric compares numbers from -1e15 to 1e15: %s", number)
		}
		var accepts func(int) bool
		switch operator {
		case "=":
			accepts = func(c int) bool { return c == 0 }
		case "<":
			accepts = func(c int) bool { return c < 0 }
		case "<=":
			accepts = func(c int) bool { return c <= 0 }
		case ">":
			accepts = func(c int) bool { return c > 0 }
		case ">=":
			accepts = func(c int) bool { return c >= 0 }
		default:
			return nil, problem
		}
		all = append(all, func(r *big.Rat) bool { return accepts(r.Cmp(bound)) })
	}
	return func(v any) bool {
		number, ok := v.(json.Number)
		if !ok {
			return false
		}
		r := rational(number)
		return r != nil && !slices.ContainsFunc(all, func(accepts func(*big.Rat) bool) bool { return !accepts(r) })
	}, nil
}

func parseCIDR(operand any) (func(any) bool, error) {
	text, _ := operand.(string)
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, errors.New("cidr takes a range of addresses such as 10.0.0.0/24")
	}
	return func(v any) bool {
		s, _ := v.(string)
		address, err := netip.ParseAddr(s)
		return err == nil && prefix.Contains(address)
	}, nil
}

// wildcard compares with a text in which * stands for anything, and \ takes the meaning from a * or \ behind it.
func wildcard(text string) (func(string) bool, error) {
	var parts []string // what stands between the stars
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			if i == len(text) || text[i] != '*' && text[i] != '\\' {
				return nil, errors.New(`wildcard takes \ before * and \ only`)
			}
			part.WriteByte(text[i])
		case '*':
			if len(parts) > 0 && part.Len() == 0 {
				return nil, errors.New("wildcard takes no two stars in a row")
			}
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	parts = append(parts, part.String())
	return func(s string) bool {
		if len(parts) == 1 {
			return s == parts[0]
		}
		s, ok := strings.CutPrefix(s, parts[0])
		if !ok {
			return false
		}
		last := len(parts) - 1
		for _, part := range parts[1:last] {
			_, rest, found := strings.Cut(s, part)
			if !found {
				return false
			}
			s = rest
		}
		return strings.HasSuffix(s, parts[last])
	}, nil
}
