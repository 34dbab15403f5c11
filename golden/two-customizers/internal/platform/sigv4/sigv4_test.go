package sigv4_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/two-customizers/internal/platform/sigv4"
)

// The credentials and the time of AWS's published test vectors.
var (
	example     = sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	exampleTime = time.Date(2015, time.August, 30, 12, 36, 0, 0, time.UTC)
)

// TestVectors signs requests of the AWS Signature Version 4 test suite.
func TestVectors(t *testing.T) {
	const scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
	for _, vector := range []struct {
		name, method, url string
		header            http.Header
		want              string
	}{
		{
			"get-vanilla", http.MethodGet, "https://example.amazonaws.com/", nil,
			"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		},
		{
			"get-vanilla-query-order-key-case", http.MethodGet, "https://example.amazonaws.com/?Param2=value2&Param1=value1", nil,
			"SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		},
		{
			"get-header-value-trim", http.MethodGet, "https://example.amazonaws.com/",
			http.Header{"My-Header1": {" value1"}, "My-Header2": {` "a   b   c"`}},
			"SignedHeaders=host;my-header1;my-header2;x-amz-date, Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		},
		{
			"post-vanilla", http.MethodPost, "https://example.amazonaws.com/", nil,
			"SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		},
	} {
		t.Run(vector.name, func(t *testing.T) {
			request := newRequest(t, vector.method, vector.url)
			for name, values := range vector.header {
				request.Header[name] = values
			}
			example.Sign(request, nil, "service", "us-east-1", exampleTime)
			if got := http.Header(request.Header).Get("Authorization"); got != scope+vector.want {
				t.Errorf("got  %s\nwant %s", got, scope+vector.want)
			}
		})
	}
}

func TestSessionToken(t *testing.T) {
	temporary := example
	temporary.SessionToken = "token"
	request := newRequest(t, http.MethodPost, "https://example.amazonaws.com/")
	temporary.Sign(request, []byte("body"), "service", "us-east-1", exampleTime)
	if http.Header(request.Header).Get("X-Amz-Security-Token") != "token" || !strings.Contains(http.Header(request.Header).Get("Authorization"), "x-amz-security-token") {
		t.Errorf("the session token is not sent and signed: %v", request.Header)
	}
	first := http.Header(request.Header).Get("Authorization")
	temporary.Sign(request, []byte("body"), "service", "us-east-1", exampleTime)
	if again := http.Header(request.Header).Get("Authorization"); again != first {
		t.Errorf("signing again gives %s, not %s", again, first)
	}
}

func TestFromEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "token")
	got, err := sigv4.FromEnvironment()
	if want := (sigv4.Credentials{AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: "token"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if _, err := sigv4.FromEnvironment(); err == nil || strings.Contains(err.Error(), "token") {
		t.Errorf("half the credentials give the error %v", err)
	}
}

func newRequest(t *testing.T, method, address string) sigv4.Request {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Request{Method: method, URL: target, Header: http.Header{}}
}
