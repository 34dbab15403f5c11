package project

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/quotas"
)

// Answers are those of a file, before they are validated: the arguments of [generator.Catalog.Resolve].
type Answers struct {
	Project   generator.Answers
	Functions []generator.FunctionAnswers
}

// ParseAnswers reads a file of answers: a YAML (or JSON) mapping from the keys of options to values, or the golam.yaml of a project. Its
// error is a [generator.InvalidError] with every problem of the file's form. It returns what it could read all the same, so that
// [generator.Catalog.Resolve] can judge the values and the user learns of everything at once. Then Project is not nil.
func ParseAnswers(catalog generator.Catalog, data []byte) (Answers, error) {
	root, problem := load(data, "the answers are", "the answers have")
	if problem == empty {
		problem = "the answers are empty: --yes takes every default"
	}
	var schema int
	if problem == "" {
		schema, problem = schemaOf(root)
	}
	if problem != "" {
		return Answers{}, &generator.InvalidError{Problems: []generator.Problem{{Text: problem}}}
	}
	r := reader{catalog: catalog, file: " of the answers"}
	answers := r.answers(root, schema)
	if len(r.problems) > 0 {
		return answers, &generator.InvalidError{Problems: r.problems}
	}
	return answers, nil
}

// reader reads answers.
type reader struct {
	catalog generator.Catalog
	// file follows the number of a line in problems.
	file     string
	problems []generator.Problem
	// functions and exclude are what is of no concern to new projects.
	functions []function
	exclude   *node
}

// function is one entry of a mapping of functions.
type function struct {
	name   string
	fields []field
	own    bool // its owner wrote it, not golam: it has a path, and no kind
}

func (r *reader) problem(at *node, function, key, text string) {
	if at != nil {
		text = fmt.Sprintf("%s (line %d%s)", text, at.Line, r.file)
	}
	r.problems = append(r.problems, generator.Problem{Function: function, Key: key, Text: text})
}

// fields returns the keys of a mapping, and reports those that are no text and those that come twice.
func (r *reader) fields(mapping *node, function string) []field {
	seen := map[string]bool{}
	return slices.DeleteFunc(fieldsOf(mapping), func(f field) bool {
		key, ok := scalar(f.name)
		switch {
		case !ok:
			r.problem(f.name, function, "", "a key is not text")
		case seen[key]:
			r.problem(f.name, function, "", fmt.Sprintf("%q is given twice", generator.Shorten(key)))
		default:
			seen[key] = true
			return false
		}
		return true
	})
}

// answers reads the whole file. Schema is 0 if it has none.
func (r *reader) answers(root *node, schema int) Answers {
	answers := Answers{Project: generator.Answers{}}
	functions := lookup(root, "functions")
	// A list of names is what schema 1 has. There the answers of the one function are those of the project.
	several := schema > 1 || functions != nil && functions.Kind == yaml.MappingNode && schema == 0
	for _, f := range r.fields(root, "") {
		key := f.name.Value
		option, known := r.catalog.Option(key)
		switch {
		case key == "schema", key == "templates", key == "functions":
		case key == "exclude":
			r.exclude = f.value
		case !known:
			r.problem(f.name, "", "", generator.Unknown("option", key, r.keys(several)))
		case several && !isProjectKey(key):
			r.problem(f.name, "", key, "this is an option of functions: write it below one")
		default:
			r.answer(answers.Project, option, f.value, "")
		}
	}
	if several {
		answers.Functions = r.readFunctions(functions)
	}
	return answers
}

// keys are those that the top level of a file can have: the project's options, and if it does not name several functions, all others.
func (r *reader) keys(several bool) []string {
	options := r.catalog.Options()
	if several {
		options = generator.ProjectOptions()
	}
	var keys []string
	for _, option := range options {
		keys = append(keys, option.Key)
	}
	return keys
}

func isProjectKey(key string) bool {
	return slices.ContainsFunc(generator.ProjectOptions(), func(o generator.Option) bool { return o.Key == key })
}

// answer reads the answer to an option.
func (r *reader) answer(answers generator.Answers, option generator.Option, value *node, function string) {
	read, wanted := scalar, "a single value"
	if option.Form == generator.Pairs {
		read, wanted = pairs, "a list of "+option.Pairing.Form+" pairs, or text with commas between them"
	}
	text, ok := read(value)
	if !ok {
		r.problem(value, function, option.Key, "the value is not "+wanted)
		return
	}
	answers[option.Key] = text
}

