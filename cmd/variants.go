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
	Key      string           `json:"key"`
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
	Name    string            `json:"name"`
	Answers generator.Answers `json:"answers"`
	Whole   bool              `json:"whole"`
}

func (a *app) variantsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "variants",
		Short: "List options, choices, defaults and the golden projects",
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
				fmt.Fprintf(a.stdout(), "--%s  %s\n", option.Key, option.Help)
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
				spec, err := kinds.All().Resolve(golden.Answers)
				if err != nil {
					return err
				}
				mark := " "
				if golden.Whole {
					mark = "*"
				}
				fmt.Fprintf(a.stdout(), "  %s %-*s  %s\n", mark, column, golden.Name, strings.Join(spec.Flags(), " "))
			}
			return nil
		},
	}
}

func variants() (variantsResult, error) {
	var result variantsResult
	for _, option := range kinds.All().Options() {
		described := variantsOption{Key: option.Key, Question: option.Question, Help: option.Help, Default: option.Default}
		if option.DefaultHelp != "" {
			described.Default = option.DefaultHelp
		}
		for _, choice := range option.Choices {
			described.Choices = append(described.Choices, variantsChoice{Value: choice.Value, Help: choice.Help})
		}
		result.Options = append(result.Options, described)
	}
	for _, golden := range kinds.All().Golden() {
		spec, err := kinds.All().Resolve(golden.Answers)
		if err != nil {
			return variantsResult{}, err
		}
		result.Golden = append(result.Golden, variantsGolden{Name: golden.Name, Answers: spec.Answers(), Whole: goldenproject.IsWhole(golden.Name)})
	}
	return result, nil
}
