package generator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Spec is the validated answers to every option: what to generate. [Catalog.Resolve] makes one.
type Spec struct {
	// Name of the project: lower case letters, digits and hyphens, starting with a letter, at most 40 characters.
	Name string
	// Module is the Go module path of the project.
	Module string
	// IaC, OTel, Runtime, Arch and CI are values of the choices of [ProjectOptions].
	IaC, OTel, Runtime, Arch, CI string
	// Functions of the project, each of a kind.
	Functions []Function
}

// Function is one Lambda function of a project.
type Function struct {
	// Name is that of its folder below cmd/ and below dist/.
	Name string
	Kind Kind
	// Answers are the validated answers to the kind's options.
	Answers Answers
}

// Answers are answers by option key, as text. An option without an answer takes its default.
type Answers map[string]string

// Problem is one thing wrong with the answers.
type Problem struct {
	// Key is the option's, or empty where the problem is not that of one option.
	Key string `json:"key,omitempty"`
	// Text says what is wrong and what to do.
	Text string `json:"text"`
}

// InvalidError lists everything that is wrong with answers.
type InvalidError struct {
	Problems []Problem
}

// Error lists the problems, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		lines[i] = problem.Text
		if problem.Key != "" {
			lines[i] = "--" + problem.Key + ": " + problem.Text
		}
	}
	return strings.Join(lines, "\n")
}

// Resolve validates answers and fills in defaults. Its error is an [InvalidError] with every problem.
func (c Catalog) Resolve(answers Answers) (Spec, error) {
	kind := c[0]
	spec := Spec{Functions: []Function{{Name: kind.FunctionName(), Kind: kind, Answers: Answers{}}}}
	var problems []Problem
	for key := range answers {
		if !slices.Contains(c.keys(), key) {
			problems = append(problems, Problem{Text: Unknown("option", key, c.keys())})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Text, b.Text) })
	for _, option := range c.Options() {
		value, given := answers[option.Key]
		if !given {
			value = option.Default
			if option.Key == "module" {
				value = DefaultModule(spec.Name)
			}
		}
		found := option.Check(value)
		for _, text := range found {
			// A default that follows from a bad name is not a second problem.
			if given || option.Key != "module" {
				problems = append(problems, Problem{Key: option.Key, Text: text})
			}
		}
		if len(found) == 0 {
			option.set(&spec, value)
		}
	}
	if len(problems) > 0 {
		return Spec{}, &InvalidError{Problems: problems}
	}
	return spec, nil
}

// DefaultModule is the module path that a project of the name gets when none is given. Names such as v1 and vendor mean something to the go
// command at the end of a path, so they get more before them.
func DefaultModule(name string) string {
	const domain = "example.com/"
	if name != "" && len(checkModule(domain+name)) > 0 {
		return domain + "project-" + name
	}
	return domain + name
}

// Options returns the options that the spec answers, in the order in which they are asked.
func (s Spec) Options() []Option {
	if len(s.Functions) == 0 {
		return ProjectOptions()
	}
	return Catalog{s.Functions[0].Kind}.Options()
}

// Answers returns the answers that make the spec, every option included.
func (s Spec) Answers() Answers {
	answers := Answers{}
	for _, option := range s.Options() {
		answers[option.Key] = option.Answer(s)
	}
	return answers
}

// Flags returns the flags that make the spec: those that differ from the defaults, in the order of the options. A switch is off by default.
func (s Spec) Flags() []string {
	var flags []string
	for _, option := range s.Options() {
		value, standard := option.Answer(s), option.Default
		if option.Key == "module" {
			standard = DefaultModule(s.Name)
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

// Unknown says that something is not among the valid ones, and names the nearest.
func Unknown(what, given string, valid []string) string {
	text := fmt.Sprintf("unknown %s %q", what, Shorten(given))
	if nearest := Nearest(given, valid); nearest != "" {
		return text + fmt.Sprintf(": did you mean %s?", nearest)
	}
	return text + ": use " + strings.Join(valid, ", ")
}

// Nearest returns the valid word that given was most likely meant to be, or nothing when none is close: one that is spelled almost the
// same, else the shortest that begins with it, else the shortest that has it as one of its words.
func Nearest(given string, valid []string) string {
	best, distance := "", 3
	for _, word := range valid {
		if len(given) > 2*len(word)+2 {
			continue
		}
		d := levenshtein.ComputeDistance(strings.ToLower(given), strings.ToLower(word))
		if d < distance && d < len(word) {
			best, distance = word, d
		}
	}
	const least = 3 // characters that are enough to tell what was meant
	if best != "" || len(given) < least {
		return best
	}
	rank := 0
	for _, word := range valid {
		r := 0
		switch lower, start := strings.ToLower(word), strings.ToLower(given); {
		case strings.HasPrefix(lower, start):
			r = 2
		case strings.Contains(lower, "-"+start):
			r = 1
		}
		if r > rank || r > 0 && r == rank && len(word) < len(best) {
			best, rank = word, r
		}
	}
	return best
}

// Shorten keeps a hostile value from filling the screen.
func Shorten(value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return value
}
