package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/goldenproject"
)

// variantsResult is what `golam variants --output json` prints.
type variantsResult struct {
	Options []variantsOption `json:"options"`
	Golden  []variantsGolden `json:"golden"`
}

type variantsOption struct {
	Key string `json:"key"`
	// Kinds are those of the functions that have the option, none if it is the project's.
	Kinds    []string         `json:"kinds,omitempty"`
	Question string           `json:"question"`
	Help     string           `json:"help"`
	Default  string           `json:"default"`
	Choices  []variantsChoice `json:"choices,omitempty"`
}

type variantsChoice struct {
	Value string `json:"value"`
	Help  string `json:"help"`
}

type variantsGolden struct {
	Name string `json:"name"`
	// Answers are those of [generator.Spec.Answers], Flags make the project, with the golam.yaml of the golden project if need be.
	Answers generator.Answers `json:"answers"`
	Flags   []string          `json:"flags"`
	Whole   bool              `json:"whole"`
}

func (a *app) variantsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "variants",
		Short: "List kinds, options, choices, defaults and the golden projects",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			result, err := variants()
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.printJSON(result)
			}
			for _, option := range result.Options {
				only := ""
				if count := len(option.Kinds); count > 0 && count < len(kinds.All()) {
					only = " Only for " + strings.Join(option.Kinds, " and ") + "."
				}
				fmt.Fprintf(a.stdout(), "--%s  %s%s\n", option.Key, option.Help, only)
				if len(option.Choices) == 0 {
					fmt.Fprintf(a.stdout(), "    default: %s\n", option.Default)
				}
				for _, choice := range option.Choices {
					mark := ""
					if choice.Value == option.Default {
						mark = " (default)"
					}
					fmt.Fprintf(a.stdout(), "    %-8s %s%s\n", choice.Value, choice.Help, mark)
				}
			}
			fmt.Fprintln(a.stdout(), "\nGolden projects. Browse those with a * in golden/ of golam's repository:")
			column := 0
			for _, golden := range result.Golden {
				column = max(column, len(golden.Name))
			}
			for _, golden := range result.Golden {
				mark := " "
				if golden.Whole {
					mark = "*"
				}
				fmt.Fprintf(a.stdout(), "  %s %-*s  %s\n", mark, column, golden.Name, strings.Join(golden.Flags, " "))
			}
			return nil
		},
	}
}

func variants() (variantsResult, error) {
	var result variantsResult
	catalog := kinds.All()
	for _, option := range catalog.Options() {
		described := variantsOption{Key: option.Key, Kinds: catalog.With(option.Key), Question: option.Question, Help: option.Help, Default: option.Default}
		if option.DefaultHelp != "" {
			described.Default = option.DefaultHelp
		}
		for _, choice := range option.Choices {
			described.Choices = append(described.Choices, variantsChoice{Value: choice.Value, Help: choice.Help})
		}
		result.Options = append(result.Options, described)
	}
	for _, golden := range catalog.Golden() {
		spec, err := catalog.Resolve(golden.Answers, golden.Functions...)
		if err != nil {
			return variantsResult{}, err
		}
		result.Golden = append(result.Golden, variantsGolden{
			Name: golden.Name, Answers: spec.Answers(), Flags: goldenproject.Flags(golden.Name, spec), Whole: goldenproject.IsWhole(golden.Name),
		})
	}
	return result, nil
}
