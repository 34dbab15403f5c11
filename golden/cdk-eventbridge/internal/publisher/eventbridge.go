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

	"example.com/cdk-eventbridge/internal/awsroots"
)

// eventBridge is the bus behind the AWS SDK. Its configuration comes from the environment that Lambda sets, without the SDK's package
// config: that would add half a megabyte, and a millisecond to each cold start, to look for it elsewhere too.
type eventBridge struct {
	client *eventbridge.Client
}

func newEventBridge() eventBridge {
	options := eventbridge.Options{
		Region:      os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(credentials),
		Retryer:     aws.NopRetryer{}, // the publisher's own attempts are bounded by the deadline
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

// idleTimeout is after how long a connection is not used again. An execution environment is frozen between invocations, and learns that
// the other side has hung up only when it uses the connection.
const idleTimeout = 50 * time.Second

// credentials are those of the function's role, which Lambda puts into the environment.
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
			Source:       aws.String(Source),
			DetailType:   aws.String(DetailType),
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
	if errors.Is(err, io.ErrUnexpectedEOF) { // the answer is cut off
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}
