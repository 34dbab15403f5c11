package benchmark

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/invoke"
	"github.com/golam-cli/golam/internal/testkit"
)

// cacheFolder is where the functions of these tests are built, once.
var cacheFolder string

func TestMain(m *testing.M) {
	code, err := testkit.RunWithFolder(m, &cacheFolder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// options measure a handler of a function on aws-lambda-go, whose name says what it does.
func options(handler string) Options {
	return Options{
		Invoke: invoke.Options{
			Dir: "../local/testdata/functions", Cache: cacheFolder, Environ: os.Environ(), Event: []byte("{}"), Timeout: time.Minute,
			Env: map[string]string{"_HANDLER": handler},
		},
		Functions: []string{"official"},
		Plan:      Plan{Rounds: 2, Invocations: 3},
	}
}
