package golden_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/goldenproject"
)

// TestReference keeps the pages of docs/ that declarations are rendered to at what these say.
func TestReference(t *testing.T) {
	for path, want := range map[string][]byte{
		"../docs/options.md":     reference(t),
		"../docs/sam-and-cdk.md": differences(),
		"README.md":              gallery(),
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

` + "`make golden`" + ` writes this page from the declarations of the options. Each option is a flag, a key in an answers file, and a key in a project's
` + "`golam.yaml`" + `: at the top level, or below a function if it is an option of the function's kind.
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
		spec, err := kinds.All().Resolve(variant.Answers, variant.Functions...)
		if err != nil {
			t.Fatal(err)
		}
		name := variant.Name
		if goldenproject.IsWhole(name) {
			name = fmt.Sprintf("[%s](../golden/%s)", name, name)
		}
		fmt.Fprintf(&text, "| %s | `%s` |\n", name, strings.Join(goldenproject.Flags(variant.Name, spec), " "))
	}
	return text.Bytes()
}

// gallery is the page that says which golden projects are whole, and why.
func gallery() []byte {
	var text bytes.Buffer
	text.WriteString(`# Golden projects

These projects are what ` + "`golam new`" + ` makes, for you to browse. ` + "`make golden`" + ` writes them, and this page; never edit them by hand. A change of a
template shows here as a change of what users get.

| project | what it shows |
| --- | --- |
`)
	for _, example := range goldenproject.Whole() {
		fmt.Fprintf(&text, "| [%s](%s) | %s |\n", example.Name, example.Name, example.Shows)
	}
	text.WriteString(`
Nearly every file of the other golden projects is in one of these too, so only their ` + "`golam.lock`" + ` is checked in, in [locks](locks): the mode and
the git blob id of every file. The tests render, build, vet, test and judge these projects all the same. [The options](../docs/options.md#golden-projects) list the flags of
each of them.

The list of whole projects is in ` + "`internal/goldenproject`" + `. It is short on purpose, so that a reviewer can read every change here.
`)
	return text.Bytes()
}

// TestSizesAgree holds what the wizard says about sizes to docs/sizes.md, and keeps other figures of packages out of pages that nothing
// writes again.
func TestSizesAgree(t *testing.T) {
	page, err := os.ReadFile("../docs/sizes.md")
	if err != nil {
		t.Fatal(err)
	}
	compressed := map[string]float64{} // MB by project
	for _, row := range regexp.MustCompile(`(?m)^\| \[?([a-z0-9-]+)(?:\]\([^)]*\))? \| [0-9,]+ \| ([0-9,]+) \|`).FindAllSubmatch(page, -1) {
		bytes, err := strconv.ParseFloat(strings.ReplaceAll(string(row[2]), ",", ""), 64)
		if err != nil {
			t.Fatal(err)
		}
		compressed[string(row[1])] = bytes / 1e6
	}
	for key, label := range map[string]string{"eventbridge": "eventbridge", "otel": "otlp"} {
		option, found := kinds.All().Option(key)
		want := fmt.Sprintf("Adds %.1f MB (%.1f with slim).", compressed["sam-"+label]-compressed["sam"], compressed["sam-"+label+"-slim"]-compressed["sam-slim"])
		if !found || !strings.HasSuffix(option.Help, want) {
			t.Errorf("--%s says %q, and by docs/sizes.md it is %q", key, option.Help, want)
		}
	}
	size := regexp.MustCompile(`[0-9]\.[0-9]+ MB`)
	for _, name := range []string{"README.md", "docs/build.md", "docs/invoke.md", "docs/watch.md", "docs/tutorial.md"} {
		page, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if figure := size.Find(page); figure != nil {
			t.Errorf("%s says %s: link to docs/sizes.md, which make sizes writes", name, figure)
		}
	}
}
