package generator

import (
	"testing"
)

func TestCombinationsRender(t *testing.T) {
	for _, variant := range Combinations() {
		t.Run(variant.Name, func(t *testing.T) {
			variant.Answers["name"] = "demo"
			spec, err := Resolve(variant.Answers)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Render(spec); err != nil {
				t.Fatal(err)
			}
		})
	}
}
