package generator

import (
	"fmt"
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
	// Functions of the project, each of a kind, in the order of golam.yaml. There is at least one.
	Functions []Function
}

// Answers are answers by option key, as text. An option without an answer takes its default.
type Answers map[string]string

// Problem is one thing wrong with the answers.
type Problem struct {
	// Function is the name of the function that the problem is about, or empty.
	Function string `json:"function,omitempty"`
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
		switch {
		case problem.Function == "" && problem.Key != "":
			lines[i] = "--" + problem.Key + ": " + problem.Text
		default:
			lines[i] = problem.InFile()
		}
	}
	return strings.Join(Abridge(lines), "\n")
}

// InFile is the problem in one line, as one of a file: with the function and the key, but not as a flag.
func (p Problem) InFile() string {
	text := p.Text
	if p.Key != "" {
		text = p.Key + ": " + text
	}
	if p.Function != "" {
		text = "function " + Shorten(p.Function) + ": " + text
	}
	return text
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

// Options returns the options that the spec answers, in the order in which they are asked. Of the functions' options they are those of the
// first function's kind.
func (s Spec) Options() []Option {
	options := ProjectOptions()
	if len(s.Functions) > 0 {
		options = withKind(options, s.Functions[0].Kind)
	}
	return options
}

// Answers returns the answers of the project, every option included, and those of its function if it has one only.
func (s Spec) Answers() Answers {
	answers := Answers{}
	options := ProjectOptions()
	if len(s.Functions) == 1 {
		options = s.Options()
		answers[KindKey] = s.Functions[0].Kind.Name()
	}
	for _, option := range options {
		answers[option.Key] = option.Answer(s)
	}
	return answers
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

// Abridge keeps a hostile file with many problems from filling the screen.
func Abridge(problems []string) []string {
	const most = 30
	if len(problems) <= most {
		return problems
	}
	return append(problems[:most:most], fmt.Sprintf("and %d more problems", len(problems)-most))
}

// Shorten keeps a hostile value from filling the screen.
func Shorten(value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return value
}
