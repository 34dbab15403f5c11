package lambdaruntime

import (
	"context"
	"errors"
	"strconv"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/rawjson"
)

// LambdaContext describes an invocation. Its fields have the same names as in aws-lambda-go's package lambdacontext.
type LambdaContext struct {
	AwsRequestID       string
	InvokedFunctionArn string
	Identity           CognitoIdentity
	ClientContext      ClientContext
	TenantID           string
}

// CognitoIdentity is the identity of a caller that an identity pool signed in.
type CognitoIdentity struct {
	CognitoIdentityID     string
	CognitoIdentityPoolID string
}

// ClientContext is what the caller sent. Do not trust it.
type ClientContext struct {
	Client ClientApplication
	Env    map[string]string
	// Custom has the values as text. A value that is not a string is JSON.
	Custom map[string]string
}

// ClientApplication is the app that the caller claims to be.
type ClientApplication struct {
	InstallationID string
	AppTitle       string
	AppVersionCode string
	AppPackageName string
}

type contextKey struct{}

// FromContext returns the description of the invocation.
func FromContext(ctx context.Context) (*LambdaContext, bool) {
	found, ok := ctx.Value(contextKey{}).(*LambdaContext)
	return found, ok
}

// NewContext returns the context of an invocation, for tests.
func NewContext(parent context.Context, invocation *LambdaContext) context.Context {
	return context.WithValue(parent, contextKey{}, invocation)
}

// newContext returns a context that ends at the deadline of the invocation. As in aws-lambda-go, it has X-Ray's header under the key
// x-amzn-trace-id, a string.
func newContext(invocation *invocation) (context.Context, context.CancelFunc, error) {
	header := invocation.header
	deadline, err := strconv.ParseInt(header["lambda-runtime-deadline-ms"], 10, 64)
	if err != nil {
		return nil, nil, errors.New("the invocation has no deadline")
	}
	lambdaContext := &LambdaContext{
		AwsRequestID:       invocation.id,
		InvokedFunctionArn: header["lambda-runtime-invoked-function-arn"],
		TenantID:           header["lambda-runtime-aws-tenant-id"],
	}
	if err := lambdaContext.readIdentity(header["lambda-runtime-cognito-identity"]); err != nil {
		return nil, nil, err
	}
	if err := lambdaContext.readClientContext(header["lambda-runtime-client-context"]); err != nil {
		return nil, nil, err
	}
	ctx := NewContext(context.Background(), lambdaContext)
	if trace := header["lambda-runtime-trace-id"]; trace != "" {
		ctx = context.WithValue(ctx, "x-amzn-trace-id", trace) //nolint:staticcheck // aws-lambda-go's key
	}
	ctx, cancel := context.WithDeadline(ctx, time.UnixMilli(deadline))
	return ctx, cancel, nil
}

func (c *LambdaContext) readIdentity(text string) error {
	if text == "" {
		return nil
	}
	identity, err := rawjson.Parse([]byte(text))
	if err != nil {
		return errors.New("the invocation's Cognito identity is " + err.Error())
	}
	for name, value := range identity.Members() {
		switch name {
		case "cognitoIdentityId":
			c.Identity.CognitoIdentityID = value.Text()
		case "cognitoIdentityPoolId":
			c.Identity.CognitoIdentityPoolID = value.Text()
		}
	}
	return nil
}

func (c *LambdaContext) readClientContext(text string) error {
	if text == "" {
		return nil
	}
	clientContext, err := rawjson.Parse([]byte(text))
	if err != nil {
		return errors.New("the invocation's client context is " + err.Error())
	}
	for name, value := range clientContext.Members() {
		switch name {
		case "client", "Client":
			client := texts(value)
			c.ClientContext.Client = ClientApplication{
				InstallationID: client["installation_id"],
				AppTitle:       client["app_title"],
				AppVersionCode: client["app_version_code"],
				AppPackageName: client["app_package_name"],
			}
		case "env":
			c.ClientContext.Env = texts(value)
		case "custom":
			c.ClientContext.Custom = texts(value)
		}
	}
	return nil
}

// texts returns the members of an object as text. A value that is not a string stays JSON.
func texts(object rawjson.Value) map[string]string {
	found := map[string]string{}
	for name, value := range object.Members() {
		if value.Kind() == '"' {
			found[name] = value.Text()
		} else {
			found[name] = string(value)
		}
	}
	return found
}
