package generator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"

	"github.com/golam-cli/golam/templates"
)

const (
	leftDelimiter, rightDelimiter = "<%", "%>"
	templateSuffix                = ".tmpl"
	dotPrefix                     = "dot_"
)

// Render makes the project that the spec asks for. It depends on nothing but the spec, and gives the same bytes everywhere.
func Render(spec Spec) (Tree, error) { return render(templates.FS(), spec) }

func render(layers fs.FS, spec Spec) (Tree, error) {
	project, err := newData(spec)
	if err != nil {
		return nil, err
	}
	used, err := project.layers(layers)
	if err != nil {
		return nil, err
	}
	sources, err := find(layers, used, project)
	if err != nil {
		return nil, err
	}
	callable, err := shared(layers, used)
	if err != nil {
		return nil, err
	}
	files, errs := make([]File, len(sources)), make([]error, len(sources))
	var group sync.WaitGroup
	for i, source := range sources {
		group.Go(func() { files[i], errs[i] = source.render(layers, callable) })
	}
	group.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	projectFile, err := projectFile(spec)
	if err != nil {
		return nil, err
	}
	files = append(files, projectFile)
	lock, err := lockFile(files)
	if err != nil {
		return nil, err
	}
	return NewTree(append(files, lock))
}

// layers are those that the project has.
func (d *Data) layers(layers fs.FS) ([]layer, error) {
	all, err := listLayers(layers)
	return slices.DeleteFunc(all, func(l layer) bool { return !d.hasAll(l.features) }), err
}

