package lambdaruntime

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"example.com/cdk-slim/internal/platform/rawjson"
)

// failure is the reason why an invocation or the start of the function failed, in the form that Lambda expects.
type failure struct {
	kind, message string
	stack         []frame
	panicked      bool
}

// frame is a place in the stack of a panic.
type frame struct {
	path  string
	line  int
	label string
}

func failureOf(err error) *failure { return &failure{kind: typeName(err), message: err.Error()} }

// failureOfPanic must be called by the deferred function that recovered from the panic.
func failureOfPanic(recovered any) *failure {
	return &failure{kind: typeName(recovered), message: panicMessage(recovered), stack: stackOfPanic(), panicked: true}
}

// typeName returns the type of an error without its package and without the asterisk of a pointer.
func typeName(value any) string {
	kind := reflect.TypeOf(value)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Name()
}

func panicMessage(recovered any) string {
	switch recovered := recovered.(type) {
	case error:
		return recovered.Error()
	case interface{ String() string }:
		return recovered.String()
	case string:
		return recovered
	case int:
		return strconv.Itoa(recovered)
	}
	return "a value of type " + reflect.TypeOf(recovered).String()
}

// stackOfPanic returns the stack from the place where the handler panicked, without the frames of the Go runtime above it.
func stackOfPanic() []frame {
	const (
		maxFrames = 32
		hidden    = 5 // runtime.Callers, this function, failureOfPanic, the deferred function, and runtime.gopanic
	)
	callers := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(callers[:runtime.Callers(hidden, callers)])
	var stack []frame
	for {
		next, more := frames.Next()
		if !more || len(stack) > 0 || !strings.HasPrefix(next.Function, "runtime.") {
			stack = append(stack, newFrame(next))
		}
		if !more {
			return stack
		}
	}
}

func newFrame(place runtime.Frame) frame {
	return frame{path: place.File, line: place.Line, label: place.Function[strings.LastIndexByte(place.Function, '/')+1:]}
}

// encode returns the body of a report.
func (f *failure) encode() []byte {
	var report rawjson.Object
	report.Add("errorMessage", rawjson.String(f.message))
	report.Add("errorType", rawjson.String(f.kind))
	if f.stack != nil {
		report.Add("stackTrace", f.trace())
	}
	return report.Value()
}

// fields returns the headers of a report: the type of the failure, and the cause for X-Ray if it is not too long.
func (f *failure) fields() []string {
	fields := []string{"Lambda-Runtime-Function-Error-Type", f.kind}
	var exception, cause rawjson.Object
	exception.Add("type", rawjson.String(f.kind))
	exception.Add("message", rawjson.String(f.message))
	exception.Add("stack", f.trace())
	cause.Add("working_directory", rawjson.String(environment("LAMBDA_TASK_ROOT", "")))
	cause.Add("exceptions", append(append(rawjson.Value{'['}, exception.Value()...), ']'))
	var paths []string
	for _, frame := range f.stack {
		if len(paths) == 0 || paths[len(paths)-1] != frame.path {
			paths = append(paths, frame.path)
		}
	}
	cause.Add("paths", rawjson.Strings(paths))
	const maxCause = 32 << 10
	if text := string(cause.Value()); len(text) <= maxCause {
		fields = append(fields, "Lambda-Runtime-Function-XRay-Error-Cause", text)
	}
	return fields
}

// trace returns the frames as a JSON array.
func (f *failure) trace() rawjson.Value {
	trace := rawjson.Value{'['}
	for i, frame := range f.stack {
		if i > 0 {
			trace = append(trace, ',')
		}
		var object rawjson.Object
		object.Add("path", rawjson.String(frame.path))
		object.Add("line", rawjson.Value(strconv.Itoa(frame.line)))
		object.Add("label", rawjson.String(frame.label))
		trace = append(trace, object.Value()...)
	}
	return append(trace, ']')
}
