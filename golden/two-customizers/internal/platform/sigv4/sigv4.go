// Package sigv4 signs HTTP requests to AWS services: it puts an AWS Signature Version 4 into the Authorization header. What is sent to which
// service does not belong here.
//
// Source: AWS Identity and Access Management User Guide, "AWS Signature Version 4 for API requests".
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// Credentials sign requests.
type Credentials struct {
	AccessKeyID, SecretAccessKey string
	// SessionToken is set for temporary credentials, such as those of a function's role.
	SessionToken string
}

// FromEnvironment returns the credentials of the function's role, which Lambda puts into the environment.
func FromEnvironment() (Credentials, error) {
	credentials := Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
	}
	if credentials.AccessKeyID == "" || credentials.SecretAccessKey == "" {
		return Credentials{}, errors.New("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as Lambda does")
	}
	return credentials, nil
}

// Request is the part of a request that is signed besides its body. Names in Header are in canonical form, as in http.Header. The package
// does not import net/http, which would double the size of a small function.
type Request struct {
	Method string
	URL    *url.URL
	Header map[string][]string
}

// Sign adds X-Amz-Date, X-Amz-Security-Token if there is a session token, and Authorization to the header of a request that is sent with body.
// The signature covers the other headers too, so set them first. Do not use it for Amazon S3, which signs paths differently.
func (c Credentials) Sign(request Request, body []byte, service, region string, now time.Time) {
	now = now.UTC()
	request.Header["X-Amz-Date"] = []string{now.Format(timeFormat)}
	delete(request.Header, "X-Amz-Security-Token")
	if c.SessionToken != "" {
		request.Header["X-Amz-Security-Token"] = []string{c.SessionToken}
	}
	headers, names := canonicalHeaders(request, len(body))
	canonical := strings.Join([]string{
		request.Method,
		canonicalPath(request.URL),
		canonicalQuery(request.URL.Query()),
		headers,
		names,
		hash(body),
	}, "\n")
	scope := strings.Join([]string{now.Format(dateFormat), region, service, "aws4_request"}, "/")
	toSign := strings.Join([]string{algorithm, now.Format(timeFormat), scope, hash([]byte(canonical))}, "\n")

	key := []byte("AWS4" + c.SecretAccessKey)
	for _, part := range strings.Split(scope, "/") {
		key = sum(key, part)
	}
	request.Header["Authorization"] = []string{
		algorithm + " Credential=" + c.AccessKeyID + "/" + scope + ", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(sum(key, toSign)),
	}
}

// unsigned lists the headers that proxies or Go may change on the way.
var unsigned = []string{"Accept-Encoding", "Authorization", "Connection", "Expect", "Transfer-Encoding", "User-Agent", "X-Amzn-Trace-Id"}

// canonicalHeaders returns the headers in the form that is signed, one on each line, and their names.
func canonicalHeaders(request Request, length int) (lines, names string) {
	values := map[string]string{"host": request.URL.Host}
	if length > 0 {
		values["content-length"] = strconv.Itoa(length)
	}
	for name, list := range request.Header {
		if !slices.Contains(unsigned, name) && len(list) > 0 {
			trimmed := make([]string, len(list))
			for i, value := range list {
				trimmed[i] = strings.Join(strings.Fields(value), " ")
			}
			values[strings.ToLower(name)] = strings.Join(trimmed, ",")
		}
	}
	sorted := make([]string, 0, len(values))
	for name := range values {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	var text strings.Builder
	for _, name := range sorted {
		text.WriteString(name + ":" + values[name] + "\n")
	}
	return text.String(), strings.Join(sorted, ";")
}

// canonicalPath encodes the path again, although it is sent encoded once.
func canonicalPath(address *url.URL) string {
	path := address.EscapedPath()
	if path == "" {
		return "/"
	}
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/"
	var encoded strings.Builder
	for i := range len(path) {
		if strings.IndexByte(unreserved, path[i]) >= 0 {
			encoded.WriteByte(path[i])
		} else {
			encoded.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{path[i]})))
		}
	}
	return encoded.String()
}

// canonicalQuery encodes the parameters and sorts them by name and then by value.
func canonicalQuery(query url.Values) string {
	const separator = "\x00" // sorts before every character of an encoded name, unlike "="
	encode := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, encode(name)+separator+encode(value))
		}
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), separator, "=")
}

func hash(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
