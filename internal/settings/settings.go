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

// Given is what the command line says about functions. It wins over golam.yaml. The zero value says nothing.
type Given struct {
	// Timeout and MemorySize (in MB) are those of [local.Function]. If they are zero, golam.yaml decides, and without it Lambda's defaults.
	Timeout    time.Duration
	MemorySize int
	// Env are environment variables.
	Env map[string]string
}

// Limits returns the timeout and the memory in MB of a function about which golam.yaml has settings. Those include what its kind gives it.
func (g Given) Limits(file build.Settings) (timeout time.Duration, memorySize int) {
	return cmp.Or(g.Timeout, file.Timeout, local.DefaultTimeout), cmp.Or(g.MemorySize, file.MemorySize, local.DefaultMemorySize)
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
