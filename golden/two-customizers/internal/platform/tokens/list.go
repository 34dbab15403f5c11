package tokens

import (
	"slices"
	"strings"

	"example.com/two-customizers/internal/platform/rawjson"
)

// list reads the text of an attribute that has several values. That is a JSON array, or what Cognito makes of a list in a SAML assertion:
// "[admins, on call]", without quotes and without escapes. A text without brackets is one value, since Cognito writes none around a single
// value. In Cognito's form a comma and a space separate values, so "[a, b]" always has two values, while "CN=a,OU=b" stays whole.
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
