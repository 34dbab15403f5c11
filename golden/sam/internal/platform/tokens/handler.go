package tokens

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"time"

	"example.com/sam/internal/platform/pretoken"
	"example.com/sam/internal/platform/rawjson"
)

// signInError is what a sign-in fails with. Its value says why, for telemetry. Its text never does: Cognito shows it to the user, with
// managed login even in the address of the callback.
type signInError string

const (
	eventRefused  signInError = "event_refused"
	policyRefused signInError = "policy_refused"
	panicked      signInError = "panic"
)

func (signInError) Error() string {
	return "sign-in is not available right now, please try again later"
}

// Logger is what the handler logs with. *slog.Logger is one.
type Logger interface {
	InfoContext(ctx context.Context, message string, arguments ...any)
	WarnContext(ctx context.Context, message string, arguments ...any)
	ErrorContext(ctx context.Context, message string, arguments ...any)
}

// Config is what a handler is made of.
type Config struct {
	Policy Policy
	// Trigger is the version of the trigger in the user pool.
	Trigger pretoken.Version
	// Logger gets a line for each event, with names only: never an attribute, the value of a claim, or metadata of the caller.
	Logger Logger
}

// Handler answers the invocations of the function.
type Handler struct {
	policy  Policy
	trigger pretoken.Version
	logger  Logger
}

// New returns a handler, or an error that lists every mistake in its configuration: also everything in the policy that Cognito would refuse.
func New(config Config) (*Handler, error) {
	var mistakes []error
	checked := config.Trigger
	if !config.Trigger.Known() {
		mistakes = append(mistakes, errors.New("config: Trigger has to be pretoken.V1, pretoken.V2 or pretoken.V3"))
		checked = pretoken.V3
	}
	if config.Logger == nil {
		mistakes = append(mistakes, errors.New("config: Logger is missing"))
	}
	mistakes = append(mistakes, config.Policy.check(checked)...)
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return &Handler{
		policy: config.Policy, trigger: config.Trigger, logger: config.Logger,
	}, nil
}

// Invoke takes an event and returns it with the response filled in. Its errors are safe to show to users.
func (h *Handler) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	start := time.Now()
	defer func() {
		if recovered := recover(); recovered != nil {
			stack := make([]byte, 16<<10)
			stack = stack[:runtime.Stack(stack, false)]
			kind := reflect.TypeOf(recovered).String()
			h.logger.ErrorContext(ctx, "panic", "type", kind, "stack", string(stack))
			answer, err = nil, panicked
		}
	}()

	event, err := pretoken.Parse(payload, h.trigger)
	if err != nil {
		h.logger.ErrorContext(ctx, "event refused", "reason", err.Error())
		return nil, eventRefused
	}

	response, problems, refused := h.Customize(ctx, event)
	for _, problem := range problems {
		h.logger.WarnContext(ctx, "policy problem", about(event, "name", problem.Name, "reason", problem.Reason)...)
	}
	if refused != nil {
		h.logger.ErrorContext(ctx, "sign-in refused", about(event, "reason", refused.Error())...)
		return nil, policyRefused
	}
	answer = event.Answer(response)
	h.logger.InfoContext(ctx, "tokens customized", about(event, append(h.summaries(response),
		"problems", len(problems),
		"durationMs", float64(time.Since(start).Microseconds())/1000)...)...)
	return answer, nil
}

// about puts what is logged of each event in front of other names and values.
func about(event *pretoken.Event, arguments ...any) []any {
	return append([]any{"triggerSource", string(event.TriggerSource), "clientId", event.ClientID}, arguments...)
}

// summaries have the names of what changed, and no values.
func (h *Handler) summaries(response pretoken.Response) []any {
	if h.trigger == pretoken.V1 {
		return []any{"idToken", summary(response.IDToken)}
	}
	return []any{"idToken", summary(response.IDToken), "accessToken", summary(response.AccessToken)}
}

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
