package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"example.com/sam-otlp/internal/platform/awsendpoint"
	"example.com/sam-otlp/internal/platform/sigv4"
)

const (
	// headersVariable is the variable with the ARN of a secret in AWS Secrets Manager. The secret has the format of OTEL_EXPORTER_OTLP_HEADERS, or
	// is a JSON object of headers. Keep keys out of plain environment variables, because everyone who can view the function can read those.
	headersVariable = "OTLP_HEADERS_SECRET_ARN"
	// managerEndpoint is the variable that overrides the address of AWS Secrets Manager, as in AWS's SDKs.
	managerEndpoint = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
	// secretLimit limits the time of the fetch before the first export.
	secretLimit = 2 * time.Second
	maxSecret   = 64 << 10 // bytes, the limit of AWS Secrets Manager; its answer may be twice as large
)

// secret holds headers that are stored in AWS Secrets Manager.
type secret struct {
	arn, region, endpoint string
	client                client
	// turn guards found.
	turn  chan struct{}
	found http.Header
}

func newSecret(arn string, getenv func(string) string) *secret {
	s := &secret{
		arn: arn, region: getenv("AWS_REGION"), endpoint: getenv(managerEndpoint),
		client: newClient(nil),
		turn:   make(chan struct{}, 1),
	}
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		s.region = parts[3]
	}
	if s.endpoint == "" {
		s.endpoint = "https://" + awsendpoint.Host("secretsmanager", s.region) + "/"
	}
	return s
}

// fetchAhead fetches the secret during the init phase without prolonging it. Exports wait for the result. If the fetch fails, the first export
// tries again and reports the reason.
func (s *secret) fetchAhead() {
	s.turn <- struct{}{}
	go func() {
		defer func() { <-s.turn }()
		ctx, cancel := context.WithTimeout(context.Background(), secretLimit)
		defer cancel()
		s.found, _ = s.fetch(ctx)
	}()
}

// add adds the headers to a request.
func (s *secret) add(ctx context.Context, request *http.Request) error {
	return s.with(ctx, func(headers http.Header) {
		for name, values := range headers {
			request.Header[name] = values
		}
	})
}

// forget makes the next export fetch the secret again, because it may have changed.
func (s *secret) forget() {
	s.turn <- struct{}{}
	s.found = nil
	<-s.turn
}

func (s *secret) with(ctx context.Context, use func(http.Header)) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return errors.New("the secret with the headers does not come in time")
	}
	if s.found == nil {
		found, err := s.fetch(ctx)
		if err != nil {
			return fmt.Errorf("the secret with the headers: %w", err)
		}
		s.found = found
	}
	use(s.found)
	return nil
}

// fetch calls GetSecretValue. Source: AWS Secrets Manager API Reference.
func (s *secret) fetch(ctx context.Context) (http.Header, error) {
	credentials, err := sigv4.FromEnvironment()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]string{"SecretId": s.arn})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, withoutURL(err)
	}
	if request.URL.Scheme != "https" && !isLoopback(request.URL.Hostname()) {
		return nil, errors.New(managerEndpoint + " does not begin with https://, so others could read the secret on the way")
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	credentials.Sign(sigv4.Request{Method: request.Method, URL: request.URL, Header: request.Header}, body, "secretsmanager", s.region, time.Now())
	request.Header["Idempotency-Key"] = nil // the request changes nothing, so the client may repeat it
	response, err := s.client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, 2*maxSecret))
	if err != nil {
		return nil, err
	}
	var value struct {
		Type         string `json:"__type"`
		SecretString string
	}
	err = json.Unmarshal(answer, &value)
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("AWS Secrets Manager answers %s %s", response.Status, value.Type)
	case err != nil:
		return nil, errors.New("AWS Secrets Manager's answer is no JSON")
	}
	return parseSecret(value.SecretString)
}

// parseSecret reads headers from a list in the format of OTEL_EXPORTER_OTLP_HEADERS, or from a JSON object, which the console creates.
func parseSecret(text string) (http.Header, error) {
	var env environment
	headers := http.Header{}
	if pairs := map[string]string{}; json.Unmarshal([]byte(text), &pairs) == nil {
		for name, value := range pairs {
			if !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
				return nil, errors.New("its JSON has what cannot be a header")
			}
			headers.Set(name, value)
		}
	} else {
		headers = env.headers("it", text)
	}
	switch {
	case len(env.problems) > 0:
		return nil, errors.New(strings.Join(env.problems, "; "))
	case len(headers) == 0:
		return nil, errors.New("it has no headers: write name=value,name=value")
	}
	return headers, nil
}
