package tokens

import "testing"

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"admins", "admins", true},
		{"admins", "admin", false},
		{"*", "", true},
		{"*", "any/thing", true},
		{"team-*", "team-red", true},
		{"team-*", "team-", true},
		{"team-*", "a team-red", false},
		{"*-eu", "team-eu", true},
		{"*-eu", "team-eu-old", false},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abcd", false},
		{"a*a", "a", false},
		{"a*b*a", "aba", true},
		{"a*b*b", "ab", false},
		{"**", "x", true},
		{"[a-z]", "b", false},
		{"[a-z]", "[a-z]", true},
		{"Team-*", "team-red", false},
		{"equipe-\u00e9*", "equipe-\u00e9lite", true},
	} {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.name, got)
		}
	}
}

// TestNamesAreNotShared derives two lists from one.
func TestNamesAreNotShared(t *testing.T) {
	base := Groups().TrimPrefix("a").TrimPrefix("b").TrimPrefix("c")
	one, other := base.TrimSuffix("x"), base.TrimSuffix("y")
	for want, list := range map[string]Names{"nx": other, "ny": one} {
		if got := list.changed([]string{want}); len(got) != 1 || got[0] != want {
			t.Errorf("%q becomes %q", want, got)
		}
	}
}
