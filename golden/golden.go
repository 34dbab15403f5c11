// Package golden holds golden projects, and the tests that render, compare, build, vet and test every variant. The projects are checked in so
// that a change of a template is reviewed as a change of what users get, and as a gallery to browse. A few are checked in whole, in a folder
// each. Of the others, locks/ has golam.lock alone; the tests render them.
//
// `make golden` regenerates all of it.
package golden
