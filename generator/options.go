package generator

import (
	"slices"
	"strings"
)

// Form tells what an answer looks like.
type Form int

const (
	// Text is one line, checked by the option.
	Text Form = iota
	// Choose is one of the option's choices.
	Choose
	// Pairs is a list of pairs such as left=right, with commas between them on the command line.
	Pairs
)

// Option is one question about a project or about a function. Flags, answers files, the wizard, `golam variants`, the golden matrix and the
// reference documentation all come from the declarations that [Catalog.Options] gathers.
type Option struct {
	// Key is the flag without its dashes, and the key in an answers file and in golam.yaml: at the top level, or below a function.
	Key string
	// Page is the title of the wizard page that asks it.
	Page string
	// Question is what the wizard asks, and Flag what the help of the flag says.
	Question, Flag string
	// Help is one line on what the answer changes: size, cost, plan.
	Help string
	Form Form
	// Pairing says what the pairs of a Pairs option may be.
	Pairing Pairing
	// Choices are the values allowed for Choose, the default first.
	Choices []Choice
	// Default is the answer where none is given; for name and module it depends on other answers, see DefaultHelp.
	Default string
	// DefaultHelp says in words what Default cannot.
	DefaultHelp string
	// Crossed options are combined with each other, choice by choice, to make the golden projects: see [Catalog.Golden].
	Crossed bool
	// After is for options of kinds: the key of the project's option that comes before this one when users are asked.
	After string
	// Problems lists what is wrong with an answer that is not one of the choices, with the fix. It is empty for a valid answer.
	Problems func(value string) []string

	field  func(*Spec) *string // where the project has the answer
	answer func(Spec) string   // the answer, if a function has it
}

// Pairing says what the two sides of pairs are called and what they may be.
type Pairing struct {
	// Item is what a pair is called in a sentence, such as "header", and Form how one is written, such as "header=value".
	Item, Form string
	// Left and Right are titles of the sides, and Relation the words between them in a sentence.
	Left, Right, Relation string
	// Hint says what to write on the right.
	Hint string
	// CheckLeft and CheckRight say what is wrong with a side, or nothing.
	CheckLeft, CheckRight func(string) string
	// Suggest returns the right side that most probably belongs to a left one, or nothing.
	Suggest func(left string) string
	// Parse reads pairs as the flag takes them, and says what is wrong with them.
	Parse func(text string) ([]Pair, []string)
}

// Pair is one of the pairs that answer a Pairs option.
type Pair struct {
	Left, Right string
}

// String is the pair as the option's flag takes it.
func (p Pair) String() string { return p.Left + "=" + p.Right }

// Choice is one allowed value of an option.
type Choice struct {
	Value string
	// Help is what choosing it means, in one line. That of a switch begins with no or yes, as the wizard calls its values.
	Help string
	// Label is what the choice adds to the name of a golden project; nothing where it is left empty.
	Label string
	// Features are what it adds to the project or the function. Layers of templates are chosen by them, and a platform package is a feature too.
	Features []string
	// Apart choices are not crossed with others to make golden projects: they have one of their own.
	Apart bool
}

// Values returns the option's choices as text, in their order.
func (o Option) Values() []string {
	values := make([]string, len(o.Choices))
	for i, choice := range o.Choices {
		values[i] = choice.Value
	}
	return values
}

// IsSwitch tells that the option is on or off, so that its flag needs no value.
func (o Option) IsSwitch() bool { return slices.Equal(o.Values(), []string{"false", "true"}) }

// Check lists what is wrong with an answer, with the fix; it is empty for an answer that will do.
func (o Option) Check(value string) []string {
	if o.Form == Choose {
		if slices.Contains(o.Values(), value) {
			return nil
		}
		return []string{Unknown("choice", value, o.Values())}
	}
	return o.Problems(value)
}

// tidy writes valid pairs as golam does.
func (o Option) tidy(value string) string {
	pairs, _ := o.Pairing.Parse(value)
	written := make([]string, len(pairs))
	for i, pair := range pairs {
		written[i] = pair.String()
	}
	return strings.Join(written, ",")
}

