package invoke

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
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

// functions is a project with a function on aws-lambda-go whose handler's name says what it does.
const functions = "../local/testdata/functions"

// logs collects what a function logs.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) add(line local.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(append(line.Text, '\n'))
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// invokeHandler runs an event through one of the handlers.
func invokeHandler(t *testing.T, handler string, options Options) (Result, string) {
	t.Helper()
	log := &logs{}
	options.Dir, options.Cache, options.Environ, options.Log = functions, cacheFolder, os.Environ(), log.add
	if options.Env == nil {
		options.Env = map[string]string{}
	}
	options.Env["_HANDLER"] = handler
	if options.Timeout == 0 {
		options.Timeout = time.Minute
	}
	result, err := Run(t.Context(), options)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return result, log.String()
}

// serve serves a handler of the function "official" on a local Invoke API and returns its address.
func serve(t *testing.T, handler string, timeout time.Duration) string {
	t.Helper()
	return serveLogging(t, handler, timeout, nil)
}

func serveLogging(t *testing.T, handler string, timeout time.Duration, log func(local.Line)) string {
	t.Helper()
	if _, err := os.Stat(bootstrap(t)); err != nil {
		t.Fatal(err)
	}
	lambda, err := local.Start(t.Context(), local.Config{
		InvokeAddress: "127.0.0.1:0", Log: log,
		Functions: []local.Function{{
			Name: "official", Bootstrap: bootstrap(t), Dir: t.TempDir(), Timeout: timeout, Env: map[string]string{"_HANDLER": handler},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := lambda.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return lambda.InvokeURL()
}

// bootstrap is the path of what invokeHandler has built, or builds now.
func bootstrap(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(cacheFolder, "golam", "functions-*", "invoke", "official", "bootstrap*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		invokeHandler(t, "echo", Options{Event: []byte("{}")})
		return bootstrap(t)
	}
	return found[0]
}

func decode(t *testing.T, data []byte, value any) {
	t.Helper()
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

func misused(t *testing.T, err error, texts ...string) {
	t.Helper()
	testkit.ErrorSays(t, err, texts...)
	if _, ok := err.(*misuse.Error); !ok { //nolint:errorlint // it is returned as it is
		t.Errorf("error %v is no misuse", err)
	}
}
