package invoke

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/cognito"
)

func names(all []Example) []string {
	var names []string
	for _, example := range all {
		names = append(names, example.Name)
	}
	return names
}

func TestExamples(t *testing.T) {
	all, err := Examples(t.TempDir()) // in no project
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 20 || !slices.IsSorted(names(all)) {
		t.Errorf("%d examples, want 20: %q", len(all), names(all))
	}
	triggers := 0
	for _, example := range all {
		event, err := ReadExample(t.TempDir(), "", example.Name)
		if err != nil {
			t.Fatal(err)
		}
		if example.Path != "" || !json.Valid(event) {
			t.Errorf("%+v is no event of golam's", example)
		}
		if strings.HasPrefix(example.Name, "cognito-") {
			triggers++
			if _, err := cognito.Apply(event, event); err != nil {
				t.Errorf("%s: %v", example.Name, err)
			}
		}
	}
	if triggers != 16 {
		t.Errorf("%d events of Cognito, want 16", triggers)
	}
	for _, name := range []string{"api-gateway-v2", "sqs", "eventbridge", "s3"} {
		if !slices.Contains(names(all), name) {
			t.Errorf("no %s", name)
		}
	}
}

// TestExampleForms holds the other events to the fields that make them what they are.
func TestExampleForms(t *testing.T) {
	tests := map[string]string{
		"api-gateway-v2": "version routeKey rawPath rawQueryString headers requestContext body isBase64Encoded",
		"eventbridge":    "version id detail-type source account time region resources detail",
		"sqs":            "Records",
		"s3":             "Records",
	}
	for name, fields := range tests {
		event, err := ReadExample(t.TempDir(), "", name)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		decode(t, event, &members)
		for field := range strings.FieldsSeq(fields) {
			if members[field] == nil {
				t.Errorf("%s has no %s", name, field)
			}
		}
	}
}

func TestProjectExamples(t *testing.T) {
	root, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret.json")
	for name, content := range map[string]string{
		filepath.Join(root, "go.mod"):               "module x\n",
		filepath.Join(root, "events/mine.json"):     `{"mine": true}`,
		filepath.Join(root, "events/sqs.json"):      `{"mine": true}`,
		filepath.Join(root, "events/notes.txt"):     "",
		filepath.Join(root, "events/f/only.json"):   `{"of": "f"}`,
		filepath.Join(root, "events/f/both.json"):   `{"of": "f"}`,
		filepath.Join(root, "events/g/both.json"):   `{"of": "g"}`,
		filepath.Join(root, "events/f/g/deep.json"): "",
		filepath.Join(root, "cmd/f/main.go"):        "",
		outside:                                     `{"secret": true}`,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(root, "events", "link.json")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "cmd", "f")
	all, err := Examples(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(all); len(got) != 24 || !slices.Equal(got[:5], []string{"f/both", "only", "g/both", "mine", "sqs"}) || slices.Contains(got, "link") {
		t.Errorf("examples %q", got)
	}
	for _, name := range []string{"mine", "sqs"} {
		if event, err := ReadExample(dir, "", name); err != nil || !bytes.Equal(event, []byte(`{"mine": true}`)) {
			t.Errorf("%s: %s, %v", name, event, err)
		}
	}
	for _, wanted := range []struct{ function, name, of string }{
		{"", "only", "f"}, {"g", "only", "f"}, {"f", "both", "f"}, {"g", "both", "g"}, {"", "g/both", "g"}, {"f", "g/both", "g"},
	} {
		if event, err := ReadExample(dir, wanted.function, wanted.name); err != nil || string(event) != fmt.Sprintf(`{"of": %q}`, wanted.of) {
			t.Errorf("%s of %q: %s, %v", wanted.name, wanted.function, event, err)
		}
	}
	for name, want := range map[string]string{
		"both": "did you mean f/both", "mime": "did you mean mine?", "link": "unknown example", "../mine": "unknown example", "": "unknown example", "cognito-v2-authentification": "did you mean cognito-v2-authentication?",
	} {
		_, err := ReadExample(dir, "", name)
		misused(t, err, want)
	}
}
