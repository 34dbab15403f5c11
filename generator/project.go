package generator

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

const (
	// ProjectFile holds what a project was made from.
	ProjectFile = "golam.yaml"
	// LockFile holds what was rendered, so that an update can tell the user's changes from golam's.
	LockFile = "golam.lock"
	// SchemaNumber is raised when the keys of ProjectFile change. Package internal/project reads every schema since the first.
	SchemaNumber = 2
	// TemplatesNumber is raised by hand when the templates change what they render.
	TemplatesNumber = 5
)

// projectFile renders ProjectFile.
func projectFile(spec Spec) (File, error) {
	root := mapping{node: &yaml.Node{
		Kind: yaml.MappingNode, HeadComment: "What golam made this project from. Make it again: golam new --answers golam.yaml NEW-FOLDER",
	}}
	root.add("schema", SchemaNumber)
	root.add("templates", TemplatesNumber)
	for _, option := range ProjectOptions() {
		root.add(option.Key, option.Answer(spec))
	}
	var functions mapping
	for _, function := range spec.Functions {
		functions.add(function.Name, function.entry())
	}
	root.add("functions", functions)
	if root.err != nil {
		return File{}, root.err
	}
	var content bytes.Buffer
	encoder := yaml.NewEncoder(&content)
	encoder.SetIndent(2)
	if err := encoder.Encode(root.node); err != nil {
		return File{}, fmt.Errorf("encode %s: %w", ProjectFile, err)
	}
	return File{Path: ProjectFile, Content: content.Bytes()}, nil
}

// entry is the function in ProjectFile.
func (f Function) entry() mapping {
	var entry mapping
	entry.add(KindKey, f.Kind.Name())
	for _, option := range f.Kind.Options() {
		answer := f.Answers[option.Key]
		switch {
		case option.Form == Pairs:
			var pairs mapping
			parsed, _ := option.Pairing.Parse(answer) // it is valid
			for _, pair := range parsed {
				pairs.add(pair.Left, pair.Right)
			}
			entry.add(option.Key, pairs)
		case option.IsSwitch():
			entry.add(option.Key, answer == "true")
		default:
			entry.add(option.Key, answer)
		}
	}
	entry.add(MemoryKey, f.Memory)
	entry.add(TimeoutKey, f.Timeout)
	return entry
}

// mapping is a YAML mapping whose keys keep their order.
type mapping struct {
	node *yaml.Node
	err  error
}

// add adds a key. The value may be a mapping.
func (m *mapping) add(key string, value any) {
	if m.node == nil {
		m.node = &yaml.Node{Kind: yaml.MappingNode}
	}
	var name, node yaml.Node
	err := name.Encode(key)
	switch inner, ok := value.(mapping); {
	case err != nil:
	case ok && inner.node != nil:
		node, err = *inner.node, inner.err
	case ok:
		node.Kind = yaml.MappingNode
	default:
		err = node.Encode(value)
	}
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("encode %s: %w", key, err)
	}
	m.node.Content = append(m.node.Content, &name, &node)
}

// lockFile renders LockFile: a line a file, as git ls-tree writes them, without the object's type.
func lockFile(files []File) (File, error) {
	tree, err := NewTree(files)
	if err != nil {
		return File{}, err
	}
	var content bytes.Buffer
	content.WriteString("# What golam rendered: mode, git blob id and path of each file. golam reads this; do not edit it.\n")
	for _, file := range tree {
		fmt.Fprintf(&content, "%s %s %s\n", file.GitMode(), file.BlobID(), file.Path)
	}
	return File{Path: LockFile, Content: content.Bytes()}, nil
}
