package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxAnswers is the size in bytes above which an answers file is refused.
const MaxAnswers = 1 << 20

// projectKeys are the keys of golam.yaml that are no answers, so that the file of a project can serve as answers.
var projectKeys = []string{"schema", "templates", "functions"}

// ParseAnswers reads an answers file: a YAML (or JSON) mapping from option keys to values. Claims may be text or a list. Its error is an
// [InvalidError] with every problem of the file's form; what could be read is returned all the same, so that [Resolve] can judge the
// values and the user learns of everything at once.
func ParseAnswers(data []byte) (Answers, error) {
	fail := func(text string) (Answers, error) { return nil, &InvalidError{Problems: []Problem{{Text: text}}} }
	if len(data) > MaxAnswers {
		return fail(fmt.Sprintf("the answers are larger than %d bytes", MaxAnswers))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return fail("the answers are empty: --yes takes every default")
	case err != nil:
		return fail("the answers are not YAML: " + strings.TrimPrefix(shorten(err.Error()), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fail("the answers hold more than one YAML document: keep one")
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return fail("the answers are not a mapping: write lines such as trigger: v2")
	}

	answers := Answers{}
	invalid := &InvalidError{}
	problem := func(node *yaml.Node, key, text string) {
		invalid.Problems = append(invalid.Problems, Problem{Key: key, Text: fmt.Sprintf("%s (line %d of the answers)", text, node.Line)})
	}
	seen := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		switch {
		case name.Kind != yaml.ScalarNode:
			problem(name, "", "a key is not text")
		case seen[name.Value]:
			problem(name, "", fmt.Sprintf("%q is given twice", shorten(name.Value)))
		case slices.Contains(projectKeys, name.Value):
		case !slices.Contains(optionKeys(), name.Value):
			problem(name, "", Unknown("option", name.Value, optionKeys()))
		default:
			if text, ok := answerText(name.Value, value); ok {
				answers[name.Value] = text
			} else {
				problem(value, name.Value, "the value is not "+wanted(name.Value))
			}
		}
		seen[name.Value] = true
	}
	if len(invalid.Problems) > 0 {
		return answers, invalid
	}
	return answers, nil
}

func wanted(key string) string {
	if key == "claims" {
		return "a list of claim=attribute pairs, or text with commas between them"
	}
	return "a single value"
}

// answerText reads a scalar, or for claims a list of scalars. Aliases are refused, and with them everything that grows when expanded.
func answerText(key string, node *yaml.Node) (string, bool) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null" && node.Tag != "!!binary":
		return node.Value, true
	case node.Kind == yaml.SequenceNode && key == "claims":
		var pairs []string
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode || item.Tag != "!!str" || strings.Contains(item.Value, ",") {
				return "", false
			}
			pairs = append(pairs, item.Value)
		}
		return strings.Join(pairs, ","), true
	}
	return "", false
}