// shared parses the partials: the named texts that templates can include. They are in a folder of their own, and in folders of layers.
func shared(layers fs.FS, used []layer) (*template.Template, error) {
	root := template.New("").Delims(leftDelimiter, rightDelimiter).Option("missingkey=error").Funcs(functions())
	root.Funcs(template.FuncMap{"include": func(name string, data any) (string, error) { return include(root, name, data) }})
	var names []string
	places := []string{partialsFolder}
	for _, layer := range used {
		places = append(places, path.Join(layer.folder, partialsFolder))
	}
	for _, place := range places {
		found, err := fs.Glob(layers, place+"/*"+templateSuffix)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	for _, name := range names {
		text, err := fs.ReadFile(layers, name)
		if err != nil {
			return nil, err
		}
		if _, err := root.New(name).Parse(string(text)); err != nil {
			return nil, fmt.Errorf("template %s: %w", name, err)
		}
	}
	return root, nil
}

// source is a template, and one file of the project that it is rendered to.
type source struct {
	name   string // in the file system of layers
	target string // the path in the project
	data   any
}

// find lists the files of the project and their templates, in order, and refuses two for one file.
func find(layers fs.FS, used []layer, project *Data) ([]source, error) {
	var sources []source
	owners := map[string]string{}
	add := func(layer layer, name, target string, data any) error {
		if owner, taken := owners[target]; taken {
			return fmt.Errorf("layers %s and %s both want %s: give it one owner", owner, layer.folder, target)
		}
		owners[target] = layer.folder
		sources = append(sources, source{name: name, target: target, data: data})
		return nil
	}
	for _, layer := range used {
		err := layer.walk(layers, func(name, target string) error {
			if !ofFunction(target) {
				return add(layer, name, target, project.whole(layer.features))
			}
			for _, function := range project.functions {
				if !function.hasAll(layer.features) {
					continue
				}
				if err := add(layer, name, function.path(target), function.data); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return sources, nil
}

func (s source) render(layers fs.FS, shared *template.Template) (File, error) {
	fail := func(err error) (File, error) { return File{}, fmt.Errorf("template %s: %w", s.name, err) }
	text, err := fs.ReadFile(layers, s.name)
	if err != nil {
		return fail(err)
	}
	content := text
	if bytes.Contains(text, []byte(leftDelimiter)) { // to parse the others as well would take longer
		parsed, err := shared.New(s.name).Parse(string(text))
		if err != nil {
			return fail(err)
		}
		var rendered bytes.Buffer
		if err := parsed.Execute(&rendered, s.data); err != nil {
			return fail(err)
		}
		content = rendered.Bytes()
	}
	file := File{Path: s.target, Content: content, Executable: bytes.HasPrefix(content, []byte("#!"))}
	if err := check(file); err != nil {
		return fail(err)
	}
	return file, nil
}

// include executes a partial whose name a template computes, as that of a kind or a flavor.
func include(templates *template.Template, name string, data any) (string, error) {
	if templates.Lookup(name) == nil {
		return "", fmt.Errorf("no partial is called %s: define it, even if it is empty; CONTRIBUTING.md lists the partials of a kind and of a flavor", name)
	}
	var text strings.Builder
	err := templates.ExecuteTemplate(&text, name, data)
	return text.String(), err
}

// check refuses a file that no template should have made. Whether Go is formatted is up to tests that render every combination of choices: it
// took three quarters of the time.
func check(file File) error {
	content := file.Content
	switch {
	case len(bytes.TrimSpace(content)) == 0:
		return errors.New("the file is empty: put it into a layer of its own")
	case !bytes.HasSuffix(content, []byte("\n")) || bytes.HasSuffix(content, []byte("\n\n")):
		return errors.New("the file does not end in one line feed")
	case bytes.Contains(content, []byte("\r")):
		return errors.New("the file has a carriage return")
	case bytes.Contains(content, []byte("<no value>")):
		return errors.New("a value is unresolved")
	case bytes.Contains(content, []byte(leftDelimiter)) || bytes.Contains(content, []byte(rightDelimiter)):
		return errors.New("a delimiter is left over")
	}
	switch {
	case path.Base(file.Path) == "go.mod":
		parsed, err := modfile.Parse(file.Path, content, nil)
		if err != nil {
			return err
		}
		formatted, err := parsed.Format()
		if err != nil {
			return err
		}
		if !bytes.Equal(formatted, content) {
			return fmt.Errorf("the file is not as go mod tidy wants it: %s", firstDifference(content, formatted))
		}
		return checkRequired(parsed)
	case path.Ext(file.Path) == ".yaml" || path.Ext(file.Path) == ".yml":
		decoder := yaml.NewDecoder(bytes.NewReader(content))
		for {
			var document any // a yaml.Node would take a key that is there twice
			if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
		}
	case path.Ext(file.Path) == ".json":
		if !json.Valid(content) {
			return errors.New("the file is not JSON")
		}
	}
	return nil
}

// goString writes a text as a string of Go.
func goString(text string) string {
	if strings.Contains(text, `"`) && strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// align replaces the first bar of each line by as many spaces as it takes for what follows to begin in one column, as gofmt has it. Lines
// without a bar begin another column.
func align(text string) string {
	lines := strings.Split(text, "\n")
	for start := 0; start < len(lines); start++ {
		end, width := start, 0
		for ; end < len(lines) && strings.Contains(lines[end], "|"); end++ {
			width = max(width, strings.Index(lines[end], "|")+1)
		}
		for i := start; i < end; i++ {
			before, after, _ := strings.Cut(lines[i], "|")
			lines[i] = before + strings.Repeat(" ", width-len(before)) + after
		}
		start = end
	}
	return strings.Join(lines, "\n")
}

// sortedJSON writes YAML as indented JSON with sorted keys, as encoding/json does.
func sortedJSON(text string) (string, error) {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return "", err
	}
	encoded, err := json.MarshalIndent(value, "", "  ")
	return string(encoded), err
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want []byte) string {
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return fmt.Sprintf("line %d is %q, not %q", i+1, gotLines[i], wantLines[i])
		}
	}
	return "one of the two is longer"
}

// allowed are the sprig functions that templates may use: pure ones, and only those that some template needs.
var allowed = []string{"dict", "sortAlpha", "trimPrefix"}

// functions returns what templates may call.
func functions() template.FuncMap {
	hermetic := sprig.HermeticTxtFuncMap()
	chosen := template.FuncMap{
		"goString": goString,
		"align":    align,
		"indent": func(spaces int, text string) string {
			return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", spaces))
		},
		"tabs": func(tabs int, text string) string {
			return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat("\t", tabs))
		},
		"sortedJSON": sortedJSON,
		"yaml": func(text string) (string, error) {
			encoded, err := yaml.Marshal(text)
			return strings.TrimSuffix(string(encoded), "\n"), err
		},
		"json": func(value any) (string, error) {
			encoded, err := json.Marshal(value)
			return string(encoded), err
		},
	}
	for _, name := range allowed {
		chosen[name] = hermetic[name]
	}
	return chosen
}
