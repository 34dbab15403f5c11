package generator

import "slices"

// Kind is what starts a function and what the function must answer. Packages below generator/kinds have
// one each; the core knows none of them.
type Kind interface {
	// Name is the kind's name in golam.yaml and on the command line.
	Name() string
	// Help says in one line what functions of the kind do.
	Help() string
	// DefaultFunctionName is the name of a project's function of this kind if the user names none.
	DefaultFunctionName() string
	// Unprefixed reports whether the function with the default name has names without [Function.Prefix] in infrastructure as code, so that
	// stacks from before projects had several functions stay as they are. It is false for any new kind: alarms of several kinds would have one name.
	Unprefixed() bool
	// Limits are the memory and the timeout of functions of this kind.
	Limits() Limits
	// Resources are the names that functions of this kind have in infrastructure as code, whatever their options, without [Function.Prefix]. Those
	// of [FunctionResources] are not among them.
	Resources() []string
	// Options are the questions about a function of this kind.
	Options() []Option
	// Golden are answers for golden projects beyond the combinations of options that are [Option.Crossed].
	Golden() []Variant
	// Packages are the platform packages that every function of this kind imports. The choices of its options can add others, and so can
	// packageRules.
	Packages() []string
	// Data is what the templates of a function see: the function's data and what the kind adds.
	Data(function FunctionData) any
	// Needs states what a function needs from infrastructure as code, apart from what every function needs: see [FunctionData.Needs].
	Needs(function FunctionData) Needs
}

// Catalog is the kinds that functions can have, the default first. Package generator/kinds has golam's.
type Catalog []Kind

// Options returns every option of a new project, whatever the kind of its function, in the order in which they are asked. An option that
// several kinds have is there once.
func (c Catalog) Options() []Option {
	options := insert(ProjectOptions(), c.kindOption())
	for _, kind := range c {
		for _, option := range kind.Options() {
			if !slices.ContainsFunc(options, func(o Option) bool { return o.Key == option.Key }) {
				options = insert(options, answeredByFunction(option))
			}
		}
	}
	return options
}

// OptionsOf returns the options of a new project with one function of a kind. If there is no such kind, it is the default one.
func (c Catalog) OptionsOf(kind string) []Option {
	chosen, found := c.Kind(kind)
	if !found {
		chosen = c[0]
	}
	return withKind(insert(ProjectOptions(), c.kindOption()), chosen)
}

// withKind adds the options of a kind to those of a project.
func withKind(options []Option, kind Kind) []Option {
	for _, option := range kind.Options() {
		options = insert(options, answeredByFunction(option))
	}
	return options
}

// answeredByFunction makes an option one whose answer a function has.
func answeredByFunction(option Option) Option {
	option.answer = func(spec Spec) string {
		for _, function := range spec.Functions {
			if answer, answered := function.Answers[option.Key]; answered {
				return answer
			}
		}
		return ""
	}
	return option
}

// kindOption is the question for the kind of a new project's function.
func (c Catalog) kindOption() Option {
	option := Option{
		Key: KindKey, Page: "Project", After: "module", Question: "What kind of function is it?", Flag: "the kind of the function",
		Help: "The kind decides what starts the function and what it must answer.",
		answer: func(spec Spec) string {
			if len(spec.Functions) == 0 {
				return ""
			}
			return spec.Functions[0].Kind.Name()
		},
	}
	for _, kind := range c {
		option.Choices = append(option.Choices, Choice{Value: kind.Name(), Help: kind.Help()})
	}
	return Choices(option)
}

// insert puts an option behind the one that it names, and behind those that are there already.
func insert(options []Option, added Option) []Option {
	at := len(options)
	for i, option := range options {
		if option.Key == added.After || option.After == added.After {
			at = i + 1
		}
	}
	return append(options[:at:at], append([]Option{added}, options[at:]...)...)
}

// Option returns the option with the key, and whether there is one.
func (c Catalog) Option(key string) (Option, bool) {
	for _, option := range c.Options() {
		if option.Key == key {
			return option, true
		}
	}
	return Option{}, false
}

// Kind returns the kind of that name, or the default one for an empty name, and whether there is one.
func (c Catalog) Kind(name string) (Kind, bool) {
	if name == "" {
		return c[0], true
	}
	i := slices.IndexFunc(c, func(k Kind) bool { return k.Name() == name })
	if i < 0 {
		return nil, false
	}
	return c[i], true
}

// names returns the names of the kinds.
func (c Catalog) names() []string {
	names := make([]string, len(c))
	for i, kind := range c {
		names[i] = kind.Name()
	}
	return names
}

// With returns the names of the kinds that have an option. There are none if it is the whole project that has it.
func (c Catalog) With(key string) []string {
	var names []string
	for _, kind := range c {
		if slices.ContainsFunc(kind.Options(), func(o Option) bool { return o.Key == key }) {
			names = append(names, kind.Name())
		}
	}
	return names
}

// keys returns the key of every option.
func (c Catalog) keys() []string {
	var keys []string
	for _, option := range c.Options() {
		keys = append(keys, option.Key)
	}
	return keys
}

// functionKeys returns the keys that are about a function.
func (c Catalog) functionKeys() []string {
	var keys []string
	for _, option := range c.Options() {
		if option.field == nil {
			keys = append(keys, option.Key)
		}
	}
	return keys
}
