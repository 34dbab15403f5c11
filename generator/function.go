package generator

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/golam-cli/golam/templates"
)

// Function is one Lambda function of a project.
type Function struct {
	// Name is that of its folders below cmd/, events/ and dist/: 1 to 64 lower case letters, digits and hyphens.
	Name string
	Kind Kind
	// Answers are the validated answers to the kind's options.
	Answers Answers
	// Memory is in MB, Timeout in seconds.
	Memory, Timeout int
}

// FunctionAnswers are answers about one function, before they are validated. What is empty takes its default.
type FunctionAnswers struct {
	Name, Kind string
	// Answers are to the kind's options, and may have [MemoryKey] and [TimeoutKey].
	Answers Answers
}

// Keys of golam.yaml that every function has, whatever its kind. No option of a kind has one of them.
const (
	KindKey    = "kind"
	MemoryKey  = "memory"
	TimeoutKey = "timeout"
)

// Limits of Lambda (Lambda Developer Guide, "Lambda quotas").
const (
	// MinMemory and MaxMemory are in MB, MaxTimeout in seconds.
	MinMemory  = 128
	MaxMemory  = 10240
	MaxTimeout = 900
)

// Limits are the memory and the timeout that functions of a kind get, and may get.
type Limits struct {
	// Memory in MB and Timeout in seconds are the defaults.
	Memory, Timeout int
	// MaxTimeout in seconds is the longest timeout that makes sense, or 0 for Lambda's own limit. Reason says why, as the end of a sentence.
	MaxTimeout int
	Reason     string
}

// ID is the function's name in infrastructure as code, where names have no hyphens: OrderAudit for order-audit.
func (f Function) ID() string {
	var id strings.Builder
	for word := range strings.SplitSeq(f.Name, "-") {
		if word != "" {
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}

// Package is the name of the function's Go package below internal/: orderaudit for order-audit.
func (f Function) Package() string { return strings.ReplaceAll(f.Name, "-", "") }

// Prefix begins the names of the function's resources in infrastructure as code. For the function with the kind's default name it is empty if
// the kind says so.
func (f Function) Prefix() string {
	if f.Kind.Unprefixed() && f.Name == f.Kind.DefaultFunctionName() {
		return ""
	}
	return f.ID()
}

// FunctionResources returns what follows [Function.ID] in the names that every function has in infrastructure as code.
func FunctionResources() []string {
	return []string{"", "Arn", "LogGroup", "LogGroupName", "Permission", "Role"}
}

// ProjectResources returns the names in infrastructure as code that belong to no function.
func ProjectResources() []string {
	return []string{
		"AlarmTopic", "AlarmTopicArn", "CollectorLayer", "CollectorLayerArn", "EventArchive", "EventBus", "EventBusName", "ExampleDeadLetterQueue",
		"ExampleQueue", "ExampleQueuePolicy", "ExampleQueueUrl", "ExampleRule", "ExistingEventBusName", "HasOtlpHeadersSecretArn",
		"LogRetentionInDays", "MakeEventBus", "NotifyAlarms", "OtlpEndpoint", "OtlpHeadersSecretArn", "UseCommunityLayer",
	}
}

// Resources returns the names that the function may have in infrastructure as code.
func (f Function) Resources() []string {
	var names []string
	for _, name := range FunctionResources() {
		names = append(names, f.ID()+name)
	}
	for _, name := range f.Kind.Resources() {
		names = append(names, f.Prefix()+name)
	}
	return names
}

// maxFunctionName is Lambda's limit (Lambda API Reference, CreateFunction).
const maxFunctionName = 64

var functionPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// CheckFunctionName lists why a project cannot have a function of the name, with the fix. It is empty for a valid name.
func CheckFunctionName(name string) []string {
	quoted := fmt.Sprintf("%q", Shorten(name))
	switch {
	case name == "":
		return []string{"a function needs a name"}
	case !functionPattern.MatchString(name):
		return []string{quoted + " is not a function name: use lower case letters, digits and single hyphens between them, and start with a letter"}
	case len(name) > maxFunctionName:
		return []string{fmt.Sprintf("a function name has %d characters: Lambda allows %d", len(name), maxFunctionName)}
	}
	switch pkg := (Function{Name: name}).Package(); {
	case reserved(name), reserved(pkg):
		return []string{quoted + " is the name of a device on Windows: choose another"}
	case slices.Contains(keywords, pkg):
		return []string{fmt.Sprintf("the function's Go package would be called %s, which is a keyword of Go: choose another name than %s", pkg, quoted)}
	case slices.Contains(predeclared, pkg):
		return []string{fmt.Sprintf("the function's Go package would be called %s, which Go declares itself: choose another name than %s", pkg, quoted)}
	case slices.Contains(takenPackages, pkg), slices.Contains(platformPackages(), pkg):
		return []string{fmt.Sprintf("the function's Go package would be called %s, which is the name of another folder or package: choose another name than %s", pkg, quoted)}
	}
	return nil
}

// keywords are those of Go (The Go Programming Language Specification, "Keywords").
var keywords = []string{
	"break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go", "goto", "if", "import",
	"interface", "map", "package", "range", "return", "select", "struct", "switch", "type", "var",
}

// predeclared are the identifiers that every Go file has (The Go Programming Language Specification, "Predeclared identifiers").
var predeclared = []string{
	"any", "append", "bool", "byte", "cap", "clear", "close", "comparable", "complex", "complex128", "complex64", "copy", "delete", "error",
	"false", "float32", "float64", "imag", "int", "int16", "int32", "int64", "int8", "iota", "len", "make", "max", "min", "new", "nil", "panic",
	"print", "println", "real", "recover", "rune", "string", "true", "uint", "uint16", "uint32", "uint64", "uint8", "uintptr",
}

// takenPackages mean something to the go command, are other folders of a project, or are packages that a function's main.go may import
// together with the function's own.
var takenPackages = []string{
	"all", "cmd", "internal", "main", "std", "testdata", "vendor",
	"assets", "dist", "docs", "events", "infra", "platform",
	"aws", "config", "dynamodb", "lambda", "otel",
	"bytes", "context", "errors", "fmt", "http", "io", "json", "log", "maps", "net", "os", "path", "reflect", "runtime", "signal", "slices", "slog",
	"sort", "strconv", "strings", "sync", "syscall", "testing", "time", "unsafe",
}

// platformPackages are the names of the packages below internal/platform.
func platformPackages() []string {
	folders, err := fs.ReadDir(templates.FS(), "platform")
	if err != nil {
		return nil
	}
	var names []string
	for _, folder := range folders {
		name, _, _ := strings.Cut(folder.Name(), "+")
		names = append(names, name)
	}
	return names
}