// readFunctions reads a mapping from names to functions.
func (r *reader) readFunctions(functions *node) []generator.FunctionAnswers {
	kind := r.catalog[0]
	none := fmt.Sprintf("functions: name at least one, as in functions: {%s: {kind: %s}}", kind.DefaultFunctionName(), kind.Name())
	if functions == nil || functions.Kind != yaml.MappingNode || len(functions.Content) == 0 {
		r.problem(functions, "", "", none)
		return nil
	}
	var all []generator.FunctionAnswers
	seen := map[string]bool{}
	for _, f := range fieldsOf(functions) {
		name, ok := scalar(f.name)
		switch {
		case !ok:
			r.problem(f.name, "", "", "functions: a name is not text")
			continue
		case seen[name]:
			r.problem(f.name, "", "", fmt.Sprintf("two functions are called %s: rename one", generator.Shorten(name)))
			continue
		}
		seen[name] = true
		if answers, made := r.readFunction(name, f.value); made {
			all = append(all, answers)
		}
	}
	if len(all) == 0 && len(r.problems) == 0 {
		r.problem(functions, "", "", none+", because a function with a path and no kind is not golam's to make")
	}
	return all
}

// readFunction reads one function, and reports whether golam is to make it.
func (r *reader) readFunction(name string, settings *node) (_ generator.FunctionAnswers, made bool) {
	answers := generator.FunctionAnswers{Name: name, Answers: generator.Answers{}}
	if settings.Kind != yaml.MappingNode && !isNull(settings) {
		r.problem(settings, name, "", "write its settings as a mapping, such as {kind: "+r.catalog[0].Name()+"}")
		return answers, false
	}
	fields := r.fields(settings, name)
	path, kind := lookup(settings, "path"), lookup(settings, generator.KindKey)
	read := function{name: name, fields: fields, own: path != nil && kind == nil}
	r.functions = append(r.functions, read)
	if read.own {
		return answers, false
	}
	for _, f := range fields {
		switch key := f.name.Value; {
		case key == generator.KindKey:
			text, ok := scalar(f.value)
			if answers.Kind = text; !ok || text == "" {
				r.problem(f.value, name, key, "the value is not the name of a kind")
			}
		case key == "path":
			r.problem(f.name, name, key, "a function of a kind is in cmd/"+generator.Shorten(name)+": leave the path out")
		case !isSetting(key):
			r.answer(answers.Answers, r.option(answers.Kind, key), f.value, name)
		}
	}
	return answers, true
}

// option returns what says how an answer of a function looks: its kind's option, or that of another kind, which is then no valid answer.
func (r *reader) option(kind, key string) generator.Option {
	if found, ok := r.catalog.Kind(kind); ok {
		for _, option := range found.Options() {
			if option.Key == key {
				return option
			}
		}
	}
	option, _ := r.catalog.Option(key)
	option.Key = key
	return option
}

// entry reads what a function has beside answers.
func (f function) entry() (Function, []string) {
	settings := entryFile{Name: f.name}
	var problems []string
	for _, field := range f.fields {
		var into any
		var wanted string
		switch key := field.name.Value; {
		case key == "env_file":
			into, wanted = &settings.EnvFile, "the path of a file"
		case key == "payload":
			into, wanted = &settings.Payload, "a format such as "+PayloadV2
		case key == "include":
			into, wanted = &settings.Include, "a list of files and folders"
		case !f.own:
			continue
		case key == "path":
			into, wanted = &settings.Path, "the path of a folder"
		case key == generator.MemoryKey:
			into, wanted = &settings.Memory, "a whole number of MB"
		case key == generator.TimeoutKey:
			into, wanted = &settings.Timeout, "a whole number of seconds"
		default:
			problems = append(problems, generator.Unknown("key", key, entryKeys))
			continue
		}
		if err := field.value.Decode(into); err != nil {
			problems = append(problems, field.name.Value+": the value is not "+wanted)
		}
	}
	function, wrong := settings.check()
	if f.own && !quotas.IsName(f.name) {
		wrong = append(wrong, "this is not a function name: use "+quotas.NameRule)
	}
	return function, append(problems, wrong...)
}
