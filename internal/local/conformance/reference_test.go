package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table instead of comparing it")

const referencePath = "../../../docs/conformance.md"

// TestReference keeps the table in docs/ at what the cases say.
func TestReference(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile(referencePath, want, 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the cases say: run go test ./internal/local/conformance -run Reference -update", referencePath)
	}
}

func reference() []byte {
	var text bytes.Buffer
	text.WriteString(`# Conformance of the local Lambda

` + "`go test ./internal/local/conformance -run Reference -update`" + ` writes this page from the cases in that package. Its tests run
each case with real functions on unmodified libraries. A "yes" that is not true fails them.

The versions of aws-lambda-go are the first one that knows ` + "`AWS_LAMBDA_RUNTIME_API`" + `, the newest, and some in between that introduced
something. The function in Rust is built if cargo is installed; otherwise its tests say "not run: no cargo". The last column is
golam's own runtime, which is part of slim projects.

| case | expected behavior |`)
	libraries := runtimes()
	for _, library := range libraries {
		fmt.Fprintf(&text, " %s |", library.name)
	}
	text.WriteString("\n|" + strings.Repeat(" --- |", 2+len(libraries)) + "\n")
	for _, c := range cases() {
		fmt.Fprintf(&text, "| %s | %s |", c.name, c.holds)
		for _, library := range libraries {
			fmt.Fprintf(&text, " %s |", cell(library, c))
		}
		text.WriteString("\n")
	}
	return text.Bytes()
}

func cell(library runtimeLibrary, c conformanceCase) string {
	if why := library.lacks[c.needs]; why != "" {
		return why
	}
	return "yes"
}
