package benchmark

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/invoke"
)

// cacheFolder is where the functions of these tests are built, once.
var cacheFolder string

func TestMain(m *testing.M) {
	var err error
	if cacheFolder, err = os.MkdirTemp("", "golam-benchmark-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(cacheFolder)
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

func contains(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q, want it to say %q", err, text)
		}
	}
}
