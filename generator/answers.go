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

// ParseAnswers reads an answers file: a YAML (or JSON) mapping from option keys to values. Pairs may be text or a list. Its error is an
// [InvalidError] with every problem of the file's form; what could be read is returned all the same, so that [Catalog.Resolve] can judge the
// values and the user learns of everything at once.
func (c Catalog) ParseAnswers(data []byte) (Answers, error) {
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
		return fail("the answers are not YAML: " + strings.TrimPrefix(Shorten(err.Error()), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fail("the answers hold more than one YAML document: keep one")
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return fail("the answers are not a mapping: write lines such as iac: sam")
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
			problem(name, "", fmt.Sprintf("%q is given twice", Shorten(name.Value)))
		case slices.Contains(projectKeys, name.Value):
		case !slices.Contains(c.keys(), name.Value):
			problem(name, "", Unknown("option", name.Value, c.keys()))
		default:
			option, _ := c.Option(name.Value)
			if text, ok := answerText(option, value); ok {
				answers[name.Value] = text
			} else {
				problem(value, name.Value, "the value is not "+wanted(option))
			}
		}
		seen[name.Value] = true
	}
	if len(invalid.Problems) > 0 {
		return answers, invalid
	}
	return answers, nil
}

func wanted(option Option) string {
	if option.Form == Pairs {
		return "a list of " + option.Pairing.Form + " pairs, or text with commas between them"
	}
	return "a single value"
}

// answerText reads a scalar, or for pairs a list of scalars. Aliases are refused, and with them everything that grows when expanded.
func answerText(option Option, node *yaml.Node) (string, bool) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null" && node.Tag != "!!binary":
		return node.Value, true
	case node.Kind == yaml.SequenceNode && option.Form == Pairs:
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
