package telemetry

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

const secretARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf"

// manager is AWS Secrets Manager with one secret.
func manager(t *testing.T, status int, answer string) (calls *atomic.Int32) {
	t.Helper()
	calls = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" || !strings.Contains(string(body), secretARN) ||
			!strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/secretsmanager/aws4_request") {
			t.Errorf("got %s with %v: %v", body, r.Header, err)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	t.Setenv(managerEndpoint, server.URL)
	t.Setenv(headersVariable, secretARN)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	return calls
}

// endpoint takes spans that have the key.
func endpoint(t *testing.T) (keys chan string) {
	t.Helper()
	keys = make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Api-Key")
		if r.Header.Get("Api-Key") != "abc" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	return keys
}

func secretString(text string) string {
	encoded, _ := json.Marshal(map[string]string{"SecretString": text})
	return string(encoded)
}

func TestHeadersFromASecret(t *testing.T) {
	calls, keys := manager(t, 200, secretString("api-key=abc")), endpoint(t)
	logger := &logs{}
	tracing := startOwn(logger)
	for range 3 {
		if err := invokeAndFlush(t, tracing, ""); err != nil {
			t.Fatal(err)
		}
		if key := await(t, keys, "the spans arrive"); key != "abc" {
			t.Errorf("the key is %q", key)
		}
	}
	if got := calls.Load(); got != 1 || len(logger.all()) != 0 {
		t.Errorf("the secret is fetched %d times, logged %q", got, logger.all())
	}
}

// TestSecretChanges fetches the secret again once the endpoint does not accept what it was.
func TestSecretChanges(t *testing.T) {
	calls, keys := manager(t, 200, secretString("api-key=old")), endpoint(t)
	tracing := startOwn(&logs{})
	for range 2 {
		tracing.buffer.resume = tracing.buffer.now()
		if err := invokeAndFlush(t, tracing, ""); err == nil {
			t.Fatal("no error with an old key")
		}
		if key := await(t, keys, "the spans arrive"); key != "old" {
			t.Errorf("the key is %q", key)
		}
	}
	if got := calls.Load(); got != 2 {
		t.Errorf("the secret is fetched %d times", got)
	}
}

// TestNoSecret expects an answer, no spans without their headers, and one log line with the reason.
func TestNoSecret(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		answer string
		says   string
	}{
		"missing":      {400, `{"__type":"ResourceNotFoundException","Message":"x"}`, "ResourceNotFoundException"},
		"denied":       {400, `{"__type":"AccessDeniedException"}`, "AccessDeniedException"},
		"broken":       {500, "", "500"},
		"no JSON":      {200, "<html>", "JSON"},
		"binary":       {200, `{"SecretBinary":"c2VjcmV0"}`, "no headers"},
		"no headers":   {200, secretString("secret"), "element 1"},
		"header lines": {200, secretString(`{"a":"secret\r\nb: c"}`), "cannot be a header"},
	} {
		t.Run(name, func(t *testing.T) {
			manager(t, test.status, test.answer)
			keys := endpoint(t)
			logger := &logs{}
			if err := invokeAndFlush(t, startOwn(logger), ""); err == nil {
				t.Error("no error")
			}
			if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], test.says) || strings.Contains(lines[0], "c2VjcmV0") {
				t.Errorf("logged %q", lines)
			}
			if len(keys) != 0 {
				t.Error("spans leave without their headers")
			}
		})
	}
}

// TestSecretOnAPlainConnection expects the function to answer without spans, to say why, and not even to fetch the secret, where its headers
// would go to another machine in clear text.
func TestSecretOnAPlainConnection(t *testing.T) {
	calls := manager(t, 200, secretString("api-key=abc"))
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otlp.example.com:4318")
	logger := &logs{}
	tracing := startOwn(logger)
	if answer, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, ""), []byte("{}")); err != nil || string(answer) != "{}" {
		t.Errorf("answers %s, %v", answer, err)
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "OTEL_EXPORTER_OTLP_ENDPOINT begins with http://") {
		t.Errorf("logged %q", lines)
	}
	if tracing.provider != nil || calls.Load() != 0 {
		t.Errorf("spans are made, or the secret is fetched: %d times", calls.Load())
	}
}

