// Package templates holds the layers that a project is rendered from, embedded as files, and nothing else.
//
// A layer is a folder of templates that belongs to projects with certain features. Where its files go, and when, follows from its place:
//
//	project[+feature...]/            files of the project
//	iac/<flavour>[+feature...]/      files of the project, for an IaC flavour
//	platform/<package>[+feature...]/ the folder internal/platform/<package> of the project
//	kinds/<kind>[+feature...]/       files for a kind of function; a path with {function} or {package} in it is rendered for each function
//	partials/                        text that several templates include; a layer can have partials of its own.
//	                                 CONTRIBUTING.md lists those that each kind and each flavor must have
//
// Below a layer the files are laid out as in the project, with the suffix ".tmpl" and with "dot_" in place of a leading dot. Delimiters are
// <% and %>, which clash with nothing that the templates generate.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed all:iac all:kinds all:partials all:platform all:project*
var layers embed.FS

// FS returns the layers, in folders by what they belong to.
func FS() fs.FS { return layers }
