package function_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"example.com/sam-otlp/internal/platform/function"
)

// TestMain makes the test's own program a function that cannot start, where a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("FUNCTION_THAT_FAILS") != "" {
		function.New().Fail(errors.New("canary"))
	}
	m.Run()
}

// TestFail wants the reason in the log, and not in what Lambda is told.
func TestFail(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- r.URL.Path + " " + string(body)
		w.WriteHeader(http.StatusNotFound)
	}))
	defer lambda.Close()
	var log bytes.Buffer
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), "FUNCTION_THAT_FAILS=1", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(lambda.URL, "http://"))
	command.Stdout, command.Stderr = &log, &log
	if exit, failed := errors.AsType[*exec.ExitError](command.Run()); !failed || exit.ExitCode() != 1 {
		t.Errorf("the function ends with %v", exit)
	}
	if !strings.Contains(log.String(), `"message":"cannot start"`) || !strings.Contains(log.String(), `"reason":"canary"`) {
		t.Errorf("logged:\n%s", &log)
	}
	lambda.Close() // waits for its requests
	close(told)
	for request := range told {
		if strings.Contains(request, "canary") {
			t.Errorf("Lambda is told: %s", request)
		}
	}
}
