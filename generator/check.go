package generator

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

const maxName = 40

func checkName(name string) []string {
	var problems []string
	switch {
	case name == "":
		return []string{"a name is needed: give a folder to make, or --name"}
	case !namePattern.MatchString(name):
		problems = append(problems, fmt.Sprintf("%q is not a name: use lower case letters, digits and hyphens, and start with a letter", Shorten(name)))
	case strings.HasSuffix(name, "-"):
		problems = append(problems, fmt.Sprintf("%q ends in a hyphen: remove it", Shorten(name)))
	case name == "aws": // its events would have a source that begins with aws.
		problems = append(problems, `"aws" is no name: sources of events that begin with aws. are those of AWS, so choose another`)
	case reserved(name):
		problems = append(problems, fmt.Sprintf("%q is the name of a device on Windows: choose another", name))
	}
	if len(name) > maxName {
		problems = append(problems, fmt.Sprintf("the name has %d characters: %d are allowed", len(name), maxName))
	}
	return problems
}

// reserved tells device names, which no folder can have on Windows. Source: "Naming Files, Paths, and Namespaces" of Microsoft Learn.
func reserved(name string) bool {
	switch name {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(name) == 4 && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")) && '0' <= name[3] && name[3] <= '9'
}

func checkModule(path string) []string {
	if len(path) > 255 {
		return []string{fmt.Sprintf("the module path has %d characters: 255 are allowed", len(path))}
	}
	err := module.CheckPath(path)
	if err == nil && slices.Contains(strings.Split(path, "/"), "vendor") {
		return []string{fmt.Sprintf("%q has an element vendor, which the go command takes for a folder of copied modules: choose another", Shorten(path))}
	}
	if err == nil {
		return nil
	}
	var invalid *module.InvalidPathError
	if errors.As(err, &invalid) {
		err = invalid.Err
	}
	return []string{fmt.Sprintf("%q is not a module path (%v): use one such as github.com/you/project", Shorten(path), err)}
}

// checkRequired refuses a module path that is that of a required module, or above or below it: imports would be ambiguous.
func checkRequired(file *modfile.File) error {
	if file.Module == nil {
		return errors.New("the file names no module")
	}
	module := file.Module.Mod.Path
	for _, required := range file.Require {
		if path := required.Mod.Path; strings.HasPrefix(path+"/", module+"/") || strings.HasPrefix(module+"/", path+"/") {
			text := fmt.Sprintf("%q is in the way of %s, which the project depends on: choose another", Shorten(module), path)
			return &InvalidError{Problems: []Problem{{Key: "module", Text: text}}}
		}
	}
	return nil
}
