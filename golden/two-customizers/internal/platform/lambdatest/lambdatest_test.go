package lambdatest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"example.com/two-customizers/internal/platform/lambdatest"
)

// TestMain makes the test's own program a bootstrap where a test starts it as one.
func TestMain(m *testing.M) {
	if behavior := os.Getenv("LAMBDATEST_BEHAVIOR"); behavior != "" {
		if err := serve(behavior); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	m.Run()
}

// serve is a small runtime: it answers each event with the event, reports it as an error, or exits.
func serve(behavior string) error {
	invocation := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for behavior != "exits at once" {
		next, err := http.Get(invocation + "next") //nolint:noctx // the test ends the process
		if err != nil {
			return err
		}
		event, err := io.ReadAll(next.Body)
		if err != nil {
			return err
		}
		_ = next.Body.Close()
		if behavior == "exits in an invocation" {
			return nil
		}
		to := invocation + next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		if event = append(event, os.Getenv("AWS_LAMBDA_FUNCTION_NAME")...); behavior == "fails" {
			to += "/error"
		} else {
			to += "/response"
		}
		posted, err := http.Post(to, "application/json", bytes.NewReader(event)) //nolint:noctx // the test ends the process
		if err != nil {
			return err
		}
		_ = posted.Body.Close()
	}
	return nil
}

func TestInvoke(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for behavior, test := range map[string]struct{ answer, problem string }{
		"answers":                {answer: "event of demo"},
		"fails":                  {problem: "event of demo"},
		"exits at once":          {problem: "the function exited"},
		"exits in an invocation": {problem: "the function exited"},
	} {
		t.Run(behavior, func(t *testing.T) {
			function := lambdatest.StartBootstrap(t, "demo", self, "LAMBDATEST_BEHAVIOR="+behavior)
			for range 2 {
				answer, err := function.Invoke(t.Context(), []byte("event of "))
				if string(answer) != test.answer {
					t.Errorf("answer %q, want %q", answer, test.answer)
				}
				if failed := err != nil; failed != (test.problem != "") || (failed && !strings.HasPrefix(err.Error(), test.problem)) {
					t.Errorf("error %v, want %q", err, test.problem)
				}
				if strings.HasPrefix(behavior, "exits") {
					return
				}
			}
		})
	}
}
