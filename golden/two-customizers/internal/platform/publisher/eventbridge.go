package publisher

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"example.com/two-customizers/internal/platform/awsroots"
)

// eventBridge is a bus that the AWS SDK sends events to. Its configuration comes from the environment variables that Lambda sets. The SDK's
// package config would also look elsewhere, and would add half a megabyte to the function and a millisecond to each cold start.
type eventBridge struct {
	client *eventbridge.Client
}

// newEventBridge needs no timeout: the client connects when it sends its first request.
func newEventBridge(time.Duration) eventBridge {
	options := eventbridge.Options{
		Region:      os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(credentials),
		Retryer:     aws.NopRetryer{}, // the publisher makes its own attempts, within the deadline
		HTTPClient: &http.Client{
			Transport: &http.Transport{
				Proxy:           http.ProxyFromEnvironment,
				DialTLSContext:  awsroots.NewDialer().DialTLSContext,
				IdleConnTimeout: idleTimeout,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL_EVENTBRIDGE"); endpoint != "" {
		options.BaseEndpoint = &endpoint
	}
	return eventBridge{client: eventbridge.New(options)}
}

// idleTimeout is how long an idle connection is kept. A frozen execution environment does not notice that the other side closed the
// connection until it uses the connection again.
const idleTimeout = 50 * time.Second

// credentials returns the credentials of the function's role, which Lambda puts into the environment.
func credentials(context.Context) (aws.Credentials, error) {
	found := aws.Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
	}
	if !found.HasKeys() {
		return aws.Credentials{}, errors.New("no credentials: AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")
	}
	return found, nil
}

func (b eventBridge) put(ctx context.Context, entries []entry) ([]string, error) {
	input := &eventbridge.PutEventsInput{Entries: make([]types.PutEventsRequestEntry, len(entries))}
	for i, entry := range entries {
		input.Entries[i] = types.PutEventsRequestEntry{
			EventBusName: aws.String(entry.busName),
			Source:       aws.String(entry.source),
			DetailType:   aws.String(entry.detailType),
			Detail:       aws.String(entry.detail),
			Time:         aws.Time(entry.time),
		}
		if entry.traceHeader != "" {
			input.Entries[i].TraceHeader = aws.String(entry.traceHeader)
		}
	}
	output, err := b.client.PutEvents(ctx, input)
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(output.Entries))
	for i, result := range output.Entries {
		codes[i] = aws.ToString(result.ErrorCode)
	}
	return codes, nil
}

func (eventBridge) retryable(err error) bool {
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return false
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // the answer is incomplete
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}
