package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
)

// serviceError is an error with a code, as those of AWS's SDK are.
type serviceError string

func (serviceError) Error() string { return "canary" }

func (e serviceError) ErrorCode() string { return string(e) }

// clientError wraps what went wrong, as the SDK's types for operations do.
type clientError struct{ inner error }

func (clientError) Error() string { return "canary" }

func (e clientError) Unwrap() error { return e.inner }

func TestKindOf(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, test := range []struct {
		err  error
		want string
	}{
		{clientError{serviceError("AccessDeniedException")}, "AccessDeniedException"},
		{fmt.Errorf("canary: %w", clientError{errors.Join(errors.New("canary"), serviceError("ThrottlingException"))}), "ThrottlingException"},
		{clientError{serviceError("no tenant for canary@example.com")}, "tokens.serviceError"},
		{clientError{serviceError("")}, "tokens.serviceError"},
		{clientError{refused}, "connection refused"},
		{clientError{context.DeadlineExceeded}, "timeout"},
		{clientError{&net.DNSError{Err: "canary", Name: "canary", IsTimeout: true}}, "timeout"},
		{clientError{&net.DNSError{Err: "canary", Name: "canary", IsNotFound: true}}, "*net.DNSError"},
		{clientError{os.ErrDeadlineExceeded}, "timeout"},
		{clientError{context.Canceled}, "canceled"},
		{clientError{errors.New("canary")}, "tokens.clientError"},
		{fmt.Errorf("canary: %w and %w", &json.SyntaxError{}, errors.New("canary")), "*json.SyntaxError"},
		{&fs.PathError{Op: "open", Path: "canary", Err: fs.ErrNotExist}, "*fs.PathError"},
		{fmt.Errorf("canary: %w", errors.New("canary")), ""},
		{errors.Join(), ""},
	} {
		if got := kindOf(test.err); got != test.want {
			t.Errorf("%v is %q, not %q", test.err, got, test.want)
		}
	}
}