// TestSecretFromAPlainConnection fetches the secret from another machine over TLS alone.
func TestSecretFromAPlainConnection(t *testing.T) {
	manager(t, 200, "") // for its variables
	t.Setenv(managerEndpoint, "http://secretsmanager.example.com")
	keys, logger := endpoint(t), &logs{}
	if err := invokeAndFlush(t, startOwn(logger), ""); err == nil {
		t.Error("no error")
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], managerEndpoint) || len(keys) != 0 {
		t.Errorf("logged %q, sent %d", lines, len(keys))
	}
}

// TestSecretIsNotRedirected expects that the secret is not sent to an address that the endpoint redirects to.
func TestSecretIsNotRedirected(t *testing.T) {
	manager(t, 200, secretString("api-key=abc"))
	elsewhere := endpoint(t)
	server := httptest.NewServer(http.RedirectHandler(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	if err := invokeAndFlush(t, startOwn(&logs{}), ""); err == nil || len(elsewhere) != 0 {
		t.Errorf("error %v, %d requests elsewhere", err, len(elsewhere))
	}
}

// TestSecretsManagerHangs expects a start that does not wait for AWS Secrets Manager, an answer that waits no longer than a flush may take,
// with one line that says why the spans are lost, and spans that leave with their headers once it answers.
func TestSecretsManagerHangs(t *testing.T) {
	manager(t, 200, "") // for its variables
	asked, givenUp, answer := make(chan struct{}, 10), make(chan struct{}, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // with its rest unread, the server would not notice who gives up
		asked <- struct{}{}
		select {
		case <-answer:
			_, _ = io.WriteString(w, secretString("api-key=abc"))
		case <-r.Context().Done():
			givenUp <- struct{}{}
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv(managerEndpoint, server.URL)
	keys, logger := endpoint(t), &logs{}

	tracing := startOwn(logger)
	await(t, asked, "AWS Secrets Manager is asked")
	if len(givenUp) != 0 {
		t.Error("the start waits until the request is given up")
	}
	// There is no extension, so the flush is before the answer.
	if answer, err := tracing.Wrap(answers{}).Invoke(invocationContext(t, ""), []byte("{}")); err != nil || string(answer) != "{}" {
		t.Errorf("answers %s, %v", answer, err)
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "the secret with the headers does not come in time") {
		t.Errorf("logged %q", lines)
	}
	if len(keys) != 0 {
		t.Error("spans leave without their headers")
	}

	close(answer)
	tracing.buffer.resume = tracing.buffer.now()
	if err := invokeAndFlush(t, tracing, ""); err != nil {
		t.Error(err)
	}
	if key := await(t, keys, "the spans arrive"); key != "abc" {
		t.Errorf("the key is %q", key)
	}
}

func TestParseSecret(t *testing.T) {
	for text, want := range map[string]string{
		"api-key=abc,x=a%20b":         "Api-Key: abc; X: a b",
		`{"api-key":"abc","x":"a=b"}`: "Api-Key: abc; X: a=b",
		"authorization=Basic abc=":    "Authorization: Basic abc=",
	} {
		headers, err := parseSecret(text)
		if got := headersOf(settings{headers: headers}); err != nil || got != want {
			t.Errorf("%s is %q, %v", text, got, err)
		}
	}
}

func TestSecretsManagerAddress(t *testing.T) {
	none := func(string) string { return "" }
	for arn, want := range map[string]string{
		secretARN: "https://secretsmanager.eu-west-1.amazonaws.com/",
		"arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:otlp":       "https://secretsmanager.cn-north-1.amazonaws.com.cn/",
		"arn:aws-eusc:secretsmanager:eusc-de-east-1:123456789012:secret:otlp": "https://secretsmanager.eusc-de-east-1.amazonaws.eu/",
	} {
		if got := newSecret(arn, none).endpoint; got != want {
			t.Errorf("%s is at %s, not %s", arn, got, want)
		}
	}
}