// Answer returns the spec's answer to the option. If several functions have one, it is that of the first.
func (o Option) Answer(spec Spec) string {
	if o.answer != nil {
		return o.answer(spec)
	}
	return *o.field(&spec)
}

// Choices completes an option whose answer is one of its choices: the first of them is the default.
func Choices(o Option) Option {
	o.Form = Choose
	o.Default = o.Choices[0].Value
	return o
}

// ProjectOptions returns the options that every project has, whatever its functions, in the order in which they are asked.
func ProjectOptions() []Option {
	return []Option{
		{
			Key: "name", Page: "Project", Question: "What is the project called?", Flag: "the project's name",
			Help:        "The folder, the stack and the resources get this name: up to 40 lower case letters, digits and hyphens.",
			DefaultHelp: "the last element of DIR",
			Problems:    checkName,
			field:       func(s *Spec) *string { return &s.Name },
		},
		{
			Key: "module", Page: "Project", Question: "What is its Go module path?", Flag: "the project's Go module path",
			Help:        "The path for imports, such as github.com/you/project. It doesn't have to exist yet.",
			DefaultHelp: "example.com/<name>",
			Problems:    checkModule,
			field:       func(s *Spec) *string { return &s.Module },
		},
		Choices(Option{
			Key: "iac", Page: "Deployment", Question: "How do you deploy it?", Flag: "how to deploy it", Crossed: true,
			Help:    "Either way you get one readable file or package, with least-privilege roles and alarms.",
			Choices: flavorChoices(),
			field:   func(s *Spec) *string { return &s.IaC },
		}),
		Choices(Option{
			Key: "ci", Page: "Deployment", Question: "Which CI runs its checks?", Flag: "which CI runs its checks",
			Help: "It runs tests and linters. A deploy job stays off until you give it a role.",
			Choices: []Choice{
				{Value: "github", Help: "GitHub Actions, with actions pinned by commit, and Dependabot", Features: []string{"github"}},
				{Value: "none", Help: "no CI: run make test and make lint yourself"},
			},
			field: func(s *Spec) *string { return &s.CI },
		}),
		Choices(Option{
			Key: "otel", Page: "Traces", Question: "Where do OpenTelemetry traces go?", Flag: "where OpenTelemetry traces go", Crossed: true,
			Help: "Spans are sent after the answer, so no user waits for them. Adds 0.4 MB (1.8 with slim).",
			Choices: []Choice{
				{
					Value: "otlp", Label: "otlp", Features: []string{"otel", "otlp"},
					Help: "any OTLP endpoint; nothing is sent until you configure one",
				},
				{
					Value: "cloudwatch", Features: []string{"otel", "cloudwatch"}, Apart: true,
					Help: "directly to CloudWatch (turn on Transaction Search first)",
				},
				{
					Value: "collector", Features: []string{"otel", "collector"}, Apart: true,
					Help: "an OpenTelemetry Collector in a layer; cold starts take longer",
				},
				{Value: "off", Help: "no OpenTelemetry in the project"},
			},
			field: func(s *Spec) *string { return &s.OTel },
		}),
		Choices(Option{
			Key: "runtime", Page: "Function", Question: "Which runtime library does it use?", Flag: "the runtime library", Crossed: true,
			Help: "Slim makes packages smaller: by two thirds without events and traces, by a tenth with traces.",
			Choices: []Choice{
				{Value: "official", Help: "aws-lambda-go, and the AWS SDK where it is needed", Features: []string{"official"}},
				{
					Value: "slim", Help: "only the standard library, with a small client of the Runtime API in the project", Label: "slim",
					Features: []string{"slim"},
				},
			},
			field: func(s *Spec) *string { return &s.Runtime },
		}),
		Choices(Option{
			Key: "arch", Page: "Function", Question: "Which processor does it run on?", Flag: "the processor",
			Help: "arm64 costs 20% less per GB-second than x86_64.",
			Choices: []Choice{
				{Value: "arm64", Help: "AWS Graviton"},
				{Value: "x86_64", Help: "Intel or AMD"},
			},
			field: func(s *Spec) *string { return &s.Arch },
		}),
	}
}
