package generator

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// ProjectFile holds what a project was made from.
	ProjectFile = "golam.yaml"
	// LockFile holds what was rendered, so that an update can tell the user's changes from golam's.
	LockFile = "golam.lock"
	// SchemaNumber is raised when the keys of ProjectFile change.
	SchemaNumber = 1
	// TemplatesNumber is raised by hand when the templates change what they render.
	TemplatesNumber = 4
)

// projectFile renders ProjectFile.
func projectFile(spec Spec) (File, error) {
	root := &yaml.Node{Kind: yaml.MappingNode, HeadComment: "What golam made this project from. Make it again: golam new --answers golam.yaml NEW-FOLDER"}
	add := func(key string, value any) error {
		var node yaml.Node
		if err := node.Encode(value); err != nil {
			return fmt.Errorf("encode %s: %w", key, err)
		}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &node)
		return nil
	}
	type entry struct {
		key   string
		value any
	}
	entries := []entry{{"schema", SchemaNumber}, {"templates", TemplatesNumber}}
	for _, option := range spec.Options() {
		if option.Form == Pairs {
			entries = append(entries, entry{option.Key, strings.Split(option.Answer(spec), ",")})
			continue
		}
		entries = append(entries, entry{option.Key, option.Answer(spec)})
	}
	var functions []map[string]string
	for _, function := range spec.Functions {
		functions = append(functions, map[string]string{"name": function.Name})
	}
	entries = append(entries, entry{"functions", functions})
	for _, entry := range entries {
		if err := add(entry.key, entry.value); err != nil {
			return File{}, err
		}
	}
	var content bytes.Buffer
	encoder := yaml.NewEncoder(&content)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return File{}, fmt.Errorf("encode %s: %w", ProjectFile, err)
	}
	return File{Path: ProjectFile, Content: content.Bytes()}, nil
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
