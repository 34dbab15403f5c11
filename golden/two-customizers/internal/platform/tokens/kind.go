package tokens

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"syscall"
)

// kindOf returns the kind of an error without its text, which may carry personal data: the code of an AWS service, such as
// AccessDeniedException; "timeout" or "canceled"; the system's word for a failed connection, such as "connection refused"; or the innermost
// type of its own. It is empty for errors that only have a text.
func kindOf(err error) string {
	if coded, found := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); found && isCode(coded.ErrorCode()) {
		return coded.ErrorCode()
	}
	late, found := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded) || (found && late.Timeout()):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	if number, found := errors.AsType[syscall.Errno](err); found {
		return number.Error()
	}
	kind := ""
	for ; err != nil; err = inner(err) {
		switch name := reflect.TypeOf(err).String(); name {
		case "*errors.errorString", "*errors.joinError", "*fmt.wrapError", "*fmt.wrapErrors":
		default:
			kind = name
		}
	}
	return kind
}

// inner is the error that another one wraps, or the first if it wraps several.
func inner(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		if errs := several.Unwrap(); len(errs) > 0 {
			return errs[0]
		}
	}
	return errors.Unwrap(err)
}

// isCode reports whether a text looks like the code of an error, and not like a message.
func isCode(text string) bool {
	const most = 64
	return text != "" && len(text) <= most && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_'
	})
}
