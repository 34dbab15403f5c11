// Package settings says what a function runs with on this machine: its memory, its timeout and its environment variables, from the command
// line, golam.yaml, environment files, and defaults.
//
// What belongs here: reading environment files, and which source wins. What does not belong here: the format of golam.yaml, and running
// functions (internal/local).
package settings

import (
	"cmp"
	"maps"
	"time"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/local"
)

// Defaults of a project that golam made. They are those of its template.yaml.
const (
	madeTimeout    = 4 * time.Second
	madeMemorySize = 256
)

// Given is what the command line says about functions. It wins over golam.yaml. The zero value says nothing.
type Given struct {
	// Timeout and MemorySize (in MB) are those of [local.Function]. If they are zero, golam.yaml decides, and then the defaults: those of
	// golam's templates for projects that golam made, and Lambda's for others.
	Timeout    time.Duration
	MemorySize int
	// Env are environment variables.
	Env map[string]string
}

// Limits returns the timeout and the memory in MB of a function about which golam.yaml has settings. Made says that golam made the project.
func (g Given) Limits(file build.Settings, made bool) (timeout time.Duration, memorySize int) {
	timeout, memorySize = cmp.Or(g.Timeout, file.Timeout), cmp.Or(g.MemorySize, file.MemorySize)
	if made {
		timeout, memorySize = cmp.Or(timeout, madeTimeout), cmp.Or(memorySize, madeMemorySize)
	}
	return cmp.Or(timeout, local.DefaultTimeout), cmp.Or(memorySize, local.DefaultMemorySize)
}

// Environment returns the environment variables of a function. Variables are those of the environment file that golam.yaml names for it.
// Environ is golam's own environment, of which a function gets a few variables, as "name=value".
func (g Given) Environment(variables map[string]string, made bool, environ []string) map[string]string {
	given := map[string]string{}
	maps.Copy(given, variables)
	maps.Copy(given, g.Env)
	env := local.Environment(given, environ)
	if _, set := env["AWS_LAMBDA_LOG_FORMAT"]; made && !set {
		env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
	}
	return env
}
