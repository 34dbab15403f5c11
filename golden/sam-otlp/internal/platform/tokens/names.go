package tokens

import (
	"errors"
	"slices"
	"strings"

	"example.com/sam-otlp/internal/platform/pretoken"
	"example.com/sam-otlp/internal/platform/rawjson"
)

// Names is a Source of a list of names, such as those of groups. Its methods choose and change names; each returns a new list, and they are
// applied in the order in which they are called.
type Names struct {
	groups     bool
	attributes []string
	steps      []func(name string) string // each returns the new name, or "" to leave the name out
	mistakes   []string
}

// Groups takes the names of the user's groups, as an array. Attributes can add lists of names, such as the groups of a SAML provider that
// are mapped to custom:groups: these names follow the others.
func Groups(attributes ...string) Names { return Names{groups: true, attributes: attributes} }

// Listed takes the names that attributes list, as AttributeAs with List does for one attribute.
func Listed(attributes ...string) Names { return Names{attributes: attributes} }

// Matching keeps names that match one of the patterns. A * stands for any text, also for none; everything else stands for itself.
func (n Names) Matching(patterns ...string) Names {
	if len(patterns) == 0 || slices.Contains(patterns, "") {
		n = n.mistaken(`Matching needs patterns that are not empty, such as "team-*"`)
	}
	return n.Map(func(name string) string {
		if slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) }) {
			return name
		}
		return ""
	})
}

// TrimPrefix removes a text from the start of the names that have it. Matching before it leaves out the others.
func (n Names) TrimPrefix(prefix string) Names {
	return n.Map(func(name string) string { return strings.TrimPrefix(name, prefix) })
}

// TrimSuffix removes a text from the end of the names that have it.
func (n Names) TrimSuffix(suffix string) Names {
	return n.Map(func(name string) string { return strings.TrimSuffix(name, suffix) })
}

// Map replaces each name by what the function returns for it. An empty text leaves the name out.
func (n Names) Map(change func(name string) string) Names {
	if change == nil {
		return n.mistaken("Map needs a function")
	}
	n.steps = append(slices.Clip(n.steps), change)
	return n
}

func (n Names) mistaken(mistake string) Names {
	n.mistakes = append(slices.Clip(n.mistakes), mistake)
	return n
}

func (n Names) check() error {
	mistakes := n.mistakes
	if slices.Contains(n.attributes, "") || (!n.groups && len(n.attributes) == 0) {
		mistakes = append(slices.Clip(mistakes), "its attributes need names")
	}
	if len(mistakes) == 0 {
		return nil
	}
	return errors.New(strings.Join(mistakes, "; "))
}

func (n Names) value(event *pretoken.Event) (rawjson.Value, error) { //nolint:unparam // as a Source it has an error
	return arrayOf(n.changed(n.listed(event))), nil
}

// listed are the names in the event, before they are chosen and changed.
func (n Names) listed(event *pretoken.Event) []string {
	var names []string
	if n.groups {
		names = slices.Clip(event.Groups) // the event stays as it is
	}
	for _, attribute := range n.attributes {
		names = append(names, list(event.Attributes[attribute])...)
	}
	return names
}

// changed applies the steps, and leaves out names that are there already.
func (n Names) changed(names []string) []string {
	var found []string
	for _, name := range names {
		for _, step := range n.steps {
			if name != "" {
				name = step(name)
			}
		}
		if name != "" && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// matches reports whether a pattern in which * stands for any text matches the whole of a name.
func matches(pattern, name string) bool {
	start, rest, several := strings.Cut(pattern, "*")
	if !several {
		return pattern == name
	}
	name, found := strings.CutPrefix(name, start)
	if !found {
		return false
	}
	for {
		middle, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, rest)
		}
		_, name, found = strings.Cut(name, middle)
		if !found {
			return false
		}
		rest = after
	}
}
