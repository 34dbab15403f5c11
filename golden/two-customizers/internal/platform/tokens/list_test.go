package tokens

import (
	"slices"
	"testing"
)

func TestList(t *testing.T) {
	for text, want := range map[string][]string{
		"[grp one, grp two]":         {"grp one", "grp two"},
		"[admins]":                   {"admins"},
		"admins":                     {"admins"},
		"on call":                    {"on call"},
		"":                           nil,
		"[]":                         nil,
		"[, ]":                       nil,
		`["grp one","grp, two"]`:     {"grp one", "grp, two"},
		` ["a"]`:                     {`["a"]`},
		`["a", 1, true, null]`:       {"a", "1", "true", "null"},
		"[1, 002]":                   {"1", "002"},
		"[1, 2]":                     {"1", "2"},
		`[["a"],{"b":1}]`:            {`["a"]`, `{"b":1}`},
		"[CN=a,OU=x, CN=b,OU=y]":     {"CN=a,OU=x", "CN=b,OU=y"},
		"CN=a,OU=x":                  {"CN=a,OU=x"},
		"[Smith, Jones and Sons, b]": {"Smith", "Jones and Sons", "b"}, // the limit: a comma and a space within a value
		"[a, b, a]":                  {"a", "b"},
		"[[a], b]":                   {"[a]", "b"},
		`["a", b]`:                   {`"a"`, "b"},
		"[a":                         {"[a"},
	} {
		if got := list(text); !slices.Equal(got, want) {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
}
