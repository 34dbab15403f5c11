package generator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Resolve validates answers and fills in defaults. Answers are those of the project and, if it has one function only, of that function:
// its kind, and the kind's options. There they win over what functions has. Without functions, the project gets one of the kind that
// answers name, or of the default kind. The error is an [InvalidError] with every problem.
func (c Catalog) Resolve(answers Answers, functions ...FunctionAnswers) (Spec, error) {
	r := resolution{catalog: c, answers: answers}
	r.unknown()
	r.distribute(functions)
	r.project()
	for i := range r.functions {
		r.function(&r.functions[i])
	}
	r.distinct()
	r.resources()
	if len(r.problems) > 0 {
		return Spec{}, &InvalidError{Problems: r.inOrder()}
	}
	return r.spec, nil
}

// resolution is one call of Resolve.
type resolution struct {
	catalog   Catalog
	answers   Answers
	functions []asked
	spec      Spec
	problems  []Problem
}

// asked is a function that is asked for.
type asked struct {
	FunctionAnswers
	// where is the name of the function in problems. It is empty if the answers are about one function, and do not name it.
	where string
	// flat are the keys whose answers are beside those of the project.
	flat map[string]bool
}

func (a asked) problem(key, text string) Problem {
	if a.flat[key] || a.where == "" {
		return Problem{Key: key, Text: text}
	}
	return Problem{Function: a.where, Key: key, Text: text}
}

func (r *resolution) problem(p Problem) { r.problems = append(r.problems, p) }

// unknown finds keys that no option has.
func (r *resolution) unknown() {
	keys := r.catalog.keys()
	var unknown []Problem
	for key := range r.answers {
		if !slices.Contains(keys, key) {
			unknown = append(unknown, Problem{Text: Unknown("option", key, keys)})
		}
	}
	slices.SortFunc(unknown, func(a, b Problem) int { return strings.Compare(a.Text, b.Text) })
	r.problems = append(r.problems, unknown...)
}

// distribute gives the answers that are not the project's to its function.
func (r *resolution) distribute(functions []FunctionAnswers) {
	for _, function := range functions {
		r.functions = append(r.functions, asked{FunctionAnswers: function, where: function.Name})
	}
	if len(r.functions) == 0 {
		r.functions = []asked{{}}
	}
	for _, key := range r.catalog.functionKeys() {
		value, given := r.answers[key]
		switch {
		case !given:
		case len(r.functions) > 1:
			r.problem(Problem{Key: key, Text: "the project has several functions: give this answer for each of them, in the answers file"})
		default:
			r.functions[0].override(key, value)
		}
	}
}

// override takes an answer that is beside those of the project.
func (a *asked) override(key, value string) {
	if a.flat == nil {
		a.flat = map[string]bool{}
	}
	a.flat[key] = true
	if key == KindKey {
		a.Kind = value
		return
	}
	answers := Answers{} // not the caller's
	maps.Copy(answers, a.Answers)
	answers[key] = value
	a.Answers = answers
}

// project resolves the options of the project.
func (r *resolution) project() {
	for _, option := range ProjectOptions() {
		value, given := r.answers[option.Key]
		if !given {
			value = option.Default
			if option.Key == "module" {
				value = DefaultModule(r.spec.Name)
			}
		}
		found := option.Check(value)
		for _, text := range found {
			// A default that follows from a bad name is not a second problem.
			if given || option.Key != "module" {
				r.problem(Problem{Key: option.Key, Text: text})
			}
		}
		if len(found) == 0 {
			*option.field(&r.spec) = value
		}
	}
}

// function resolves one function.
func (r *resolution) function(asked *asked) {
	kind, found := r.catalog.Kind(asked.Kind)
	if !found || asked.Kind == "" && asked.flat[KindKey] {
		r.problem(asked.problem(KindKey, Unknown("kind", asked.Kind, r.catalog.names())))
		return
	}
	if asked.Name == "" {
		asked.Name = kind.DefaultFunctionName()
	}
	for _, text := range CheckFunctionName(asked.Name) {
		r.problem(Problem{Text: text})
	}
	function := Function{Name: asked.Name, Kind: kind, Answers: Answers{}}
	options := kind.Options()
	r.foreign(*asked, kind, options)
	for _, option := range options {
		value, given := asked.Answers[option.Key]
		if !given {
			value = option.Default
		}
		problems := option.Check(value)
		for _, text := range problems {
			r.problem(asked.problem(option.Key, text))
		}
		if option.Form == Pairs && len(problems) == 0 {
			value = option.tidy(value)
		}
		function.Answers[option.Key] = value
	}
	limits := kind.Limits()
	function.Memory = r.number(*asked, quantity{key: MemoryKey, unit: "MB", standard: limits.Memory, least: MinMemory, most: MaxMemory})
	timeout := quantity{key: TimeoutKey, unit: "s", standard: limits.Timeout, least: 1, most: MaxTimeout}
	if limits.MaxTimeout > 0 {
		timeout.most, timeout.reason = limits.MaxTimeout, ", because "+limits.Reason
	}
	function.Timeout = r.number(*asked, timeout)
	r.spec.Functions = append(r.spec.Functions, function)
}

