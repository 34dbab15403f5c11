package merge

import (
	"bytes"
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// mergeYAML merges golam.yaml. It says what golam made the project from, so where target changed a value, that value counts. Everything
// else is the owner's: keys of their own, such as env_file, comments and order. If a merge by lines comes to the same, its result is taken, because it
// keeps the owner's formatting, too.
func mergeYAML(base, target, work []byte) ([]byte, error) {
	was, err := readMapping(base)
	wanted, wantedErr := readMapping(target)
	result, resultErr := readMapping(work)
	if err = errors.Join(err, wantedErr, resultErr); err != nil {
		return nil, err
	}
	mergeMapping(was.Content[0], wanted.Content[0], result.Content[0])
	if byLines := mergeLines(base, target, work, defaultLabels); byLines.conflicts == 0 {
		lines, err := readMapping(byLines.text)
		if err == nil && sameNode(lines, result) {
			return byLines.text, nil
		}
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err = errors.Join(encoder.Encode(result), encoder.Close())
	return text.Bytes(), err
}

// readMapping reads a document that is a mapping. No text is an empty one.
func readMapping(text []byte) (*yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if document.Kind == 0 {
		document = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	if document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is not a mapping")
	}
	return &document, nil
}

// mergeMapping changes in result what differs between base and target.
func mergeMapping(base, target, result *yaml.Node) {
	at := 0 // where the next new key goes: after the key that it follows in target
	for i := 0; i < len(target.Content); i += 2 {
		key, wanted := target.Content[i], target.Content[i+1]
		was, is := valueOf(base, key.Value), valueOf(result, key.Value)
		switch {
		case was != nil && sameNode(was, wanted): // the owner's
		case is == nil:
			result.Content = slices.Insert(result.Content, at, key, wanted)
		case was != nil && was.Kind == yaml.MappingNode && wanted.Kind == yaml.MappingNode && is.Kind == yaml.MappingNode:
			mergeMapping(was, wanted, is)
		case !sameNode(is, wanted):
			comment := is.LineComment
			*is = *wanted
			is.LineComment = comment
		}
		if j := indexOf(result, key.Value); j >= 0 {
			at = j + 2
		}
	}
	for i := 0; i < len(base.Content); i += 2 {
		key := base.Content[i].Value
		if j := indexOf(result, key); j >= 0 && valueOf(target, key) == nil {
			result.Content = slices.Delete(result.Content, j, j+2)
		}
	}
}

func indexOf(mapping *yaml.Node, key string) int {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i
		}
	}
	return -1
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	if i := indexOf(mapping, key); i >= 0 {
		return mapping.Content[i+1]
	}
	return nil
}

// sameNode compares what two nodes mean. Comments and styles do not count.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.ShortTag() == b.ShortTag() && a.Value == b.Value && a.Anchor == b.Anchor && slices.EqualFunc(a.Content, b.Content, sameNode)
}
