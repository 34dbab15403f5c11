package generator_test

import (
	"errors"
	"testing"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// A project cannot be built if its module path hides one that it depends on, whichever choices bring that.
func TestRenderRefusesRequiredModules(t *testing.T) {
	for name, test := range map[string]struct {
		answers generator.Answers
		refused bool
	}{
		"the runtime":         {generator.Answers{"module": "github.com/aws/aws-lambda-go"}, true},
		"below it":            {generator.Answers{"module": "github.com/aws/aws-lambda-go/demo"}, true},
		"above it":            {generator.Answers{"module": "github.com/aws"}, true},
		"beside it":           {generator.Answers{"module": "github.com/aws/aws-lambda-golang"}, false},
		"a slim project":      {generator.Answers{"module": "github.com/aws/aws-lambda-go", "runtime": "slim", "otel": "off"}, false},
		"OpenTelemetry":       {generator.Answers{"module": "go.opentelemetry.io/otel"}, true},
		"without traces":      {generator.Answers{"module": "go.opentelemetry.io/otel", "otel": "off"}, false},
		"the CDK":             {generator.Answers{"module": "github.com/aws/constructs-go/constructs/v10", "iac": "cdk"}, true},
		"the CDK, not needed": {generator.Answers{"module": "github.com/aws/constructs-go/constructs/v10"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.answers["name"] = "demo"
			spec, err := kinds.All().Resolve(test.answers)
			if err != nil {
				t.Fatal(err)
			}
			_, err = generator.Render(spec)
			_, invalid := errors.AsType[*generator.InvalidError](err)
			if invalid != test.refused || !test.refused && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	spec, err := kinds.All().Resolve(generator.Answers{"name": "demo"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := generator.Render(spec); err != nil {
			b.Fatal(err)
		}
	}
}
