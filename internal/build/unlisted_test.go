package build

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// A function with a runtime of its own is one only if golam.yaml names it, which is easily forgotten.
func TestUnlisted(t *testing.T) {
	files := tiny()
	files["runtime/runtime.go"] = "package runtime\n\nimport \"os\"\n\nfunc Start() { _ = os.Getenv(\"AWS_LAMBDA_RUNTIME_API\") }\n"
	files["runtime/runtime_test.go"] = "package runtime\n"
	for _, name := range []string{"small", "other"} {
		files["cmd/"+name+"/main.go"] = "package main\n\nimport \"example.com/tiny/runtime\"\n\nfunc main() { runtime.Start() }\n"
	}
	files["tool/main.go"] = "package main\n\nfunc main() {}\n"
	l := live(t, testkit.Folder(t, files))
	update, err := l.Update(t.Context(), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if len(update.Notes) != 1 || !strings.HasPrefix(update.Notes[0], "cmd/other talks to the Runtime API") {
		t.Errorf("notes: %q", update.Notes)
	}

	delete(files, "golam.yaml")
	_, err = Functions(t.Context(), testkit.Folder(t, files), os.Environ())
	none, ok := errors.AsType[*NoFunctionError](err)
	if !ok || !strings.Contains(none.Error(), "cmd/other, cmd/small talk to the Runtime API without aws-lambda-go: if they are functions, name them") {
		t.Errorf("got %v", err)
	}
}
