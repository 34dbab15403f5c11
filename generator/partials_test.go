package generator

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/golam-cli/golam/templates"
)

// TestPartialsAreListed compares the partials that templates take from each kind and each flavor with the tables in CONTRIBUTING.md.
func TestPartialsAreListed(t *testing.T) {
	contributing, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(<(?:kind|flavor)>[/+][^`]+)`").FindAllStringSubmatch(string(contributing), -1) {
		listed[row[1]] = false
	}
	included := regexp.MustCompile(`include \(print \.(Function\.Kind\.Name|IaC) "([/+][^"]+)"\)`)
	err = fs.WalkDir(templates.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(templates.FS(), name)
		for _, match := range included.FindAllStringSubmatch(string(content), -1) {
			partial := strings.NewReplacer("Function.Kind.Name", "<kind>", "IaC", "<flavor>").Replace(match[1]) + match[2]
			if _, found := listed[partial]; !found {
				t.Errorf("%s includes %s, which CONTRIBUTING.md does not list", name, partial)
			}
			listed[partial] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for partial, used := range listed {
		if !used {
			t.Errorf("CONTRIBUTING.md lists %s, which no template includes", partial)
		}
	}
}
