package golden_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator/kinds"
)

// TestReference keeps the pages of docs/ that declarations are rendered to at what these say.
func TestReference(t *testing.T) {
	for path, want := range map[string][]byte{
		"../docs/options.md":     reference(t),
		"../docs/sam-and-cdk.md": differences(),
	} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil { //nolint:gosec // documentation
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the declarations say: run make golden", path)
		}
	}
}

func reference(t *testing.T) []byte {
	t.Helper()
	var text bytes.Buffer
	text.WriteString(`# Options of golam new

` + "`make golden`" + ` writes this page from the declarations of the options. Each option is a flag, a key in an answers file, and a key at the top
level of a project's ` + "`golam.yaml`" + `.
`)
	for _, option := range kinds.All().Options() {
		fmt.Fprintf(&text, "\n## `--%s`\n\n%s %s\n", option.Key, option.Question, option.Help)
		switch {
		case len(option.Choices) > 0:
			text.WriteString("\n| choice | what it means |\n| --- | --- |\n")
			for _, choice := range option.Choices {
				standard := ""
				if choice.Value == option.Default {
					standard = " (default)"
				}
				fmt.Fprintf(&text, "| `%s`%s | %s |\n", choice.Value, standard, choice.Help)
			}
		case option.DefaultHelp != "":
			fmt.Fprintf(&text, "\nDefault: %s.\n", option.DefaultHelp)
		default:
			fmt.Fprintf(&text, "\nDefault: `%s`.\n", option.Default)
		}
	}
	text.WriteString("\n## Golden projects\n\n| project | flags |\n| --- | --- |\n")
	for _, variant := range kinds.All().Golden() {
		spec, err := kinds.All().Resolve(variant.Answers)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "| [%s](../golden/%s) | `%s` |\n", variant.Name, variant.Name, strings.Join(spec.Flags(), " "))
	}
	return text.Bytes()
}
