package signer_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"example.com/signer/sigv4"
)

// TestLikeTheSDK signs requests of every kind with the package of a generated project and with the AWS SDK, and compares.
func TestLikeTheSDK(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const letters = "abcXYZ019 -_.~!*'()%+/?&=é\"<>"
	text := func(most int) string {
		runes := []rune(letters)
		var made strings.Builder
		for range random.IntN(most + 1) {
			made.WriteRune(runes[random.IntN(len(runes))])
		}
		return made.String()
	}
	for i := range 5000 {
		address := url.URL{Scheme: "https", Host: "service.eu-west-1.amazonaws.com", Path: "/" + strings.TrimLeft(text(12), "/")}
		query := url.Values{}
		for range random.IntN(4) {
			query.Add(text(5), text(5))
		}
		address.RawQuery = query.Encode()
		body := []byte(text(200))
		credentials := sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: text(40)}
		if i%2 == 0 {
			credentials.SessionToken = "token" + text(20)
		}
		headers := http.Header{"Content-Type": {"application/json"}}
		for range random.IntN(4) {
			headers.Add(fmt.Sprintf("X-Header-%d", random.IntN(3)), strings.TrimSpace(strings.Map(func(r rune) rune { return min(r, '~') }, text(9))))
		}
		now := time.Unix(1_700_000_000+int64(random.IntN(1e8)), 0)
		request := func() *http.Request {
			made, err := http.NewRequestWithContext(t.Context(), []string{http.MethodPost, http.MethodGet}[i%2], address.String(), strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			made.Header = headers.Clone()
			return made
		}
		ours, theirs := request(), request()
		credentials.Sign(sigv4.Request{Method: ours.Method, URL: ours.URL, Header: ours.Header}, body, "xray", "eu-west-1", now)
		hash := sha256.Sum256(body)
		err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
			AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken,
		}, theirs, hex.EncodeToString(hash[:]), "xray", "eu-west-1", now)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
			if got, want := ours.Header.Get(name), theirs.Header.Get(name); got != want {
				t.Fatalf("%s %s with %v and %q:\n%s: %s\nthe SDK: %s", ours.Method, address.String(), headers, body, name, got, want)
			}
		}
	}
}