// foreign finds answers that belong to no option of the function's kind.
func (r *resolution) foreign(asked asked, kind Kind, options []Option) {
	known := []string{MemoryKey, TimeoutKey}
	for _, option := range options {
		known = append(known, option.Key)
	}
	var foreign []Problem
	for key := range asked.Answers {
		if slices.Contains(known, key) {
			continue
		}
		others := r.catalog.With(key)
		switch {
		case len(others) > 0:
			foreign = append(foreign, asked.problem(key, fmt.Sprintf("this is an option of %s, but the function is of the kind %s: leave it out, or choose the other kind",
				strings.Join(others, " and "), kind.Name())))
		case slices.ContainsFunc(ProjectOptions(), func(o Option) bool { return o.Key == key }):
			foreign = append(foreign, asked.problem(key, "this is an option of the whole project: write it at the top level"))
		default:
			foreign = append(foreign, asked.problem("", Unknown("option", key, append([]string{KindKey}, known...))))
		}
	}
	slices.SortFunc(foreign, func(a, b Problem) int { return strings.Compare(a.Key+a.Text, b.Key+b.Text) })
	r.problems = append(r.problems, foreign...)
}

// quantity is a whole number that a function has, and its limits.
type quantity struct {
	key, unit             string
	standard, least, most int
	reason                string // of most
}

// number reads a quantity.
func (r *resolution) number(asked asked, q quantity) int {
	text, given := asked.Answers[q.key]
	if !given {
		return q.standard
	}
	number, err := strconv.Atoi(text)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		r.problem(asked.problem(q.key, fmt.Sprintf("%q is not a whole number", Shorten(text))))
	case number < q.least || number > q.most:
		r.problem(asked.problem(q.key, fmt.Sprintf("%s %s: use %d to %d%s", Shorten(text), q.unit, q.least, q.most, q.reason)))
	}
	return number
}

// distinct finds functions that cannot be beside each other.
func (r *resolution) distinct() {
	names, packages := map[string]bool{}, map[string]string{}
	for _, asked := range r.functions {
		pkg := (Function{Name: asked.Name}).Package()
		other, taken := packages[pkg]
		switch {
		case asked.Name == "": // of an unknown kind
		case names[asked.Name]:
			r.problem(Problem{Text: fmt.Sprintf("two functions are called %s: rename one", Shorten(asked.Name))})
		case taken:
			r.problem(Problem{Text: fmt.Sprintf("the functions %s and %s would share the Go package %s: rename one", Shorten(other), Shorten(asked.Name), Shorten(pkg))})
		}
		names[asked.Name], packages[pkg] = true, asked.Name
	}
}

// resources finds functions that would give one name in infrastructure as code to two things. What a function with a kind's default name may
// have is taken even if the project has no such function, because it can get one.
func (r *resolution) resources() {
	standard := map[string][]string{}
	for _, name := range ProjectResources() {
		standard[name] = []string{"the project"}
	}
	for _, kind := range r.catalog {
		function := Function{Name: kind.DefaultFunctionName(), Kind: kind}
		for _, name := range kind.Resources() {
			standard[function.Prefix()+name] = append(standard[function.Prefix()+name], function.Name)
		}
	}
	owners := map[string]string{}
	for _, function := range r.spec.Functions {
		for _, name := range function.Resources() {
			owner := owners[name]
			if owner == "" && len(standard[name]) > 0 && !slices.Contains(standard[name], function.Name) {
				owner = standard[name][0]
			}
			if owner != "" && owner != function.Name {
				r.problem(Problem{Text: fmt.Sprintf("the function %s and %s would both have the name %s in infrastructure as code: rename the function",
					Shorten(function.Name), Shorten(owner), Shorten(name))})
				break
			}
			owners[name] = function.Name
		}
	}
}

// inOrder returns the problems: those about no option, those of flat answers in the order in which the questions are asked, and those of
// functions.
func (r *resolution) inOrder() []Problem {
	var ordered []Problem
	for _, key := range append([]string{""}, r.catalog.keys()...) {
		for _, problem := range r.problems {
			if problem.Function == "" && problem.Key == key {
				ordered = append(ordered, problem)
			}
		}
	}
	for _, problem := range r.problems {
		if problem.Function != "" || problem.Key == MemoryKey || problem.Key == TimeoutKey {
			ordered = append(ordered, problem)
		}
	}
	return ordered
}

// Flags returns the flags that make the spec: those that differ from the defaults, in the order of the options. A switch is off by default.
// Flags alone do not make every spec: see [Catalog.Flat].
func (c Catalog) Flags(spec Spec) []string {
	var flags []string
	options := ProjectOptions()
	if len(spec.Functions) == 1 {
		options = c.OptionsOf(spec.Functions[0].Kind.Name())
	}
	for _, option := range options {
		value, standard := option.Answer(spec), option.Default
		if option.Key == "module" {
			standard = DefaultModule(spec.Name)
		}
		switch {
		case value == standard || option.Key == "name":
		case option.IsSwitch():
			flags = append(flags, "--"+option.Key)
		default:
			flags = append(flags, "--"+option.Key, value)
		}
	}
	return flags
}

// Flat reports whether flags can say all that is in the spec: it has one function, with the name, the memory and the timeout that its kind
// gives it.
func (c Catalog) Flat(spec Spec) bool {
	if len(spec.Functions) != 1 {
		return false
	}
	function := spec.Functions[0]
	limits := function.Kind.Limits()
	return function.Name == function.Kind.DefaultFunctionName() && function.Memory == limits.Memory && function.Timeout == limits.Timeout
}
