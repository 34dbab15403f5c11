package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSigned wants every request to be signed for X-Ray, over the headers and the body that arrive.
func TestSigned(t *testing.T) {
	arrived := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header }))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.URL+tracesPath)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	t.Setenv("AWS_SESSION_TOKEN", "session")
	logger := &logs{}
	tracing := startOwn(logger)
	if err := invokeAndFlush(t, tracing, header+";Sampled=1"); err != nil {
		t.Fatal(err)
	}
	got := await(t, arrived, "the spans arrive")
	authorization := got.Get("Authorization")
	for _, part := range []string{
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", "/eu-west-1/xray/aws4_request",
		"SignedHeaders=content-encoding;content-length;content-type;host;x-amz-date;x-amz-security-token,",
	} {
		if !strings.Contains(authorization, part) {
			t.Errorf("there is no %s in %s", part, authorization)
		}
	}
	if got.Get("X-Amz-Security-Token") != "session" {
		t.Error("the session token is not sent")
	}

	// What X-Ray does not record is not sent.
	if err := invokeAndFlush(t, tracing, header+";Sampled=0"); err != nil || len(arrived) != 0 {
		t.Errorf("a trace that X-Ray does not record is sent: %v", err)
	}
	if lines := logger.all(); len(lines) != 0 {
		t.Errorf("logged %q", lines)
	}
}

// TestPlainConnection wants no request that is signed, with the token of the session, to go to another machine in clear text.
func TestPlainConnection(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://xray.example.com/v1/traces")
	logger := &logs{}
	tracing := startOwn(logger)
	if lines := logger.all(); tracing.provider != nil || len(lines) != 1 || !strings.Contains(lines[0], "use https://") {
		t.Errorf("logged %q", lines)
	}
}

// TestNoCredentials wants the answer all the same.
func TestNoCredentials(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	logger := &logs{}
	if err := invokeAndFlush(t, startOwn(logger), ""); err == nil {
		t.Error("no error")
	}
	if lines := logger.all(); len(lines) != 1 || !strings.Contains(lines[0], "no credentials") {
		t.Errorf("logged %q", lines)
	}
}
