package customizer

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"time"

	"example.com/sam-eventbridge-otlp/internal/pretoken"
	"example.com/sam-eventbridge-otlp/internal/rawjson"
)

// signInError is what a sign-in fails with. Its value says why to telemetry; its text is all that a user is told, and always the same: Cognito
// shows it, in the hosted UI even in the address of the callback.
type signInError string

// What error.type of a span can be when a sign-in fails.
const (
	eventRefused  signInError = "event_refused"
	policyRefused signInError = "policy_refused"
	publishFailed signInError = "publish_failed"
	panicked      signInError = "panic"
)

func (signInError) Error() string {
	return "sign-in is not available right now, please try again later"
}

// ErrorType says to OpenTelemetry what kind of error it is.
func (e signInError) ErrorType() string { return string(e) }

// Publisher tells others what was done to tokens.
type Publisher interface {
	// Publish returns in time for the answer. An error fails the sign-in.
	Publish(ctx context.Context, event *pretoken.Event, response pretoken.Response) error
}

// Handler answers the invocations of the function. It implements lambda.Handler.
type Handler struct {
	customizer *Customizer
	publisher  Publisher
	logger     *slog.Logger
}

// NewHandler returns a handler that logs what it did by name: never an attribute, the value of a claim, or metadata of the caller.
func NewHandler(customizer *Customizer, publisher Publisher, logger *slog.Logger) *Handler {
	return &Handler{customizer: customizer, publisher: publisher, logger: logger}
}

// Invoke takes an event and returns it with the response filled in. Its errors are fit for the eyes of users.
func (h *Handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	start := time.Now()
	defer func() {
		if recovered := recover(); recovered != nil {
			stack := make([]byte, 16<<10)
			stack = stack[:runtime.Stack(stack, false)]
			kind := reflect.TypeOf(recovered).String()
			h.logger.ErrorContext(ctx, "panic", "type", kind, "stack", string(stack))
			annotatePanic(ctx, kind, string(stack))
			answer, err = nil, panicked
		}
	}()

	event, err := pretoken.Parse(payload)
	if err != nil {
		h.logger.ErrorContext(ctx, "event refused", "reason", err.Error())
		return nil, eventRefused
	}
	logger := h.logger.With("triggerSource", string(event.TriggerSource), "clientId", event.ClientID)
	annotate(ctx, event)

	response, problems, refused := h.customizer.Customize(ctx, event)
	for _, problem := range problems {
		logger.WarnContext(ctx, "policy problem", "name", problem.Name, "reason", problem.Reason)
	}
	if refused != nil {
		logger.ErrorContext(ctx, "sign-in refused", "reason", refused.Error())
		return nil, policyRefused
	}
	answer = event.Answer(response)
	if err := h.publisher.Publish(ctx, event, response); err != nil {
		logger.ErrorContext(ctx, "sign-in refused", "reason", err.Error())
		return nil, publishFailed
	}
	logger.InfoContext(ctx, "tokens customized",
		"idToken", summary(response.IDToken),
		"accessToken", summary(response.AccessToken),
		"problems", len(problems),
		"durationMs", float64(time.Since(start).Microseconds())/1000)
	return answer, nil
}

// summary has the names of what changed in a token, and no values.
func summary(changes pretoken.Changes) rawjson.Value {
	var object rawjson.Object
	for _, list := range []struct {
		key   string
		names []string
	}{
		{"claims", slices.Sorted(maps.Keys(changes.Claims))},
		{"suppressedClaims", changes.Suppress},
		{"addedScopes", changes.AddScopes},
		{"suppressedScopes", changes.SuppressScopes},
	} {
		if len(list.names) > 0 {
			object.Add(list.key, rawjson.Strings(list.names))
		}
	}
	return object.Value()
}
