package build

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/generator"
)

// runtimeVariable is where every runtime finds its Runtime API.
const runtimeVariable = "AWS_LAMBDA_RUNTIME_API"

// describeUnlisted says what to do about main packages that look like functions: they use a runtime of the project's own.
func describeUnlisted(folders []string) string {
	verb, them := "talks", "it is a function, name it"
	if len(folders) > 1 {
		verb, them = "talk", "they are functions, name them"
	}
	return fmt.Sprintf("%s %s to the Runtime API without aws-lambda-go: if %s among the functions in %s",
		strings.Join(folders, ", "), verb, them, generator.ProjectFile)
}

// mentionsRuntime reports whether a source names the address of the Runtime API.
func mentionsRuntime(source []byte) bool {
	return bytes.Contains(source, []byte(`"`+runtimeVariable+`"`))
}

// isRuntime reports whether some of the files in a folder name the address of the Runtime API.
func isRuntime(dir string, files []string) bool {
	return slices.ContainsFunc(files, func(name string) bool {
		source, err := readSource(filepath.Join(dir, name))
		return err == nil && mentionsRuntime(source)
	})
}
