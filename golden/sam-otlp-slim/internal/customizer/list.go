package customizer

import (
	"slices"
	"strings"

	"example.com/sam-otlp-slim/internal/pretoken"
	"example.com/sam-otlp-slim/internal/rawjson"
)

// list reads the text of an attribute that has several values. That is a JSON array, or what Cognito makes of a list in a SAML assertion:
// "[admins, on call]", with no quotes and nothing escaped. A text without brackets is one value, since Cognito writes none around a single one.
// In Cognito's form a comma followed by a space separates values: "a, b" cannot be told from two values, while "CN=a,OU=b" stays whole.
func list(text string) []string {
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(text, "]") {
		return present([]string{text})
	}
	array, err := rawjson.Parse([]byte(text))
	if err != nil {
		return present(strings.Split(text[1:len(text)-1], ", "))
	}
	var values []string
	for value := range array.Elements() {
		if value.Kind() == '"' {
			values = append(values, value.Text())
		} else { // a number, for example: Cognito's form has no quotes
			values = append(values, string(value))
		}
	}
	return present(values)
}

// present leaves out values that are empty, and those that came before.
func present(values []string) []string {
	var found []string
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" && !slices.Contains(found, value) {
			found = append(found, value)
		}
	}
	return found
}

// groups are the names of the user's groups, followed by other names in attributes that have lists of them.
func groups(event *pretoken.Event, attributes []string) []string {
	names := slices.Clip(event.Groups) // the event stays as it is
	for _, attribute := range attributes {
		for _, name := range list(event.Attributes[attribute]) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
