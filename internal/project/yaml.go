package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/generator"
)

// node is a part of a YAML document. Reading one never follows an alias unless it says so, so nothing grows when it is read.
type node = yaml.Node

// field is one key of a mapping, and its value.
type field struct {
	name  *node
	value *node
}

// empty says that a file has no content.
const empty = "nothing"

// load returns the mapping that a file holds, or says why it is none. Is and has begin sentences about the file.
func load(data []byte, is, has string) (root *node, problem string) {
	if len(data) > MaxSize {
		return nil, fmt.Sprintf("%s larger than %d bytes", is, MaxSize)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil, empty
	case err != nil:
		return nil, is + " not YAML: " + strings.TrimPrefix(generator.Shorten(err.Error()), "yaml: ")
	}
	if err := decoder.Decode(new(node)); !errors.Is(err, io.EOF) {
		return nil, has + " more than one YAML document: keep one"
	}
	root = document.Content[0]
	switch {
	case isNull(root):
		return nil, empty
	case root.Kind != yaml.MappingNode:
		return nil, is + " not a mapping: write lines such as iac: sam"
	}
	return root, ""
}

func isNull(n *node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// fieldsOf returns the keys of a mapping in the order of the file.
func fieldsOf(mapping *node) []field {
	var fields []field
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		fields = append(fields, field{mapping.Content[i], mapping.Content[i+1]})
	}
	return fields
}

// lookup returns the value of a key, or nil.
func lookup(mapping *node, key string) *node {
	for _, field := range fieldsOf(mapping) {
		if field.name.Kind == yaml.ScalarNode && field.name.Value == key {
			return field.value
		}
	}
	return nil
}

// schemaOf returns the number of the file's format: 0 if it has none. A format that this golam does not know is a problem.
func schemaOf(root *node) (schema int, problem string) {
	value := lookup(root, "schema")
	if value == nil || isNull(value) {
		return 0, ""
	}
	number, err := strconv.Atoi(value.Value)
	switch {
	case value.Kind != yaml.ScalarNode || err != nil || number < 1:
		return 0, fmt.Sprintf("schema: %q is no schema that golam writes: use %d", generator.Shorten(value.Value), generator.SchemaNumber)
	case number > generator.SchemaNumber:
		return 0, fmt.Sprintf("schema: a newer golam wrote schema %d, and this one reads 1 to %d: use the newer golam", number, generator.SchemaNumber)
	}
	return number, ""
}

// scalar returns the text of a value that is neither a list, a mapping nor empty. Aliases are refused.
func scalar(value *node) (text string, ok bool) {
	if value.Kind != yaml.ScalarNode || isNull(value) || value.Tag == "!!binary" {
		return "", false
	}
	return value.Value, true
}

// pairs reads pairs in one of their forms: text, a list, or a mapping.
func pairs(value *node) (text string, ok bool) {
	var written []string
	switch value.Kind {
	case yaml.SequenceNode:
		for _, item := range value.Content {
			text, ok := scalar(item)
			if !ok || item.Tag != "!!str" || strings.Contains(text, ",") {
				return "", false
			}
			written = append(written, text)
		}
	case yaml.MappingNode:
		for _, field := range fieldsOf(value) {
			left, named := scalar(field.name)
			right, ok := scalar(field.value)
			if !named || !ok || strings.ContainsAny(left, "=,") || strings.Contains(right, ",") {
				return "", false
			}
			written = append(written, generator.Pair{Left: left, Right: right}.String())
		}
	default:
		return scalar(value)
	}
	return strings.Join(written, ","), true
}

// unreadable says that a value has the wrong form.
func unreadable(err error) string { return "golam cannot read it: " + err.Error() }

func asInvalid(err error) (*generator.InvalidError, bool) {
	return errors.AsType[*generator.InvalidError](err)
}

// settingKeys are the keys of a function that say how golam builds and runs it. They are no answers.
var settingKeys = []string{"env_file", "include", "payload"}

func isSetting(key string) bool { return slices.Contains(settingKeys, key) }
