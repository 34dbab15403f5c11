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
	sources, err := find(layers, spec)
	if err != nil {
		return nil, err
	}
	files, errs := make([]File, len(sources)), make([]error, len(sources))
	callable, data := functions(), spec.data()
	var group sync.WaitGroup
	for i, source := range sources {
		group.Go(func() { files[i], errs[i] = source.render(layers, callable, data) })
	}
	group.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	project, err := projectFile(spec)
	if err != nil {
		return nil, err
	}
	files = append(files, project)
	lock, err := lockFile(files)
	if err != nil {
		return nil, err
	}
	return NewTree(append(files, lock))
}

// data is what the templates of the project see.
func (s Spec) data() any {
	project := Data{s}
	if len(s.Functions) == 0 {
		return project
	}
	return s.Functions[0].Kind.Data(project, s.Functions[0])
}

// Layers returns the names of the layers that make up the project, in the order in which they are rendered. A layer that several choices
// add is there once.
func Layers(spec Spec) ([]string, error) {
	layers := []string{"base"}
	add := func(more []string) {
		for _, layer := range more {
			if !slices.Contains(layers, layer) {
				layers = append(layers, layer)
			}
		}
	}
	var chosen []Choice
	for _, option := range spec.Options() {
		if option.Form != Choose {
			continue
		}
		value := option.Answer(spec)
		i := slices.IndexFunc(option.Choices, func(c Choice) bool { return c.Value == value })
		if i < 0 {
			return nil, fmt.Errorf("the spec's %s is %q: make specs with Catalog.Resolve", option.Key, value)
		}
		add(option.Choices[i].Layers)
		chosen = append(chosen, option.Choices[i])
	}
	for _, choice := range chosen {
		for other, more := range choice.LayersWith {
			if slices.Contains(layers, other) {
				add(more)
			}
		}
	}
	return layers, nil
}

// together returns the layers that belong to a project because it has two others: a+b where it has a and b.
func together(layers fs.FS, names []string) ([]string, error) {
	entries, err := fs.ReadDir(layers, ".")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		first, second, both := strings.Cut(entry.Name(), "+")
		if both && slices.Contains(names, first) && slices.Contains(names, second) {
			found = append(found, entry.Name())
		}
	}
	return found, nil
}

// source is one template of a layer.
type source struct {
	name   string // in the file system of layers
	target string // the path in the project
}

// find lists the templates of the project's layers, in order, and refuses two for one file.
func find(layers fs.FS, spec Spec) ([]source, error) {
	names, err := Layers(spec)
	if err != nil {
		return nil, err
	}
	together, err := together(layers, names)
	if err != nil {
		return nil, err
	}
	var sources []source
	owners := map[string]string{}
	for _, layer := range append(names, together...) {
		err := fs.WalkDir(layers, layer, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			target, found := strings.CutSuffix(strings.TrimPrefix(name, layer+"/"), templateSuffix)
			if !found {
				return fmt.Errorf("template %s: the name does not end in %s", name, templateSuffix)
			}
			elements := strings.Split(target, "/")
			for i, element := range elements {
				if rest, dotted := strings.CutPrefix(element, dotPrefix); dotted {
					elements[i] = "." + rest
				}
			}
			target = path.Join(elements...)
			if owner, taken := owners[target]; taken {
				return fmt.Errorf("layers %s and %s both want %s: give it one owner", owner, layer, target)
			}
			owners[target] = layer
			sources = append(sources, source{name: name, target: target})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return sources, nil
}

func (s source) render(layers fs.FS, callable template.FuncMap, data any) (File, error) {
	fail := func(err error) (File, error) { return File{}, fmt.Errorf("template %s: %w", s.name, err) }
	text, err := fs.ReadFile(layers, s.name)
	if err != nil {
		return fail(err)
	}
	parsed, err := template.New(s.name).Delims(leftDelimiter, rightDelimiter).Option("missingkey=error").Funcs(callable).Parse(string(text))
	if err != nil {
		return fail(err)
	}
	var content bytes.Buffer
	if err := parsed.Execute(&content, data); err != nil {
		return fail(err)
	}
	file := File{Path: s.target, Content: content.Bytes(), Executable: bytes.HasPrefix(content.Bytes(), []byte("#!"))}
	if err := check(file); err != nil {
		return fail(err)
	}
	return file, nil
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
			var node yaml.Node
			if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
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
var allowed = []string{"trimPrefix"}

// functions returns what templates may call.
func functions() template.FuncMap {
	hermetic := sprig.HermeticTxtFuncMap()
	chosen := template.FuncMap{
		"goString": strconv.Quote,
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

// Data is what the templates of every project see: the spec, and what follows from it. A kind adds its own.
type Data struct {
	Spec
}

// GOARCH is Go's word for the architecture.
func (d Data) GOARCH() string {
	if d.Arch == "x86_64" {
		return "amd64"
	}
	return d.Arch
}

// Slim tells whether the function runs on the project's own Runtime API client.
func (d Data) Slim() bool { return d.Runtime == "slim" }

// Logging is the package whose Logger the function's parts write to.
func (d Data) Logging() string {
	if d.Slim() {
		return "lambdaruntime"
	}
	return "slog"
}

// Traces tells whether the function makes spans.
func (d Data) Traces() bool { return d.OTel != "off" }

// FollowsXRay tells whether spans go to where Lambda's own are, so that X-Ray decides which traces are recorded.
func (d Data) FollowsXRay() bool { return d.OTel == "cloudwatch" || d.OTel == "collector" }

// Setting is the name of something that a deployment can choose: a parameter of the SAM template, or a key in the context of the CDK app,
// which is spelled the same but begins with a small letter.
func (d Data) Setting(key string) string {
	if d.IaC == "sam" {
		return strings.ToUpper(key[:1]) + key[1:]
	}
	return key
}
