package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/golam-cli/golam/internal/misuse"
)

// limitFlags declares --timeout and --memory, for the commands that run functions.
func limitFlags(flags *pflag.FlagSet, timeout *time.Duration, memorySize *int) {
	flags.DurationVar(timeout, "timeout", 0, "the timeout, such as 10s (default what golam.yaml says, else 3s)")
	flags.IntVar(memorySize, "memory", 0, "the memory in `MB` (default what golam.yaml says, else 128)")
}

// checkLimits refuses values of --timeout and --memory that cannot be meant, and sets them to zero: the library, for which zero stands for
// the default, checks Lambda's limits then.
func checkLimits(given func(string) bool, timeout *time.Duration, memorySize *int) error {
	var problems []string
	if given("timeout") && *timeout <= 0 {
		problems = append(problems, fmt.Sprintf("--timeout %s: use a duration such as 4s", *timeout))
		*timeout = 0
	}
	if given("memory") && *memorySize <= 0 {
		problems = append(problems, fmt.Sprintf("--memory %d: use a number of MB such as 256", *memorySize))
		*memorySize = 0
	}
	if len(problems) > 0 {
		return misuse.New("%s", strings.Join(problems, "\n"))
	}
	return nil
}
