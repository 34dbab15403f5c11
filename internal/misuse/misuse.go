// Package misuse has the error for what the user must change: the command line, an answers file, golam.yaml or an event. Nothing else
// belongs here. Package cmd turns the error into exit code 2.
package misuse

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a mistake of the user's. Its text says what to do.
type Error struct{ text string }

// Error returns the text.
func (e *Error) Error() string { return e.text }

// New makes an [Error] of a format and its arguments.
func New(format string, args ...any) error {
	return &Error{text: fmt.Sprintf(format, args...)}
}

// Join makes one [Error] of several problems, one a line. It is nil if there are none.
func Join(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return &Error{text: strings.Join(problems, "\n")}
}

// Is reports whether an error is a mistake of the user's, or wraps one.
func Is(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}
