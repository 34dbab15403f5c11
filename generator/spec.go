package generator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Spec is the validated answers to every option: what to generate. [Resolve] makes one.
type Spec struct {
	// Name of the project: lower case letters, digits and hyphens, starting with a letter, at most 40 characters.
	Name string
	// Module is the Go module path of the project.
	Module string
	// Claims that the policy starts with, in the order given.
	Claims []Claim
	// IaC, Trigger, EventBridge, OTel, Runtime, Arch and CI are values of the choices of [Options].
	IaC, Trigger, EventBridge, OTel, Runtime, Arch, CI string
	// Functions of the project; today always the token customizer.
	Functions []Function
}

// Claim says which user attribute a claim is copied from.
type Claim struct {
	Claim, Attribute string
}

// String is the pair as --claims takes it.
func (c Claim) String() string { return c.Claim + "=" + c.Attribute }

// Function is one Lambda function of a project.
type Function struct {
	// Name is that of its folder below cmd/ and below dist/.
	Name string
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
func Resolve(answers Answers) (Spec, error) {
	spec := Spec{Functions: []Function{{Name: "token-customizer"}}}
	var problems []Problem
	for key := range answers {
		if !slices.Contains(optionKeys(), key) {
			problems = append(problems, Problem{Text: Unknown("option", key, optionKeys())})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Text, b.Text) })
	for _, option := range Options() {
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

// DefaultModule is the module path that a project of the name gets when none is given.
func DefaultModule(name string) string { return "example.com/" + name }

// Answers returns the answers that make the spec, every option included.
func (s Spec) Answers() Answers {
	answers := Answers{}
	for _, option := range Options() {
		answers[option.Key] = option.Answer(s)
	}
	return answers
}

// Flags returns the flags that make the spec: those that differ from the defaults, in the order of the options. A switch is off by default.
func (s Spec) Flags() []string {
	var flags []string
	for _, option := range Options() {
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
	text := fmt.Sprintf("unknown %s %q", what, shorten(given))
	if nearest := nearest(given, valid); nearest != "" {
		return text + fmt.Sprintf(": did you mean %s?", nearest)
	}
	return text + ": use " + strings.Join(valid, ", ")
}

// nearest returns the valid word that given was most likely meant to be, or nothing when none is close: one that is spelled almost the
// same, else the shortest that begins with it, else the shortest that has it as one of its words.
func nearest(given string, valid []string) string {
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

// shorten keeps a hostile value from filling the screen.
func shorten(value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return value
}
