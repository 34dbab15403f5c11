// Package templates holds the layers that a project is rendered from, embedded as files, and nothing else.
//
// A layer is a folder; a layer a+b belongs to projects that have both a and b. Below it the files are laid out as they will be in the project, with the suffix ".tmpl" and with "dot_" in
// place of a leading dot. Delimiters are <% and %>, which clash with nothing that the templates generate.
package templates

import (
	"embed"
	"io/fs"
)

// One pattern for each layer: a test compares the list with the folders.
//
//go:embed all:attach all:awsendpoint all:awsroots all:base all:cdk all:cdk+eventbridge all:cdk+otel-collector all:cdk+otel-otlp all:cdk+trigger-v3 all:eventbridge all:eventbridge+official all:eventbridge+otel all:eventbridge+sam all:eventbridge+slim all:github all:netstream all:official all:official+trigger-v2 all:otel all:otel+official all:otel+slim all:otel-cloudwatch all:otel-collector all:otel-otlp all:sam all:sigv4 all:slim all:slim+trigger-v2 all:trigger-v1 all:trigger-v2 all:trigger-v3
var layers embed.FS

// FS returns the layers: its top-level folders are the layers' names.
func FS() fs.FS { return layers }
