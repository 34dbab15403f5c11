package generator

// Kind is what starts a function and what the function must answer. Packages below generator/kinds have
// one each; the core knows none of them.
type Kind interface {
	// Name is the kind's name in golam.yaml and on the command line.
	Name() string
	// FunctionName is the name of a project's function of this kind if the user names none.
	FunctionName() string
	// Options are the questions about a function of this kind.
	Options() []Option
	// Golden are answers for golden projects beyond the combinations of options that are marked Golden, by what their names end in.
	Golden() []Variant
	// Packages are the platform packages that every function of this kind needs. The choices of its options can add others.
	Packages() []string
	// Data is what the templates of a function see: the function's data and what the kind adds.
	Data(function FunctionData) any
}

// Catalog is the kinds that functions can have, the default first. Package generator/kinds has golam's.
type Catalog []Kind

// Options returns every option of a project with one function of the default kind, in the order in which they are asked.
func (c Catalog) Options() []Option {
	options := ProjectOptions()
	for _, option := range c[0].Options() {
		options = insert(options, option)
	}
	return options
}

// insert puts an option of a kind behind the one that it names, and behind those that are there already.
func insert(options []Option, added Option) []Option {
	at := len(options)
	for i, option := range options {
		if option.Key == added.After || option.After == added.After {
			at = i + 1
		}
	}
	added.ofKind = true
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

// keys returns the key of every option.
func (c Catalog) keys() []string {
	var keys []string
	for _, option := range c.Options() {
		keys = append(keys, option.Key)
	}
	return keys
}
