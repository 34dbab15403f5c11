// Package goldenproject writes golden projects for tests, judges and benchmarks, and knows which of them the folder golden/ of the repository
// has whole.
package goldenproject

import (
	"context"
	"fmt"
	"slices"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// Example is a golden project that golden/ has whole, for people to read. Of the other golden projects, golden/locks has golam.lock.
type Example struct {
	Name string
	// Shows says what the project shows that the others don't.
	Shows string
}

// Whole returns the golden projects that golden/ has whole. Together they show nearly every file that golam renders.
func Whole() []Example {
	return []Example{
		{"sam-otlp", "The default project: SAM, with OpenTelemetry traces over OTLP."},
		{"sam", "The smallest SAM project: no traces, no events."},
		{"cdk-eventbridge-otlp", "The CDK for Go, with events and traces: the largest stack."},
		{"sam-eventbridge-otlp-slim", "The slim runtime with events and traces: the most platform code."},
		{"cdk-slim", "The smallest CDK project, and the slim runtime alone."},
		{"two-customizers", "Two functions: token customizers of two user pools, one of which publishes events."},
		{"sam-v1", "Version 1 of the Cognito trigger, which customizes ID tokens only."},
	}
}

// IsWhole reports whether golden/ has the project with the name whole.
func IsWhole(name string) bool {
	return slices.ContainsFunc(Whole(), func(e Example) bool { return e.Name == name })
}

// Flags returns the flags of golam new that make the golden project with the name, which has the spec.
func Flags(name string, spec generator.Spec) []string {
	catalog := kinds.All()
	if !catalog.Flat(spec) {
		return []string{"--answers", "golden/" + name + "/" + generator.ProjectFile}
	}
	return catalog.Flags(spec)
}

// Write renders the golden project with the name, and writes it to dir.
func Write(ctx context.Context, name, dir string) error {
	golden := kinds.All().Golden()
	i := slices.IndexFunc(golden, func(v generator.Variant) bool { return v.Name == name })
	if i < 0 {
		return fmt.Errorf("there is no golden project %q: see golam variants", name)
	}
	spec, err := kinds.All().Resolve(golden[i].Answers, golden[i].Functions...)
	if err != nil {
		return fmt.Errorf("the golden project %s: %w", name, err)
	}
	tree, err := generator.Render(spec)
	if err != nil {
		return fmt.Errorf("render the golden project %s: %w", name, err)
	}
	if _, err := generator.Write(ctx, dir, tree, generator.WriteOptions{}); err != nil {
		return fmt.Errorf("write the golden project %s: %w", name, err)
	}
	return nil
}
