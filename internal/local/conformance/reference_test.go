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

This page is rendered from the cases in ` + "`internal/local/conformance`" + ` by
` + "`go test ./internal/local/conformance -run Reference -update`" + `. The tests there run each of them with real functions on
unmodified libraries; a "yes" that does not hold is a failure.

The versions of aws-lambda-go are the first that knows ` + "`AWS_LAMBDA_RUNTIME_API`" + `, the newest, and some that brought something new in
between. The function in Rust is built where cargo is; elsewhere its tests say "not run: no cargo". The last
column is golam's own runtime, which slim projects bring along.

| case | what is held |`)
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
