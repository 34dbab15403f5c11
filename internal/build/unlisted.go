package build

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// runtimeVariable is where every runtime finds its Runtime API.
const runtimeVariable = "AWS_LAMBDA_RUNTIME_API"

// unlisted finds main packages that look like functions but are none, as paths relative to the project: they bring a runtime of their own,
// and golam.yaml does not name them.
func (l *listing) unlisted(functions []Function) []string {
	runtimes := map[string]bool{}
	for importPath, p := range l.packages {
		runtimes[importPath] = l.local(p) && isRuntime(p)
	}
	var found []string
	for _, importPath := range l.main {
		listed := slices.ContainsFunc(functions, func(f Function) bool { return f.Package == importPath })
		if !listed && slices.ContainsFunc(l.reach(importPath), func(p goPackage) bool { return runtimes[p.ImportPath] }) {
			found = append(found, l.folder(Function{Package: importPath}))
		}
	}
	return found
}

// DescribeUnlisted says what to do about main packages that look like functions.
func DescribeUnlisted(folders []string) string {
	verb, them := "talks", "it is a function, name it"
	if len(folders) > 1 {
		verb, them = "talk", "they are functions, name them"
	}
	return fmt.Sprintf("%s %s to the Runtime API without aws-lambda-go: if %s among the functions in %s",
		strings.Join(folders, ", "), verb, them, generator.ProjectFile)
}

// isRuntime reports whether the source of a package reads the address of the Runtime API.
func isRuntime(p goPackage) bool {
	return slices.ContainsFunc(p.GoFiles, func(name string) bool {
		source, err := os.ReadFile(filepath.Join(p.Dir, name))
		return err == nil && bytes.Contains(source, []byte(`"`+runtimeVariable+`"`))
	})
}
