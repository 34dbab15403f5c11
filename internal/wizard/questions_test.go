package wizard

import (
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// The tests take the questions from the generator's options, so that a further option changes none of them.

// Last is the key of the last page's question, which is no option's.
const Last = ""

// Questions are the options that a wizard asks for, in their order.
func Questions(given generator.Answers) []generator.Option {
	return slices.DeleteFunc(kinds.All().Options(), func(option generator.Option) bool {
		_, known := given[option.Key]
		return known || option.Form == generator.Choose && len(option.Choices) == 1
	})
}

// After are the questions that come after the one with a key.
func After(key string) []generator.Option {
	questions := Questions(nil)
	return questions[slices.IndexFunc(questions, func(option generator.Option) bool { return option.Key == key })+1:]
}

// Path are the questions that follow from one to another and that one itself, the one of the last page included.
func Path(from, to string) []generator.Option {
	path := append(After(from), generator.Option{Key: Last, Question: "Make it?"})
	return path[:slices.IndexFunc(path, func(option generator.Option) bool { return option.Key == to })+1]
}

// Pages are the titles of the pages with questions, in their order.
func Pages(given generator.Answers) []string {
	var titles []string
	for _, option := range Questions(given) {
		if !slices.Contains(titles, option.Page) {
			titles = append(titles, option.Page)
		}
	}
	return titles
}

// Word is what a value is called on the screen.
func Word(value string) string {
	if word, ok := map[string]string{"false": "no", "true": "yes"}[value]; ok {
		return word
	}
	return value
}

// Shown is a choice as it is on the screen, in one line.
func Shown(choice generator.Choice) string {
	if word := Word(choice.Value); word == choice.Value {
		return word + " " + choice.Help
	}
	return strings.Replace(choice.Help, ": ", " ", 1) // no and yes stand in a column of their own
}

// Another is the last choice of an option, which is not its default.
func Another(option generator.Option) string { return option.Choices[len(option.Choices)-1].Value }

// enters are the keys that take the answers as they are from one question up to another.
func enters(from, to string) string { return strings.Repeat("\r", len(Path(from, to))) }
