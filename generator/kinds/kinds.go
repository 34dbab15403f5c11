// Package kinds lists the kinds that golam's functions can have, each a package below it, and holds nothing else.
package kinds

import (
	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds/cognitotoken"
)

// All returns every kind, the default first.
func All() generator.Catalog {
	return generator.Catalog{cognitotoken.Kind{}}
}
