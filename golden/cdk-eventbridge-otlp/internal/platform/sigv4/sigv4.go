// Package sigv4 signs HTTP requests to AWS services with the signer of the AWS SDK and the credentials of the function's role. What is sent to
// which service does not belong here.
package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Credentials sign requests.
type Credentials aws.Credentials

// FromEnvironment returns the credentials of the function's role, which Lambda puts into the environment.
func FromEnvironment() (Credentials, error) {
	credentials := aws.Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
	}
	if !credentials.HasKeys() {
		return Credentials{}, errors.New("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as Lambda does")
	}
	return Credentials(credentials), nil
}

// Request is the part of a request that is signed besides its body.
type Request struct {
	Method string
	URL    *url.URL
	Header map[string][]string // with the names in canonical form, as in http.Header
}

// Sign adds X-Amz-Date, X-Amz-Security-Token if there is a session token, and Authorization to the header of a request that is sent with body.
// The signature covers the other headers too, so set them first. Do not use it for Amazon S3, which signs paths differently.
func (c Credentials) Sign(request Request, body []byte, service, region string, now time.Time) {
	digest := sha256.Sum256(body)
	// The only error would be one of computing the signature's hash, which can't fail.
	_ = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials(c), &http.Request{
		Method: request.Method, URL: request.URL, Host: request.URL.Host, Header: request.Header, ContentLength: int64(len(body)),
	}, hex.EncodeToString(digest[:]), service, region, now)
}
