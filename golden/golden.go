// Package golden holds the golden projects, one folder each, and the tests that render, compare, build, vet and test every variant. The
// projects are checked in so that a change of a template is reviewed as a change of what users get, and as a gallery to browse.
//
// `make golden` regenerates them.
package golden
