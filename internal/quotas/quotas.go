// Package quotas holds Lambda's limits that several parts of golam check (Lambda Developer Guide, "Lambda quotas").
package quotas

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golam-cli/golam/generator"
)

// Limits of a function's memory, in MB, and of its timeout.
const (
	MinMemory  = generator.MinMemory
	MaxMemory  = generator.MaxMemory
	MaxTimeout = generator.MaxTimeout * time.Second
)

// Limits in bytes: of an event or a response, and of a package for a direct upload.
const (
	MaxPayload  = 6 << 20
	MaxZipped   = 50 << 20
	MaxUnzipped = 250 << 20
)

// Check says what Lambda refuses about a memory size in MB and a timeout. Zero stands for the default.
func Check(memorySize int, timeout time.Duration) error {
	var problems []error
	if timeout < 0 || timeout > MaxTimeout {
		problems = append(problems, fmt.Errorf("a timeout of %s: use up to %s", timeout, MaxTimeout))
	}
	if memorySize != 0 && memorySize < MinMemory || memorySize > MaxMemory {
		problems = append(problems, fmt.Errorf("a memory size of %d MB: use %d to %d", memorySize, MinMemory, MaxMemory))
	}
	return errors.Join(problems...)
}

// NameRule says which names of functions Lambda allows (Lambda API Reference, CreateFunction).
const NameRule = "1 to 64 letters, digits, hyphens and underscores"

// MaxName is the number of characters that such a name may have.
const MaxName = 64

// IsName reports whether Lambda allows a name for a function. Such a name is safe as the name of a folder.
func IsName(name string) bool {
	return name != "" && len(name) <= MaxName && strings.IndexFunc(name, notInName) < 0
}

func notInName(r rune) bool { return !InName(r) }

// InName reports whether a character may be part of a function's name.
func InName(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}
