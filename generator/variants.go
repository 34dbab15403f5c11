package generator

import (
	"slices"
	"strings"
)

// Variant is one combination of choices under a name.
type Variant struct {
	Name string
	// Answers and Functions are those of [Catalog.Resolve].
	Answers   Answers
	Functions []FunctionAnswers
}

// Golden returns the golden projects: for the default kind every combination of the options that are [Option.Crossed], and those that each
// kind names. Each has a module path of its own.
func (c Catalog) Golden() []Variant {
	names := []Variant{{Answers: Answers{}}}
	for _, option := range withKind(ProjectOptions(), c[0]) {
		if option.Crossed {
			option.Choices = slices.DeleteFunc(option.Choices, func(c Choice) bool { return c.Apart })
			names = cross(names, option, func(c Choice) string { return c.Label })
		}
	}
	for _, kind := range c {
		names = append(names, kind.Golden()...)
	}
	for _, otel := range []string{"cloudwatch", "collector"} {
		names = append(names, Variant{Name: "sam-" + otel, Answers: Answers{"iac": "sam", "otel": otel}})
	}
	for i := range names {
		names[i].Answers["name"] = "demo"
		names[i].Answers["module"] = "example.com/" + names[i].Name
	}
	return names
}

// Combinations returns, for each kind, every combination of the options that have choices, in a project with one function.
func (c Catalog) Combinations() []Variant {
	var all []Variant
	for i, kind := range c {
		start := Variant{Answers: Answers{KindKey: kind.Name()}}
		if i > 0 {
			start.Name = kind.Name()
		}
		all = append(all, combinations(start, withKind(ProjectOptions(), kind))...)
	}
	return all
}

func combinations(start Variant, options []Option) []Variant {
	all := []Variant{start}
	for _, option := range options {
		if option.Form == Choose {
			all = cross(all, option, func(c Choice) string {
				switch {
				case !option.IsSwitch():
					return c.Value
				case c.Value == "true":
					return option.Key
				}
				return "no-" + option.Key
			})
		}
	}
	return all
}

// cross returns each variant with each choice of the option. Names are made of those of the choices.
func cross(variants []Variant, option Option, name func(Choice) string) []Variant {
	var crossed []Variant
	for _, variant := range variants {
		for _, choice := range option.Choices {
			answers := Answers{option.Key: choice.Value}
			for key, value := range variant.Answers {
				answers[key] = value
			}
			crossed = append(crossed, Variant{Name: strings.Trim(variant.Name+"-"+name(choice), "-"), Answers: answers, Functions: variant.Functions})
		}
	}
	return crossed
}
