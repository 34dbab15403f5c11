package invoke

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
)

// examples are events as AWS documents them: the 16 of Cognito's pre token generation trigger (Amazon Cognito Developer Guide), and those
// of API Gateway's payload format 2.0, SQS, EventBridge and S3 (their developer guides).
//
//go:embed examples
var examples embed.FS

// Example is an event with a name.
type Example struct {
	Name string `json:"name"`
	// Path is that of the project's own event, relative to the project, or "" for one that golam brings.
	Path string `json:"path,omitempty"`

	embedded string // its path in examples
}

// eventsFolder is where a project keeps its own events: those of a function in a folder with its name, or all together.
const eventsFolder = "events"

// Examples lists the events that have a name: those in the folder events of the project that dir is in, if any, then golam's own.
// A project's event hides one of golam's that has the same name.
func Examples(dir string) ([]Example, error) {
	all, err := projectEvents(projectRoot(dir))
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(examples, "examples", func(found string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(found, "examples/"), ".json"), "/", "-")
		if !slices.ContainsFunc(all, func(e Example) bool { return e.Name == name }) {
			all = append(all, Example{Name: name, embedded: found})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list golam's events: %w", err)
	}
	return all, nil
}

// projectEvents lists the events of a project. The name of one in a function's folder is that of its file, unless another event has it too:
// then the function's name comes before it, as in "api/get".
func projectEvents(root string) ([]Example, error) {
	if root == "" {
		return nil, nil
	}
	folder := filepath.Join(root, eventsFolder)
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the project's events: %w", err)
	}
	var all []Example
	times := map[string]int{}
	add := func(path string, entry fs.DirEntry) {
		if name, isEvent := strings.CutSuffix(entry.Name(), ".json"); isEvent && entry.Type().IsRegular() {
			all = append(all, Example{Name: name, Path: path})
			times[name]++
		}
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			add(path.Join(eventsFolder, entry.Name()), entry)
			continue
		}
		inner, err := os.ReadDir(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("list the project's events: %w", err)
		}
		for _, event := range inner {
			add(path.Join(eventsFolder, entry.Name(), event.Name()), event)
		}
	}
	for i, example := range all {
		if times[example.Name] > 1 {
			all[i].Name = strings.TrimSuffix(strings.TrimPrefix(example.Path, eventsFolder+"/"), ".json")
		}
	}
	return all, nil
}

// ReadExample returns the event of that name, of the function first if several have one. It is a [misuse.Error] if there is none.
func ReadExample(dir, function, name string) ([]byte, error) {
	all, err := Examples(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, wanted := range []string{function + "/" + name, name} {
		for _, example := range all {
			if example.Name == wanted {
				return example.read(dir)
			}
		}
	}
	for _, example := range all {
		names = append(names, example.Name)
	}
	return nil, misuse.New("%s", generator.Unknown("example", name, names))
}

// FirstExample returns the first of the function's own events: one in its folder, or else one that is in no function's folder. It is a
// [misuse.Error] if there is none.
func FirstExample(dir, function string) (Example, error) {
	all, err := projectEvents(projectRoot(dir))
	if err != nil {
		return Example{}, err
	}
	for _, folder := range []string{path.Join(eventsFolder, function), eventsFolder} {
		for _, example := range all {
			if path.Dir(example.Path) == folder {
				return example, nil
			}
		}
	}
	return Example{}, misuse.New("there is no event: give --event FILE, --data JSON or --example NAME; golam invoke --list names the examples")
}

func (e Example) read(dir string) ([]byte, error) {
	if e.Path == "" {
		return examples.ReadFile(e.embedded)
	}
	root, err := os.OpenRoot(projectRoot(dir))
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	defer root.Close()
	file, err := root.Open(e.Path)
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, quotas.MaxPayload+1+int64(len(ByteOrderMark))))
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	return TrimMark(data), nil
}

// ByteOrderMark is what some editors begin files in UTF-8 with.
const ByteOrderMark = "\ufeff"

// TrimMark removes a byte order mark, which JSON has no place for, from the beginning of a file.
func TrimMark(content []byte) []byte { return bytes.TrimPrefix(content, []byte(ByteOrderMark)) }
