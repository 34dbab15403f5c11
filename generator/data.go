package generator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Data is what the templates of every project see: the spec, and what follows from it.
type Data struct {
	Spec
	features  features
	functions []projectFunction
}

// FunctionData is what the templates of a function see. Its kind adds more.
type FunctionData struct {
	Data
	Function Function
}

// projectFunction is a function of a project, with what its kind made of it.
type projectFunction struct {
	FunctionData
	data any
}

// features are what a project or a function has: choices, kinds and platform packages. Layers are chosen by them.
type features map[string]bool

// newData gathers what the templates of the project and of its functions see.
func newData(spec Spec) (*Data, error) {
	project := &Data{Spec: spec, features: features{}}
	for _, option := range ProjectOptions() {
		if err := project.features.choose(option, *option.field(&spec)); err != nil {
			return nil, err
		}
	}
	own := make([]features, len(spec.Functions))
	for i, function := range spec.Functions {
		own[i] = features{function.Kind.Name(): true}
		own[i].add(function.Kind.Packages())
		for _, option := range function.Kind.Options() {
			if err := own[i].choose(option, function.Answers[option.Key]); err != nil {
				return nil, err
			}
		}
	}
	common := maps.Clone(project.features)
	for _, has := range own {
		maps.Copy(project.features, has)
	}
	project.features.complete()
	for i, function := range spec.Functions {
		maps.Copy(own[i], common)
		own[i].complete()
		of := FunctionData{Data: Data{Spec: spec, features: own[i]}, Function: function}
		project.functions = append(project.functions, projectFunction{of, function.Kind.Data(of)})
	}
	return project, nil
}

// choose adds the features of an answer to an option that has choices.
func (f features) choose(option Option, answer string) error {
	if option.Form != Choose {
		return nil
	}
	i := slices.IndexFunc(option.Choices, func(c Choice) bool { return c.Value == answer })
	if i < 0 {
		return fmt.Errorf("the spec's %s is %q: make specs with Catalog.Resolve", option.Key, answer)
	}
	f.add(option.Choices[i].Features)
	return nil
}

func (f features) add(names []string) {
	for _, name := range names {
		f[name] = true
	}
}

// complete adds the platform packages that are needed, and those that they need themselves.
func (f features) complete() {
	for before := -1; before != len(f); {
		before = len(f)
		for with, packages := range packageRules {
			if f.hasAll(strings.Split(with, "+")) {
				f.add(packages)
			}
		}
	}
}

func (f features) hasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !f[name] })
}

func (d Data) hasAll(names []string) bool { return d.features.hasAll(names) }

// Has reports whether the project has a feature: a choice, a kind of function, or a platform package. In the template of a function it is
// the function that has it.
func (d Data) Has(feature string) bool { return d.features[feature] }

// whole is what the templates of the whole project see in a layer with the features: the project, and the first function that the layer is for.
func (d *Data) whole(features []string) any {
	if len(d.functions) == 0 {
		return d
	}
	return d.with(max(0, slices.IndexFunc(d.functions, func(f projectFunction) bool { return f.hasAll(features) })))
}

// with is the project together with one of its functions.
func (d Data) with(i int) any {
	function := d.functions[i].FunctionData
	function.Data = d
	return function.Function.Kind.Data(function)
}

// Functions are the project's functions, each as its kind makes it.
func (d Data) Functions() []any {
	functions := make([]any, len(d.functions))
	for i, function := range d.functions {
		functions[i] = function.data
	}
	return functions
}

// Several reports whether the project has more than one function.
func (d Data) Several() bool { return len(d.Spec.Functions) > 1 }

// Those names the functions that have a feature, as pages do: `a`, `b` and `c`.
func (d Data) Those(feature string) string {
	var names []string
	for _, function := range d.functions {
		if function.Has(feature) {
			names = append(names, "`"+function.Function.Name+"`")
		}
	}
	return enumerate(names)
}

// AllHave reports whether every function has a feature.
func (d Data) AllHave(feature string) bool {
	return !slices.ContainsFunc(d.functions, func(f projectFunction) bool { return !f.Has(feature) })
}

// FirstOfKinds are the project together with the first function of each kind, for what a kind has once a project.
func (d Data) FirstOfKinds() []any {
	var found []any
	seen := map[string]bool{}
	for i, function := range d.functions {
		if name := function.Function.Kind.Name(); !seen[name] {
			seen[name] = true
			found = append(found, d.with(i))
		}
	}
	return found
}

// path is that of a file of the function, by the path of its template.
func (f FunctionData) path(target string) string {
	return strings.NewReplacer(functionMark, f.Function.Name, packageMark, f.Function.Package()).Replace(target)
}

// DebugPort is the port of the function's debugger in golam watch --debug, where ports follow the order of names.
func (f FunctionData) DebugPort() int {
	port := 2345
	for _, other := range f.Spec.Functions {
		if other.Name < f.Function.Name {
			port++
		}
	}
	return port
}

// GOARCH is Go's word for the architecture.
func (d Data) GOARCH() string {
	if d.Arch == "x86_64" {
		return "amd64"
	}
	return d.Arch
}

// Slim reports whether the function runs on the project's own Runtime API client.
func (d Data) Slim() bool { return d.Runtime == "slim" }

// Logging is the package whose Logger the function's parts write to.
func (d Data) Logging() string {
	if d.Slim() {
		return "lambdaruntime"
	}
	return "slog"
}

// Traces reports whether the function makes spans.
func (d Data) Traces() bool { return d.OTel != "off" }

// FollowsXRay reports whether spans go to where Lambda's own are, so that X-Ray decides which traces are recorded.
func (d Data) FollowsXRay() bool { return d.OTel == "cloudwatch" || d.OTel == "collector" }

// Setting is the name of a setting as the project's flavor spells it.
func (d Data) Setting(name string) string { return d.Flavor().Spell(name) }
